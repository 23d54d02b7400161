"""Bracket, OCO and OTO orders: which legs they need, when they are taken, how far prices lie."""

from __future__ import annotations

from decimal import Decimal

from pyrt.venues.alpaca.case import Case
from pyrt.venues.alpaca.refusals import Refusal, number_text

__all__ = ["base_price", "check_class", "check_leg_distances"]


def check_class(case: Case) -> Refusal | None:
    """Refuse a group that lacks a leg, cannot rest, or stands on the wrong side of a position."""
    request = case.request
    if not request.is_complex:
        return None
    if request.type == "trailing_stop" and request.order_class != "bracket":
        return case.refuse("trailing_class")
    refusal = _CLASS_RULES[request.order_class](case)
    if refusal is not None:
        return refusal
    if request.time_in_force not in ("day", "gtc"):
        return case.refuse("complex_time_in_force", order_class=request.order_class)
    if request.extended_hours:
        return case.refuse("complex_extended_hours", order_class=request.order_class)
    return None


def _bracket(case: Case) -> Refusal | None:
    request = case.request
    if request.type == "trailing_stop":
        return case.refuse("bracket_entry_type")
    if request.take_profit_limit is None:
        return case.refuse("bracket_needs_take_profit")
    if request.stop_loss_stop is None:
        return case.refuse("bracket_needs_stop_loss")
    return case.refuse("bracket_entry") if case.is_closing else None


def _oto(case: Case) -> Refusal | None:
    request = case.request
    if (request.take_profit_limit is None) == (request.stop_loss_stop is None):
        return case.refuse("oto_one_leg")
    return case.refuse("oto_entry") if case.is_closing else None


def _oco(case: Case) -> Refusal | None:
    request = case.request
    if request.type != "limit":
        return case.refuse("oco_type")
    if oco_take_profit(case) is None or request.stop_loss_stop is None:
        return case.refuse("oco_needs_prices")
    return None if case.is_closing else case.refuse("oco_exit")


_CLASS_RULES = {"bracket": _bracket, "oto": _oto, "oco": _oco}


def oco_take_profit(case: Case) -> Decimal | None:
    """Return the take-profit price of an OCO: its leg's, or the limit of the order itself."""
    request = case.request
    return request.limit_price if request.take_profit_limit is None else request.take_profit_limit


def base_price(case: Case) -> Decimal | None:
    """Return the price that leg distances are measured from; None where it is not known.

    The entry's limit, else its stop; the take-profit of an OCO; the current price of a market
    entry.
    """
    request = case.request
    if request.order_class == "oco":
        return oco_take_profit(case)
    if request.limit_price is not None:
        return request.limit_price
    if request.stop_price is not None:
        return request.stop_price
    return case.market.current_price


def check_leg_distances(case: Case) -> Refusal | None:
    """Refuse legs that cross, or lie on the wrong side of the base price or too close to it."""
    request = case.request
    if not request.is_complex:
        return None
    # The legs of a buy entry sell, and the legs of an OCO stand on the OCO's own side.
    legs_sell = (request.side == "buy") != (request.order_class == "oco")
    if request.order_class == "bracket" and _legs_cross(case, legs_sell=legs_sell):
        return case.refuse("legs_crossed", relation=">" if legs_sell else "<")
    base = base_price(case)
    if base is None:
        return None
    # The target of an OCO is its base price.
    target = None if request.order_class == "oco" else request.take_profit_limit
    return _check_distance(
        case, "take_profit_distance", target, base, is_above=legs_sell
    ) or _check_distance(
        case, "stop_loss_distance", request.stop_loss_stop, base, is_above=not legs_sell
    )


def _legs_cross(case: Case, *, legs_sell: bool) -> bool:
    target, stop = case.request.take_profit_limit, case.request.stop_loss_stop
    assert target is not None
    assert stop is not None
    return target <= stop if legs_sell else target >= stop


def _check_distance(
    case: Case, rule: str, price: Decimal | None, base: Decimal, *, is_above: bool
) -> Refusal | None:
    gap = case.options.leg_distance
    if price is None or (price >= base + gap if is_above else price <= base - gap):
        return None
    relation, sign = (">=", "+") if is_above else ("<=", "-")
    return case.refuse(
        rule,
        extra={"base_price": number_text(base)},
        relation=relation,
        distance=f"base_price {sign} {gap}",
    )
