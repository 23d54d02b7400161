"""The bodies of order requests: our terms in Alpaca's words."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from pyrt.adapters.alpaca.core.messages import OrderRequest, StopLoss, TakeProfit
from pyrt.core.orders import Order
from pyrt.venues.alpaca.requests import request_of

CHANGE_NAMES = {"quantity": "qty", "trail": "trail"}


def order_body(order: Order) -> bytes:
    """Return the body that places an order with its exits; numbers are exact."""
    terms = request_of(order)
    profit, stop = text_of(terms.take_profit_limit), text_of(terms.stop_loss_stop)
    request = OrderRequest(
        symbol=terms.symbol,
        side=terms.side,
        type=terms.type,
        time_in_force=terms.time_in_force,
        client_order_id=order.client_order_id,
        qty=text_of(terms.quantity),
        notional=text_of(terms.notional),
        # A pair's limit is its profit's, and Alpaca wants it there.
        limit_price=text_of(terms.limit_price),
        stop_price=text_of(terms.stop_price),
        trail_price=text_of(terms.trail_price),
        trail_percent=text_of(terms.trail_percent),
        extended_hours=terms.extended_hours,
        order_class="" if terms.order_class == "simple" else terms.order_class,
        take_profit=None if profit is None else TakeProfit(profit),
        stop_loss=None if stop is None else StopLoss(stop, text_of(terms.stop_loss_limit)),
    )
    return msgspec.json.encode(request)


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


def reduces(order: Order) -> bool:
    """Return whether an order can only reduce what its strategy holds."""
    if order.is_exit or order.reduce_only:
        return True
    if order.strategy is None or order.notional is not None:
        # An order to look at belongs to nobody; how many units a value comes to is not known.
        return False
    held = order.strategy.position(order.symbol).quantity_exact
    return held * order.side_sign < 0 and order.quantity_exact <= abs(held)


def change_body(terms: dict[str, str], client_order_id: str) -> bytes:
    """Return the body that replaces an order's terms."""
    body = {CHANGE_NAMES.get(name, name): value for name, value in terms.items()}
    return msgspec.json.encode({**body, "client_order_id": client_order_id})


def text_of(number: Decimal | None) -> str | None:
    """Return the shortest decimal text of a number, never with an exponent; None stays None.

    Examples
    --------
    >>> text_of(Decimal("0.000012340")), text_of(Decimal("100.000000000")), text_of(Decimal("5E2"))
    ('0.00001234', '100', '500')
    """
    return None if number is None else f"{number.normalize():f}"
