"""POST /v2/orders: from a body to an order at the exchange."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import Refused, bad, refused
from pyrt.adapters.alpaca.simulator.protocol.wires import DAY, asset_id, decimal, is_pair
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.adapters.alpaca.simulator.trading.records import OrderRecord
from pyrt.venues.alpaca import OrderRequest

AGED = 90 * DAY
"""Orders that state no end are canceled after this, ns."""
EXITS = ("bracket", "oco", "oto")


def read_order(desk: Desk, body: Mapping[str, Any]) -> OrderRequest:
    """Read the body of a new order; Refused if a value cannot be one."""
    profit, loss = _part(body, "take_profit"), _part(body, "stop_loss")
    symbol = _symbol(desk, _word(body, "symbol"))
    asset_class = "crypto" if is_pair(symbol) else "us_equity"
    return OrderRequest(
        symbol=symbol,
        side=_word(body, "side"),
        type=_word(body, "type"),
        time_in_force=_word(body, "time_in_force"),
        asset_class=asset_class,
        order_class=_word(body, "order_class") or "simple",
        quantity=decimal(body.get("qty"), "qty"),
        notional=decimal(body.get("notional"), "notional"),
        limit_price=decimal(body.get("limit_price"), "limit_price"),
        stop_price=decimal(body.get("stop_price"), "stop_price"),
        trail_price=decimal(body.get("trail_price"), "trail_price"),
        trail_percent=decimal(body.get("trail_percent"), "trail_percent"),
        extended_hours=body.get("extended_hours") is True,
        take_profit_limit=decimal(profit.get("limit_price"), "take_profit.limit_price"),
        stop_loss_stop=decimal(loss.get("stop_price"), "stop_loss.stop_price"),
        stop_loss_limit=decimal(loss.get("limit_price"), "stop_loss.limit_price"),
        client_order_id=_word(body, "client_order_id") or None,
        position_intent=_word(body, "position_intent") or None,
    )


def _word(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise bad(f"invalid {name}: {value}")
    return value


def _part(body: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise bad(f"invalid {name}")
    return value


def _symbol(desk: Desk, given: str) -> str:
    """Return the symbol of a symbol or asset id; coins are known without the slash, too."""
    for symbol in desk.symbols:
        if given in (symbol, symbol.replace("/", ""), asset_id(symbol)):
            return symbol
    return given


def place(desk: Desk, request: OrderRequest) -> OrderRecord:
    """Take an order, or raise the refusal; the record is as it was before it met the market."""
    _check(desk, request)
    record = make_record(desk, request)
    desk.add(record)
    _make_legs(desk, request, record)
    return record


def _check(desk: Desk, request: OrderRequest) -> None:
    if request.client_order_id in desk.client_ids:
        raise refused(422, 40010001, "client_order_id must be unique")
    if desk.rules is None:
        if request.symbol not in desk.symbols:
            raise refused(422, 42210000, f'asset "{request.symbol}" not found')
        return
    if request.order_class == "mleg":
        raise refused(422, 42210000, "options are not traded here")
    refusal = desk.intake.check(request)
    if refusal is not None:
        raise Refused(refusal.http_status, refusal.body())


def make_record(desk: Desk, request: OrderRequest) -> OrderRecord:
    """Return the record of a new order."""
    order_id, market = desk.next_id(), desk.market(request.symbol)
    status, expires = "pending_new", None
    if desk.rules is not None:
        status = desk.intake.starts_as(request)
        expires = desk.intake.ends_at(request) or desk.now + AGED
    intent = "close" if desk.closes(request.symbol, request.side) else "open"
    limit = request.limit_price
    if limit is None and request.order_class == "oco":
        limit = request.take_profit_limit
    return OrderRecord(
        id=order_id,
        number=desk.next_number(),
        client_order_id=request.client_order_id or order_id,
        symbol=request.symbol,
        side=request.side,
        type=request.type,
        time_in_force=request.time_in_force,
        status=status,
        created=desk.now,
        quantity=request.quantity,
        notional=request.notional,
        limit_price=limit,
        stop_price=request.stop_price,
        trail_price=request.trail_price,
        trail_percent=request.trail_percent,
        order_class="" if request.order_class == "simple" else request.order_class,
        extended_hours=request.extended_hours,
        position_intent=request.position_intent or f"{request.side}_to_{intent}",
        expires=expires,
        opens=market.next_open_ns if status == "accepted" else None,
        times={"updated": desk.now, "submitted": desk.now},
    )


def _make_legs(desk: Desk, request: OrderRequest, parent: OrderRecord) -> None:
    """Add the exits of an order, held until it fills."""
    if request.order_class not in EXITS:
        return
    side = request.side
    if request.order_class != "oco":
        side = "sell" if request.side == "buy" else "buy"
        if request.take_profit_limit is not None:
            _leg(desk, parent, side, "limit", request.take_profit_limit, None)
    if request.stop_loss_stop is not None:
        kind = "stop" if request.stop_loss_limit is None else "stop_limit"
        _leg(desk, parent, side, kind, request.stop_loss_limit, request.stop_loss_stop)


def _leg(
    desk: Desk,
    parent: OrderRecord,
    side: str,
    kind: str,
    limit_price: Decimal | None,
    stop_price: Decimal | None,
) -> None:
    order_id = desk.next_id()
    leg = OrderRecord(
        id=order_id,
        number=desk.next_number(),
        client_order_id=order_id,
        symbol=parent.symbol,
        side=side,
        type=kind,
        time_in_force=parent.time_in_force,
        status="held",
        created=desk.now,
        quantity=parent.quantity,
        limit_price=limit_price,
        stop_price=stop_price,
        order_class=parent.order_class,
        position_intent=f"{side}_to_close",
        expires=parent.expires,
        times={"updated": desk.now, "submitted": desk.now},
        parent=parent.id,
    )
    parent.legs.append(leg)
    desk.add(leg)


def send(desk: Desk, record: OrderRecord) -> None:
    """Hand an order and its exits to the exchange."""
    loss = next((leg for leg in record.legs if leg.stop_price is not None), None)
    profit = next((leg for leg in record.legs if leg.stop_price is None), None)
    stop = None if loss is None else (loss.number, loss.stop_price, loss.limit_price)
    if record.order_class == "oco":
        desk.exchange.submit_pair(
            record.number,
            record.symbol,
            record.side,
            record.time_in_force,
            record.quantity,  # type: ignore[arg-type]
            record.limit_price,
            stop,  # type: ignore[arg-type]
            ends=record.expires,
        )
        return
    desk.exchange.submit(
        record.number,
        record.symbol,
        record.side,
        record.type,
        record.time_in_force,
        record.quantity,
        notional=record.notional,
        limit_price=record.limit_price,
        stop_price=record.stop_price,
        trail_amount=record.trail_price,
        trail_percent=record.trail_percent,
        extended_hours=record.extended_hours,
        take_profit=None if profit is None else (profit.number, profit.limit_price),
        stop_loss=stop,
        # Orders of the opening auction end by what the first bar or quote makes of them.
        ends=None if record.time_in_force == "opg" else record.expires,
    )
