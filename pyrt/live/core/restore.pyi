"""Orders and positions to plain values and back into a kernel, bit for bit."""

from collections.abc import Sequence

from pyrt.core.orders import Order
from pyrt.core.positions import Position
from pyrt.kernel.kernel import Kernel
from pyrt.live.journal.records import OrderState, PositionState

def order_state(
    order: Order,
    *,
    venue_order_id: str = "",
    venue_filled: str = "",
    venue_cost: str = "",
) -> OrderState: ...
def position_of(order: Order) -> Position: ...
def position_state(position: Position, strategy: str) -> PositionState: ...
def restore_positions(kernel: Kernel, states: Sequence[PositionState]) -> None: ...
def restore_orders(kernel: Kernel, states: Sequence[OrderState]) -> list[Order]: ...
