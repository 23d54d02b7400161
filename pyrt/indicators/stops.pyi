"""Lines that trail the price: parabolic SAR, SuperTrend, Chande and Kroll's stops."""

from typing import final

from pyrt.indicators.base import HighLow, HighLowClose

@final
class SAR(HighLow):
    def __init__(self, acceleration: float = 0.02, maximum: float = 0.2) -> None: ...

@final
class SAREXT(HighLow):
    def __init__(
        self,
        startvalue: float = 0.0,
        offsetonreverse: float = 0.0,
        accelerationinitlong: float = 0.02,
        accelerationlong: float = 0.02,
        accelerationmaxlong: float = 0.2,
        accelerationinitshort: float = 0.02,
        accelerationshort: float = 0.02,
        accelerationmaxshort: float = 0.2,
    ) -> None: ...

@final
class SUPERTREND(HighLowClose):
    def __init__(self, timeperiod: int = 10, multiplier: float = 3.0) -> None: ...
    @property
    def supertrend(self) -> float: ...
    @property
    def trend(self) -> float: ...

@final
class CKSTOP(HighLowClose):
    def __init__(
        self, atrperiod: int = 10, multiplier: float = 1.0, stopperiod: int = 9
    ) -> None: ...
    @property
    def longstop(self) -> float: ...
    @property
    def shortstop(self) -> float: ...
