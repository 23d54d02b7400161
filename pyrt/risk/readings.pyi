"""Portfolio risk as last computed, in the units in which limits compare."""

from typing import Any, final

@final
class Readings:
    @property
    def ts(self) -> int: ...
    @property
    def betas(self) -> dict[str, float]: ...
    @property
    def values(self) -> dict[str, float]: ...
    def __init__(self) -> None: ...
    def take(
        self,
        ts: int,
        *,
        value_at_risk: float = 0.0,
        expected_shortfall: float = 0.0,
        volatility: float = 0.0,
        correlation: float = 0.0,
        beta_exposure: float = 0.0,
        betas: dict[str, float] | None = None,
    ) -> None: ...
    def save(self) -> dict[str, Any] | None: ...
    def restore(self, saved: dict[str, Any] | None) -> None: ...
