from typing import final

from typing_extensions import disjoint_base

from pyrt.data.aggregation import Aggregator

@disjoint_base
class ActivityBars(Aggregator): ...

@disjoint_base
class ThresholdBars(ActivityBars):
    @property
    def threshold(self) -> float: ...

@final
class TickBars(ThresholdBars):
    def __init__(self, ticks: int, *, quote_price: str = "mid") -> None: ...

@final
class VolumeBars(ThresholdBars):
    def __init__(self, volume: float) -> None: ...

@final
class ValueBars(ThresholdBars):
    def __init__(self, value: float) -> None: ...

@disjoint_base
class SignedBars(ActivityBars):
    def __init__(
        self,
        measure: str,
        expected_ticks: int,
        *,
        span: int = 20,
        ticks_min: int | None = None,
        ticks_max: int | None = None,
        quote_price: str = "mid",
    ) -> None: ...
    @property
    def measure(self) -> str: ...
    @property
    def ticks_min(self) -> int: ...
    @property
    def ticks_max(self) -> int: ...
    @property
    def expected_ticks(self) -> float: ...

@final
class ImbalanceBars(SignedBars):
    @property
    def imbalance(self) -> float: ...
    @property
    def expected_imbalance(self) -> float: ...

@final
class RunsBars(SignedBars):
    @property
    def bought(self) -> float: ...
    @property
    def sold(self) -> float: ...
    @property
    def expected_bought(self) -> float: ...
    @property
    def expected_sold(self) -> float: ...
