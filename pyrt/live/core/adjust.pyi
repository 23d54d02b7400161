"""A change of what a strategy holds that no fill made: a split, a bust, a correction."""

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
) -> Position: ...
