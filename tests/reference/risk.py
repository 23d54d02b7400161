"""The worst case of an account by looping over every order there ever was: slow and obvious."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any

from tests.reference.margin import up

FINAL = ("DENIED", "REJECTED", "FILLED", "CANCELED", "EXPIRED", "LOST")


def joint_total(order: Any, total: Decimal) -> Decimal:
    """Units that an order of so many and the other of its pair fill together.

    The other's fills have been taken off its quantity already.
    """
    return total if order.sibling is None else total + order.sibling.filled_quantity_exact


def leaves(order: Any, asked: dict[Any, Decimal], totals: dict[Any, Decimal]) -> Decimal:
    """Units that an order may still fill: by its own terms, or by a change under way."""
    return left_of(order, max(order.quantity_exact, asked.get(order, Decimal(0))), totals)


def left_of(order: Any, total: Decimal, totals: dict[Any, Decimal]) -> Decimal:
    """Units that an order may still fill if its quantity is `total`."""
    if order.status in FINAL:
        return Decimal(0)
    left = total - order.filled_quantity_exact
    if order.parent is not None:
        # An exit of an entry has no more to do than the entry has done.
        done = order.filled_quantity_exact
        if order.sibling is not None:
            done += order.sibling.filled_quantity_exact
        left = min(left, max(Decimal(0), order.parent.filled_quantity_exact - done))
    elif order.sibling is not None:
        # A pair fills its quantity once, by either member: the largest that both ever had.
        joint = joint_total(order, total) if total != order.quantity_exact else Decimal(0)
        most = max(joint, totals.get(order, total)) - order.filled_quantity_exact
        left = min(left, most - order.sibling.filled_quantity_exact)
    return max(Decimal(0), left)


def worst_case(
    orders: list[Any], held: Decimal, asked: dict[Any, Decimal], totals: dict[Any, Decimal]
) -> tuple[Decimal, Decimal]:
    """Return the largest and the smallest position that these orders of one symbol can make.

    Parameters
    ----------
    orders : list of Order
        All that left and may still fill; pairs appear with both members that may.
    held : Decimal
        Signed position now.
    asked : dict
        Order → largest total quantity of changes that were sent and not answered.
    totals : dict
        Order → largest total that it and the other of its pair were ever told to fill together.
    """
    buys, sells = pending(orders, asked, totals)
    return held + buys, held - sells


def pending(
    orders: list[Any],
    asked: dict[Any, Decimal],
    totals: dict[Any, Decimal],
    worth: Callable[[Any, Decimal], Decimal] | None = None,
) -> tuple[Decimal, Decimal]:
    """Return units that may still be bought and sold; their values where those can be told."""
    buys = sells = Decimal(0)
    counted: set[Any] = set()
    for order in orders:
        if order in counted:
            continue
        group = [order]
        other = order.sibling
        if other is not None and other.side_sign == order.side_sign and other in orders:
            group.append(other)
        counted.update(group)
        most = max(leaves(member, asked, totals) for member in group)
        if worth is not None:
            most = max((worth(o, most) for o in group if o.status not in FINAL), default=Decimal(0))
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


def price_name(order: Any) -> str | None:
    """The price among its terms that an order is valued at; None for a market order."""
    names = ("limit_price", "stop_price")
    return next((name for name in names if getattr(order, name) is not None), None)


def worst_price(order: Any, mark: Decimal, price: float | None) -> Decimal:
    """Price to value an order at: a buy's limit, else the worse of its own and the last price."""
    if price is None:
        return mark
    own = Decimal(str(price))
    return own if order.limit_price is not None and order.side_sign > 0 else max(own, mark)
