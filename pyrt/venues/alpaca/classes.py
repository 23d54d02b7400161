"""Bracket, OCO and OTO orders: which legs they need, when they are taken, how far prices lie."""

from __future__ import annotations

from decimal import Decimal

from pyrt.venues.alpaca.case import Case
from pyrt.venues.alpaca.refusals import Refusal

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
    """Refuse legs on the wrong side of the base price, or closer to it than the distance."""
    request = case.request
    base = base_price(case)
    if not request.is_complex or base is None:
        return None
    # The legs of a buy entry sell, and the legs of an OCO stand on the OCO's own side.
    legs_sell = (request.side == "buy") != (request.order_class == "oco")
    gap = case.options.leg_distance
    up, down = (">=", f"base_price + {gap}"), ("<=", f"base_price - {gap}")
    profit, loss = (up, down) if legs_sell else (down, up)
    target, stop = request.take_profit_limit, request.stop_loss_stop
    if (
        request.order_class != "oco"
        and target is not None
        and not _reaches(target, base, profit, gap)
    ):
        return case.refuse("take_profit_distance", relation=profit[0], distance=profit[1])
    if stop is not None and not _reaches(stop, base, loss, gap):
        return case.refuse("stop_loss_distance", relation=loss[0], distance=loss[1])
    return None


def _reaches(price: Decimal, base: Decimal, bound: tuple[str, str], gap: Decimal) -> bool:
    return price >= base + gap if bound[0] == ">=" else price <= base - gap
