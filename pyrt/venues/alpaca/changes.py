"""Which orders Alpaca replaces and cancels, and which positions it closes on request."""

from __future__ import annotations

from dataclasses import replace as with_fields
from decimal import Decimal

from pyrt.venues.alpaca.case import Case, refuse
from pyrt.venues.alpaca.eligibility import check_type
from pyrt.venues.alpaca.facts import (
    TERMINAL_STATUSES,
    OpenOrder,
    OrderRequest,
    PositionFacts,
    ReplaceRequest,
    is_whole,
)
from pyrt.venues.alpaca.funds import as_request, check_buying_power, order_value
from pyrt.venues.alpaca.hours import check_extended_hours
from pyrt.venues.alpaca.options import AlpacaOptions
from pyrt.venues.alpaca.prices import check_increments, check_stop_side
from pyrt.venues.alpaca.refusals import Refusal, number_text
from pyrt.venues.alpaca.shape import check_client_order_id, check_prices_fit_type, check_quantity
from pyrt.venues.alpaca.shares import check_available, check_crypto_balance
from pyrt.venues.extended_hours import Phase

__all__ = ["cancel_check", "close_check", "replace_check", "replaced"]

_UNCHANGEABLE = TERMINAL_STATUSES | {"held", "done_for_day", "calculated", "stopped", "suspended"}
_NOT_SENT = frozenset({"accepted", "pending_new", "pending_cancel", "pending_replace"})
_TAKES_LIMIT = frozenset({"limit", "stop_limit"})
_TAKES_STOP = frozenset({"stop", "stop_limit"})


def replaced(order: OpenOrder, change: ReplaceRequest) -> OpenOrder:
    """Return the order as it would be after the change, filled units kept."""
    fields: dict[str, object] = {
        name: getattr(change, name) for name in change.changes if name != "trail"
    }
    if change.trail is not None:
        by_percent = order.trail_percent is not None
        fields["trail_percent" if by_percent else "trail_price"] = change.trail
    return with_fields(order, **fields)  # type: ignore[arg-type]


def replace_check(case: Case, order: OpenOrder, change: ReplaceRequest) -> Refusal | None:
    """Refuse a replacement; `case.request` is the order as it would be made anew (`as_request`).

    Parameters
    ----------
    case : Case
        With the new order as request, and open orders that no longer contain the old one.
    order : OpenOrder
        The order to replace.
    change : ReplaceRequest
        What to change.
    """
    return (
        _check_state(case, order)
        or _check_parameters(case, order, change)
        or _check_new_order(case)
        or _check_extra_funds(case, order)
    )


def _check_state(case: Case, order: OpenOrder) -> Refusal | None:
    if order.status in _UNCHANGEABLE:
        return case.refuse("replace_state", status=order.status)
    if order.status in _NOT_SENT:
        return case.refuse("replace_not_sent")
    if order.asset_class == "crypto" or case.options.replaces_when_closed:
        return None
    # While nothing trades, an order is not at an exchange, whatever its status says.
    is_trading = case.market.is_open or (
        order.extended_hours and case.market.phase is not Phase.CLOSED
    )
    return None if is_trading else case.refuse("replace_not_sent")


def _check_parameters(case: Case, order: OpenOrder, change: ReplaceRequest) -> Refusal | None:
    if order.notional is not None:
        return case.refuse("replace_notional")
    for parameter, is_taken in (
        ("limit_price", order.type in _TAKES_LIMIT),
        ("stop_price", order.type in _TAKES_STOP),
        ("trail", order.type == "trailing_stop"),
    ):
        if getattr(change, parameter) is not None and not is_taken:
            return case.refuse("replace_parameter", parameter=parameter, type=order.type)
    if change.client_order_id is None and replaced(order, change) == order:
        return case.refuse("replace_unchanged")
    return _check_new_quantity(case, order, change)


def _check_new_quantity(case: Case, order: OpenOrder, change: ReplaceRequest) -> Refusal | None:
    quantity = change.quantity
    if quantity is None or quantity == order.quantity:
        return None
    if order.asset_class != "crypto":
        if not is_whole(quantity):
            return case.refuse("replace_whole_quantity")
        if order.quantity is not None and not is_whole(order.quantity):
            return case.refuse("replace_fractional_quantity")
    if quantity <= order.filled_quantity:
        return case.refuse("replace_filled", filled=number_text(order.filled_quantity))
    return None


def _check_new_order(case: Case) -> Refusal | None:
    return (
        check_quantity(case)
        or check_prices_fit_type(case)
        or check_client_order_id(case)
        or check_type(case)
        or check_increments(case)
        or check_stop_side(case)
        or check_extended_hours(case)
        or check_available(case)
    )


def _check_extra_funds(case: Case, order: OpenOrder) -> Refusal | None:
    # Alpaca keeps the larger of the two reserved; the old one already is, so its value counts
    # as available to the new one.
    old = order_value(as_request(order), case.market, case.options) or Decimal(0)
    account = with_fields(
        case.account,
        buying_power=case.account.buying_power + old,
        non_marginable_buying_power=case.account.non_marginable_buying_power + old,
    )
    richer = with_fields(case, account=account)
    return check_buying_power(richer) or check_crypto_balance(richer)


def cancel_check(order: OpenOrder, options: AlpacaOptions) -> Refusal | None:
    """Refuse canceling what is final, being replaced, or one leg of a multi-leg order.

    An order whose cancel is pending may be canceled again: nothing changes.
    """
    if order.is_leg and order.order_class == "mleg":
        return refuse(options, "cancel_leg")
    if order.status == "canceled" and options.cancels_of_canceled == "accept":
        return None
    if order.status in TERMINAL_STATUSES or order.status == "pending_replace":
        return refuse(options, "cancel_state", status=order.status)
    return None


def close_check(
    position: PositionFacts | None, options: AlpacaOptions, *, percentage: Decimal | None = None
) -> Refusal | None:
    """Refuse closing a position that is not there, or a percentage outside (0, 100].

    What passes becomes a market order in the other direction, which `AlpacaRules.check` judges:
    units that other orders hold are not free.
    """
    if position is None or position.quantity == 0:
        return refuse(options, "position_not_found")
    if percentage is not None and not 0 < percentage <= 100:
        return refuse(options, "percentage_range")
    return None


def new_order_request(order: OpenOrder, change: ReplaceRequest) -> OrderRequest:
    """Return the request that the replacement amounts to: the new order's unfilled rest."""
    return with_fields(as_request(replaced(order, change)), client_order_id=change.client_order_id)
