"""Whether there is a trend, which way, and where it last turned."""

from typing import final

from pyrt.indicators.base import HighLow, HighLowClose, Series

@final
class CHOP(HighLowClose):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class PSL(Series):
    def __init__(self, timeperiod: int = 12) -> None: ...

@final
class BIAS(Series):
    def __init__(self, timeperiod: int = 26) -> None: ...

@final
class AMAT(Series):
    def __init__(
        self, fastperiod: int = 8, slowperiod: int = 21, signalperiod: int = 2
    ) -> None: ...
    @property
    def longrun(self) -> float: ...
    @property
    def shortrun(self) -> float: ...

@final
class SWINGS(HighLow):
    def __init__(self, timeperiod: int = 10) -> None: ...
    @property
    def direction(self) -> float: ...
    @property
    def swinghigh(self) -> float: ...
    @property
    def swinglow(self) -> float: ...
    @property
    def length(self) -> float: ...
    @property
    def duration(self) -> float: ...
