"""The bodies of order requests: our terms in Alpaca's words."""

from __future__ import annotations

from typing import Any

import msgspec

from pyrt.adapters.alpaca.messages import OrderRequest, StopLoss, TakeProfit
from pyrt.core.orders import Order

CHANGE_NAMES = {"quantity": "qty", "trail": "trail"}


def order_body(order: Order) -> bytes:
    """Return the body that places an order with its exits."""
    notional = order.notional
    take_profit, stop_loss = exits_of(order)
    request = OrderRequest(
        symbol=order.symbol,
        side=order.side.name.lower(),
        type=order.order_type,
        time_in_force=order.time_in_force,
        client_order_id=order.client_order_id,
        qty=f"{order.quantity_exact:f}" if notional is None else None,
        notional=None if notional is None else text_of(notional),
        limit_price=text_of(order.limit_price),
        stop_price=text_of(order.stop_price),
        trail_price=text_of(order.trail_amount),
        trail_percent=text_of(order.trail_percent),
        extended_hours=order.extended_hours,
        order_class=order_class(order),
        take_profit=take_profit,
        stop_loss=stop_loss,
    )
    return msgspec.json.encode(request)


def order_class(order: Order) -> str:
    """Return ``bracket``, ``oto``, ``oco``, or "" for an order that stands alone."""
    if is_pair(order):
        return "oco"
    if order.keeps_exits:
        return ""
    exits = (order.take_profit is not None) + (order.stop_loss is not None)
    return ("", "oto", "bracket")[exits]


def is_pair(order: Order) -> bool:
    """Return whether the order is the profit-taking half of a pair sent on its own."""
    return order.sibling is not None and order.parent is None and not order.keeps_exits


def legs_of(order: Order) -> tuple[Order, ...]:
    """Return the orders that the broker will make of this one's exits."""
    if order.keeps_exits:
        return ()
    candidates = (order.sibling,) if is_pair(order) else (order.take_profit, order.stop_loss)
    return tuple(leg for leg in candidates if leg is not None)


def leg_type(order: Order) -> str:
    """Return what tells an exit from its sibling: ``limit`` or ``stop``."""
    return "limit" if order.order_type == "limit" else "stop"


def exits_of(order: Order) -> tuple[TakeProfit | None, StopLoss | None]:
    """Return the two exits as the request names them."""
    if order.keeps_exits:
        return None, None
    profit = order if is_pair(order) else order.take_profit
    stop = order.sibling if is_pair(order) else order.stop_loss
    return (
        None if profit is None else TakeProfit(_required(profit.limit_price)),
        None if stop is None else StopLoss(_required(stop.stop_price), text_of(stop.limit_price)),
    )


def change_body(terms: dict[str, str], client_order_id: str) -> bytes:
    """Return the body that replaces an order's terms."""
    body = {CHANGE_NAMES.get(name, name): value for name, value in terms.items()}
    return msgspec.json.encode({**body, "client_order_id": client_order_id})


def text_of(number: Any) -> str | None:
    """Return the shortest decimal text of a price; None stays None."""
    return None if number is None else repr(number)


def _required(price: float | None) -> str:
    text = text_of(price)
    assert text is not None
    return text
