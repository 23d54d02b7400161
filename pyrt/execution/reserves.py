"""What our own working orders will cost: buying power that is spoken for."""

from __future__ import annotations

from decimal import Decimal
from math import isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyrt.core.instruments import Instrument
    from pyrt.kernel.kernel import Kernel


def reserved(kernel: Kernel) -> Decimal:
    """Return what the kernel's working orders reserve, in base currency.

    Exits held for an entry reserve nothing, nor do orders that only reduce.
    """
    total = Decimal(0)
    for order in kernel.cache.orders_open():
        if order.parent is not None or order.reduce_only or order.status == "INITIALIZED":
            continue
        side = int(order.side)
        last = _last_price(kernel, order.instrument)
        if order.notional_exact is not None and order.quantity_exact == 0:
            total += kernel.account.reserves_value(
                order.instrument, side * order.notional_exact, last_price=last
            )
            continue
        total += kernel.account.reserves(
            order.instrument,
            side * (order.quantity_exact - order.filled_quantity_exact),
            limit_price=order.limit_price,
            stop_price=order.stop_price,
            last_price=last,
        )
    return total


def _last_price(kernel: Kernel, instrument: Instrument) -> float | None:
    """Return the last price; the account itself may have none of what is not held."""
    for position in kernel.cache.positions_in(instrument):
        if not isnan(position.last_price):
            return position.last_price
    return None
