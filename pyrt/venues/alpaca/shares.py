"""Whether the units an order closes are there and free, and whether it may open a short."""

from __future__ import annotations

from decimal import Decimal

from pyrt.venues.alpaca.case import Case, find_position, new_york
from pyrt.venues.alpaca.facts import OpenOrder
from pyrt.venues.alpaca.funds import far_side, order_value
from pyrt.venues.alpaca.refusals import Refusal, number_text

__all__ = [
    "check_available",
    "check_crypto_balance",
    "check_day_trading",
    "check_intent",
    "check_opposite_opening",
    "check_short",
]


def closing_quantity(case: Case) -> Decimal | None:
    """Return the units an order asks for; None for an order by dollars without a known price."""
    request = case.request
    if request.quantity is not None:
        return request.quantity
    price = far_side(case.market, request.side, is_crypto=request.is_crypto)
    if price is None or request.notional is None:
        return None
    return request.notional / price


def reserved_units(holders: list[OpenOrder]) -> Decimal:
    """Return the units that orders hold; of a pair, of which one cancels the other, the larger."""
    claims: dict[str, Decimal] = {}
    for number, order in enumerate(holders):
        key = f"pair {order.pair}" if order.pair else f"order {number}"
        claims[key] = max(claims.get(key, Decimal(0)), order.leaves)
    return sum(claims.values(), Decimal(0))


def check_available(case: Case) -> Refusal | None:
    """Refuse closing more units than the position has free of other orders.

    A position is never turned round by one order: what is asked beyond it is refused too.
    """
    if case.request.is_crypto or not case.is_closing:
        return None
    holders = case.orders_on_symbol(case.request.side)
    existing = abs(case.held)
    reserved = reserved_units(holders)
    available = max(existing - reserved, Decimal(0))
    requested = closing_quantity(case)
    if requested is None or requested <= available:
        return None
    return case.refuse(
        "insufficient_quantity",
        extra=_quantity_extra(case, existing, reserved, available, holders),
        requested=number_text(requested),
        available=number_text(available),
    )


def _quantity_extra(
    case: Case, existing: Decimal, reserved: Decimal, available: Decimal, holders: list[OpenOrder]
) -> dict[str, object]:
    extra: dict[str, object] = {
        "available": number_text(available),
        "existing_qty": number_text(existing),
        "held_for_orders": number_text(reserved),
        "symbol": case.request.symbol,
    }
    if holders:
        extra["related_orders"] = [order.id for order in holders]
    return extra


def check_crypto_balance(case: Case) -> Refusal | None:
    """Refuse selling coins, or spending money, that the account has not got free.

    There is neither leverage nor shorting: buys in dollars draw on the non-marginable buying
    power, buys in another coin on the balance of that coin.
    """
    request = case.request
    if not request.is_crypto:
        return None
    base, _, quote = request.symbol.partition("/")
    if request.side == "sell":
        requested = closing_quantity(case)
        reserved = reserved_units(case.orders_on_symbol("sell"))
        available, currency = case.held - reserved, base
    else:
        requested = order_value(request, case.market, case.options)
        currency = quote or "USD"
        available = _quote_balance(case, currency)
    available = max(available, Decimal(0))
    if requested is None or requested <= available:
        return None
    return case.refuse(
        "insufficient_balance",
        currency=currency,
        requested=number_text(requested),
        available=number_text(available),
    )


def _quote_balance(case: Case, currency: str) -> Decimal:
    if currency == "USD":
        return case.account.non_marginable_buying_power
    position = find_position(case.positions, f"{currency}/USD")
    return Decimal(0) if position is None else position.quantity


def check_short(case: Case) -> Refusal | None:
    """Refuse opening a short that the account or the asset does not allow."""
    request, account, asset = case.request, case.account, case.asset
    opens_short = request.side == "sell" and not case.is_closing
    if request.asset_class != "us_equity" or not opens_short:
        return None
    assert asset is not None
    if (
        not account.is_shorting_enabled
        or account.no_shorting
        or account.equity < case.options.min_margin_equity
    ):
        return case.refuse("short_not_allowed")
    if asset.borrow_status == "hard_to_borrow" and asset.is_located:
        if request.time_in_force != "day":
            return case.refuse("hard_to_borrow_time_in_force", symbol=request.symbol)
        return None
    if not asset.is_shortable or asset.borrow_status != "easy_to_borrow":
        return case.refuse("asset_not_shortable", symbol=request.symbol)
    return None


def check_opposite_opening(case: Case) -> Refusal | None:
    """Refuse opening one side while an order that opens the other is working.

    Alpaca holds no long and short at once in one asset. Against a position, orders of the other
    side are exits, so only a flat account is concerned.
    """
    if case.request.asset_class != "us_equity" or case.held != 0:
        return None
    if case.request.side == "sell" and case.orders_on_symbol("buy"):
        return case.refuse("short_while_buying")
    if case.request.side == "buy" and case.orders_on_symbol("sell"):
        return case.refuse("long_while_shorting")
    return None


def check_intent(case: Case) -> Refusal | None:
    """Refuse a stated intent that is not what the order would do to the position."""
    request = case.request
    if request.position_intent is None or request.asset_class == "crypto":
        return None
    inferred = f"{request.side}_to_{'close' if case.is_closing else 'open'}"
    if request.position_intent == inferred:
        return None
    return case.refuse("position_intent", inferred=inferred, specified=request.position_intent)


def check_day_trading(case: Case) -> Refusal | None:
    """Refuse the day trade too many of a small account, before the rule was abolished.

    Off unless asked for: FINRA's intraday-margin rules replaced it on 2026-06-04.
    """
    options, account, position = case.options, case.account, case.position
    if not options.checks_day_trading or case.request.is_crypto:
        return None
    if new_york(case.ts).date() >= options.day_trading_until:
        return None
    closes_today = case.is_closing and position is not None and position.was_opened_today
    if (
        closes_today
        and account.equity < options.day_trading_equity
        and account.day_trade_count >= options.day_trades_max
    ):
        return case.refuse("pattern_day_trading")
    return None
