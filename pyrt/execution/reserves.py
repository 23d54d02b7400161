"""What our own working orders will cost: buying power that is spoken for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyrt.kernel.kernel import Kernel


def reserved(kernel: Kernel) -> Decimal:
    """Return what the kernel's working orders reserve, in base currency.

    Exits held for an entry reserve nothing, nor do orders that only reduce.
    """
    total = Decimal(0)
    for order in kernel.cache.orders_open():
        if order.parent is not None or order.reduce_only or order.status == "INITIALIZED":
            continue
        if order.notional is not None:
            total += Decimal(str(order.notional))
            continue
        total += kernel.account.reserves(
            order.instrument,
            int(order.side) * (order.quantity_exact - order.filled_quantity_exact),
            limit_price=order.limit_price,
            stop_price=order.stop_price,
        )
    return total
