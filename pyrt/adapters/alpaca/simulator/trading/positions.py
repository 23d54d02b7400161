"""/v2/positions: what is held, and closing it."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import ROUND_DOWN, Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import Refused, bad, refused
from pyrt.adapters.alpaca.simulator.protocol.wires import (
    asset_id,
    decimal,
    is_pair,
    midnight,
    text,
)
from pyrt.adapters.alpaca.simulator.trading.desk import Desk, Holding
from pyrt.venues.alpaca import OrderRequest

STEP = Decimal("1e-9")


def held_symbols(desk: Desk) -> list[str]:
    """Return the symbols of which something is held, sorted."""
    return sorted(symbol for symbol, holding in desk.holdings.items() if holding.quantity)


def find_symbol(desk: Desk, name: str) -> str:
    """Return the held symbol that a symbol or asset id names; Refused if none is."""
    for symbol in held_symbols(desk):
        if name in (symbol, symbol.replace("/", ""), asset_id(symbol)):
            return symbol
    raise refused(404, 40410000, "position does not exist")


def available(desk: Desk, symbol: str) -> Decimal:
    """Return the units held that no open order would close; as signed as the holding.

    The exits of one group compete for the same units, so a group counts once.
    """
    held = desk.holdings[symbol].quantity
    side = "sell" if held > 0 else "buy"
    claims: dict[str, Decimal] = {}
    for order in desk.orders.values():
        is_exit = order.symbol == symbol and order.side == side
        if is_exit and not order.is_final and order.status != "held":
            key = order.parent or order.id
            claims[key] = max(claims.get(key, Decimal(0)), order.leaves)
    free = max(abs(held) - sum(claims.values(), Decimal(0)), Decimal(0))
    return free if held > 0 else -free


def position_body(desk: Desk, symbol: str) -> dict[str, Any]:
    """Return the JSON object of a position."""
    holding = desk.holdings[symbol]
    price = desk.exchange.last_price(symbol) or Decimal(0)
    value = holding.quantity * price
    profit = value - holding.cost
    share = profit / abs(holding.cost) if holding.cost else Decimal(0)
    pair = is_pair(symbol)
    return {
        "asset_id": asset_id(symbol),
        "symbol": symbol.replace("/", ""),
        "exchange": "CRYPTO" if pair else "ARCA",
        "asset_class": "crypto" if pair else "us_equity",
        "asset_marginable": not pair,
        "qty": text(holding.quantity),
        "qty_available": text(available(desk, symbol)),
        "avg_entry_price": text((holding.cost / holding.quantity).quantize(STEP)),
        "side": "long" if holding.quantity > 0 else "short",
        "market_value": text(value),
        "cost_basis": text(holding.cost.quantize(STEP)),
        "unrealized_pl": text(profit.quantize(STEP)),
        "unrealized_plpc": text(share.quantize(STEP)),
        **_today(desk, symbol, holding, price),
        "current_price": text(price),
    }


def _today(desk: Desk, symbol: str, holding: Holding, price: Decimal) -> dict[str, Any]:
    """Return what has changed since the last session's close, or since a later entry."""
    before = _last_close(desk, symbol)
    start = midnight(desk.now, utc=is_pair(symbol))
    base = holding.cost
    if before is not None and holding.opened < start:
        base = holding.quantity * before
    gain = holding.quantity * price - base
    reference = price if before is None else before
    change = (price - reference) / reference if reference else Decimal(0)
    return {
        "unrealized_intraday_pl": text(gain.quantize(STEP)),
        "unrealized_intraday_plpc": text((gain / abs(base) if base else Decimal(0)).quantize(STEP)),
        "lastday_price": text(reference),
        "change_today": text(change.quantize(STEP)),
    }


def _last_close(desk: Desk, symbol: str) -> Decimal | None:
    """Return the last price before today; None where nothing older is recorded."""
    series = desk.market_now.series.get(symbol)
    if series is None:
        return None
    price = series.close_before(midnight(desk.now, utc=series.is_pair))
    return None if price is None else Decimal(str(price))


def closing_order(desk: Desk, symbol: str, query: Mapping[str, str]) -> OrderRequest:
    """Return the market order that closes a position, or the part of it asked for."""
    holding = desk.holdings[symbol]
    return OrderRequest(
        symbol=symbol,
        side="sell" if holding.quantity > 0 else "buy",
        type="market",
        time_in_force="gtc" if is_pair(symbol) else "day",
        asset_class="crypto" if is_pair(symbol) else "us_equity",
        quantity=_part(desk, holding, query),
    )


def _part(desk: Desk, holding: Holding, query: Mapping[str, str]) -> Decimal:
    if "qty" in query and "percentage" in query:
        raise bad("only one of qty or percentage is accepted")
    held = abs(holding.quantity)
    if "qty" in query:
        return decimal(query["qty"], "qty") or Decimal(0)
    percentage = decimal(query.get("percentage"), "percentage")
    if percentage is None:
        return held
    if desk.rules is not None:
        symbol = next(s for s, h in desk.holdings.items() if h is holding)
        facts = desk.positions()[symbol.replace("/", "")]
        refusal = desk.rules.close_check(facts, percentage=percentage)
        if refusal is not None:
            raise Refused(refusal.http_status, refusal.body())
    return (held * percentage / 100).quantize(STEP, rounding=ROUND_DOWN)
