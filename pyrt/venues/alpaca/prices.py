"""Which prices are on Alpaca's grid, and on which side of the market a stop may stand."""

from __future__ import annotations

from decimal import Decimal

from pyrt.venues.alpaca.case import Case
from pyrt.venues.alpaca.refusals import Refusal, number_text
from pyrt.venues.alpaca.shape import decimals

__all__ = ["check_increments", "check_stop_side", "is_sub_penny"]

_DOLLAR = Decimal(1)


def is_sub_penny(price: Decimal) -> bool:
    """Tell whether a price has too many decimals: over 2 from one dollar up, over 4 below."""
    return decimals(price) > (2 if price >= _DOLLAR else 4)


def check_increments(case: Case) -> Refusal | None:
    """Refuse any price of the order or its legs that is off the grid."""
    request = case.request
    named = (
        ("limit_price", request.limit_price),
        ("stop_price", request.stop_price),
        ("trail_price", request.trail_price),
        ("take_profit.limit_price", request.take_profit_limit),
        ("stop_loss.stop_price", request.stop_loss_stop),
        ("stop_loss.limit_price", request.stop_loss_limit),
    )
    for field, price in named:
        if price is None:
            continue
        refusal = check_increment(case, field, price)
        if refusal is not None:
            return refusal
    return None


def check_increment(case: Case, field: str, price: Decimal) -> Refusal | None:
    """Refuse one price that is off the grid of its asset."""
    if case.request.is_crypto:
        increment = None if case.asset is None else case.asset.price_increment
        if increment is None or price % increment == 0:
            return None
        return case.refuse(
            "crypto_price_increment",
            field=field,
            price=number_text(price),
            increment=number_text(increment),
        )
    if is_sub_penny(price):
        return case.refuse("sub_penny", field=field, price=number_text(price))
    return None


def check_stop_side(case: Case) -> Refusal | None:
    """Refuse a sell stop at or above, or a buy stop at or below, the current price."""
    stop, market_price = case.request.stop_price, case.market.current_price
    if stop is None or market_price is None:
        return None
    is_sell = case.request.side == "sell"
    if stop < market_price if is_sell else stop > market_price:
        return None
    extra = {"market_price": number_text(market_price), "stop_price": number_text(stop)}
    return case.refuse("sell_stop_side" if is_sell else "buy_stop_side", extra=extra)
