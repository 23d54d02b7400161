"""Changes of what strategies hold that no fill made: splits, busts, prices stated by a broker."""

from typing import Any

from pyrt.core.positions import Position
from pyrt.kernel.kernel import Kernel

def adjust_position(
    kernel: Kernel,
    strategy: str,
    symbol: str,
    quantity: Any,
    amount: Any,
    *,
    is_split: bool = False,
    restates: bool = True,
) -> Position: ...
def mark_holding(kernel: Kernel, symbol: str, price: Any) -> None: ...
