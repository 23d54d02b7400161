"""Wash-trade protection: an order that could trade with one's own order on the other side."""

from __future__ import annotations

from pyrt.venues.alpaca.case import Case
from pyrt.venues.alpaca.facts import COMPLEX_CLASSES, OpenOrder
from pyrt.venues.alpaca.refusals import Refusal, number_text

__all__ = ["check_wash_trade"]

_UNPRICED = frozenset({"market", "stop"})


def check_wash_trade(case: Case) -> Refusal | None:
    """Refuse an order that may meet a working order of the other side in the same symbol.

    Where either has no limit (market, stop) it is refused always, where both have one only if the
    buy limit is at or above the sell limit. Groups, their legs and trailing stops are exempt.
    """
    request = case.request
    if request.is_crypto and not case.options.checks_crypto_wash_trades:
        return None
    if request.is_complex or request.type == "trailing_stop":
        return None
    other_side = "sell" if request.side == "buy" else "buy"
    for order in case.orders_on_symbol(other_side):
        refusal = None if _is_exempt(order) else _against(case, order)
        if refusal is not None:
            return refusal
    return None


def _is_exempt(order: OpenOrder) -> bool:
    return order.is_leg or order.order_class in COMPLEX_CLASSES or order.type == "trailing_stop"


def _against(case: Case, order: OpenOrder) -> Refusal | None:
    request = case.request
    extra = {"existing_order_id": order.id}
    if order.type in _UNPRICED:
        return _refuse(case, extra, "opposite side market/stop order exists")
    if request.type in _UNPRICED:
        return _refuse(case, extra, "opposite side limit order exists")
    assert request.limit_price is not None
    assert order.limit_price is not None
    if request.side == "buy":
        if request.limit_price < order.limit_price:
            return None
        extra["sell_limit_price"] = number_text(order.limit_price)
        reason = "sell order exists, buy limit price should be less than existing sell limit price"
    else:
        if request.limit_price > order.limit_price:
            return None
        extra["buy_limit_price"] = number_text(order.limit_price)
        reason = (
            "buy order exists, sell limit price should be greater than existing buy limit price"
        )
    return _refuse(case, extra, reason)


def _refuse(case: Case, extra: dict[str, str], reason: str) -> Refusal:
    return case.refuse("wash_trade", extra={**extra, "reject_reason": reason})
