"""Checks on the request alone: which fields an order of each type has, and that they are numbers
an order can have."""

from __future__ import annotations

from decimal import Decimal

from pyrt.venues.alpaca.case import Case
from pyrt.venues.alpaca.refusals import Refusal

__all__ = ["check_client_order_id", "check_fields", "check_prices_fit_type", "check_quantity"]

ORDER_TYPES = frozenset({"market", "limit", "stop", "stop_limit", "trailing_stop"})
TIMES_IN_FORCE = frozenset({"day", "gtc", "opg", "cls", "ioc", "fok"})
ORDER_CLASSES = frozenset({"", "simple", "bracket", "oco", "oto", "mleg"})
DECIMALS_MAX = 9
CLIENT_ORDER_ID_MAX = 128
TRAIL_PERCENT_MIN = Decimal("0.1")


def check_fields(case: Case) -> Refusal | None:
    """Refuse words that are not in the vocabulary."""
    request = case.request
    # A multi-leg order has its symbols and sides in its legs.
    is_multileg = request.order_class == "mleg"
    if not request.symbol and not is_multileg:
        return case.refuse("symbol_required")
    if request.side not in ("buy", "sell") and not is_multileg:
        return case.refuse("invalid_side")
    if request.type not in ORDER_TYPES:
        return case.refuse("invalid_order_type")
    if request.time_in_force not in TIMES_IN_FORCE:
        return case.refuse("invalid_time_in_force")
    if request.order_class not in ORDER_CLASSES:
        return case.refuse("invalid_order_class")
    return None


def check_quantity(case: Case) -> Refusal | None:
    """Refuse both or neither of qty and notional, and amounts not positive.

    Alpaca cuts what exceeds nine decimals; the option makes a refusal of it.
    """
    quantity, notional = case.request.quantity, case.request.notional
    if quantity is None and notional is None:
        return case.refuse("quantity_required")
    if quantity is not None and notional is not None:
        return case.refuse("quantity_exclusive")
    field, amount = ("qty", quantity) if quantity is not None else ("notional", notional)
    assert amount is not None
    if amount <= 0:
        return case.refuse("quantity_not_positive", field=field)
    if case.options.refuses_excess_decimals and decimals(amount) > DECIMALS_MAX:
        return case.refuse("too_many_decimals", field=field)
    return None


def decimals(value: Decimal) -> int:
    """Return the number of decimals a value needs, trailing zeros apart."""
    exponent = value.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


def check_prices_fit_type(case: Case) -> Refusal | None:
    """Refuse prices that the order's type lacks or does not take."""
    request = case.request
    if request.type != "trailing_stop" and (
        request.trail_price is not None or request.trail_percent is not None
    ):
        return case.refuse("trail_only_for_trailing")
    return _not_positive(case) or _PRICE_RULES[request.type](case)


def _not_positive(case: Case) -> Refusal | None:
    request = case.request
    named = (
        ("limit", request.limit_price),
        ("stop", request.stop_price),
        ("trail", request.trail_price),
        ("trail_percent", request.trail_percent),
        ("take_profit.limit", request.take_profit_limit),
        ("stop_loss.stop", request.stop_loss_stop),
        ("stop_loss.limit", request.stop_loss_limit),
    )
    for field, price in named:
        if price is not None and price <= 0:
            return case.refuse("price_not_positive", field=field)
    return None


def _market(case: Case) -> Refusal | None:
    request = case.request
    if request.limit_price is not None or request.stop_price is not None:
        return case.refuse("market_takes_no_price")
    return None


def _limit(case: Case) -> Refusal | None:
    request = case.request
    # The parent of an OCO is its take-profit, whose price may be given there instead.
    if request.limit_price is None and not (
        request.order_class == "oco" and request.take_profit_limit is not None
    ):
        return case.refuse("limit_needs_price")
    if request.stop_price is not None:
        return case.refuse("limit_takes_no_stop")
    return None


def _stop(case: Case) -> Refusal | None:
    request = case.request
    if request.stop_price is None:
        return case.refuse("stop_needs_price")
    if request.limit_price is not None:
        return case.refuse("stop_takes_no_limit")
    return None


def _stop_limit(case: Case) -> Refusal | None:
    request = case.request
    if request.stop_price is None or request.limit_price is None:
        return case.refuse("stop_limit_needs_prices")
    return None


def _trailing_stop(case: Case) -> Refusal | None:
    request = case.request
    if (request.trail_price is None) == (request.trail_percent is None):
        return case.refuse("trail_needs_one")
    if request.trail_percent is not None and request.trail_percent < TRAIL_PERCENT_MIN:
        return case.refuse("trail_percent_min")
    if request.limit_price is not None or request.stop_price is not None:
        return case.refuse("trail_takes_no_price")
    return None


_PRICE_RULES = {
    "market": _market,
    "limit": _limit,
    "stop": _stop,
    "stop_limit": _stop_limit,
    "trailing_stop": _trailing_stop,
}


def check_client_order_id(case: Case) -> Refusal | None:
    """Refuse an id that is too long or taken; any characters are accepted."""
    identifier = case.request.client_order_id
    if not identifier:
        return None
    if len(identifier) > CLIENT_ORDER_ID_MAX:
        return case.refuse("client_order_id_too_long")
    if is_taken(case, identifier):
        return case.refuse("client_order_id_used")
    return None


def is_taken(case: Case, identifier: str) -> bool:
    """Tell whether a client order id counts as used under the chosen horizon."""
    if any(order.client_order_id == identifier for order in case.open_orders):
        return True
    forever = case.options.client_order_id_horizon == "forever"
    return forever and identifier in case.used_client_order_ids
