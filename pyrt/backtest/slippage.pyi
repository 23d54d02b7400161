"""Slippage: how much worse than the reference price an order that takes liquidity fills."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

NAMES: tuple[str, ...]

class Slippage:
    @property
    def model(self) -> Callable[..., float] | None: ...
    def __init__(
        self,
        *,
        ticks: int = 0,
        tick: float | str | Decimal = 0,
        bps: float | str | Decimal = 0,
        range: float | str | Decimal = 0,
        sqrt: float | str | Decimal = 0,
        linear: float | str | Decimal = 0,
        volume_share: float | str | Decimal = 0,
        model: Callable[..., float] | None = None,
    ) -> None: ...

def slippage_model(value: Any) -> Slippage: ...
