"""The worst case of an account by looping over every order there ever was: slow and obvious."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.reference.margin import up

FINAL = ("DENIED", "REJECTED", "FILLED", "CANCELED", "EXPIRED", "LOST")


def leaves(order: Any, asked: dict[Any, Decimal]) -> Decimal:
    """Units that an order may still fill: by its own terms, or by a change under way."""
    if order.status in FINAL:
        return Decimal(0)
    total = max(order.quantity_exact, asked.get(order, Decimal(0)))
    left = total - order.filled_quantity_exact
    if order.parent is not None:
        # An exit of an entry has no more to do than the entry has done.
        done = order.filled_quantity_exact
        if order.sibling is not None:
            done += order.sibling.filled_quantity_exact
        left = min(left, max(Decimal(0), order.parent.filled_quantity_exact - done))
    elif order.sibling is not None:
        # A pair fills its quantity once, by either member; none of them is resized in the tests.
        left -= order.sibling.filled_quantity_exact
    return max(Decimal(0), left)


def worst_case(
    orders: list[Any], held: Decimal, asked: dict[Any, Decimal]
) -> tuple[Decimal, Decimal]:
    """Return the largest and the smallest position that these orders of one symbol can make.

    Parameters
    ----------
    orders : list of Order
        All that ever left; pairs appear with both members.
    held : Decimal
        Signed position now.
    asked : dict
        Order → total quantity of a change that was sent and not answered.
    """
    buys, sells = pending(orders, asked, {})
    return held + buys, held - sells


def pending(
    orders: list[Any], asked: dict[Any, Decimal], prices: dict[Any, Decimal]
) -> tuple[Decimal, Decimal]:
    """Return units that may still be bought and sold; their values where prices are given."""
    buys = sells = Decimal(0)
    counted: set[Any] = set()
    for order in orders:
        if order in counted:
            continue
        group = [order]
        if order.sibling is not None and order.sibling in orders:
            group.append(order.sibling)
        counted.update(group)
        most = max(leaves(member, asked) for member in group)
        if prices:
            most *= max((prices[o] for o in group if o.status not in FINAL), default=Decimal(0))
        if order.side_sign > 0:
            buys += most
        else:
            sells += most
    return buys, sells


def opening_value(units: Fraction, value: Fraction, back: Fraction) -> Fraction:
    """Value of what is left of waiting orders once they have taken `back` units back."""
    if back <= 0:
        return value
    return Fraction(0) if units <= back else up(value * (units - back) / units)


def worst_price(order: Any, mark: Decimal) -> Decimal:
    """Price to value an order at: a buy's limit, else the worse of its own and the last price."""
    if order.limit_price is not None:
        limit = Decimal(str(order.limit_price))
        return limit if order.side_sign > 0 else max(limit, mark)
    if order.stop_price is not None:
        return max(Decimal(str(order.stop_price)), mark)
    return mark
