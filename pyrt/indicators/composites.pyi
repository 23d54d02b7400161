"""Oscillators put together of several others: Connors, Pring, Klinger, Fisher, the squeeze."""

from typing import final

from pyrt.indicators.base import HighLow, HighLowClose, HighLowCloseVolume, Series

@final
class CRSI(Series):
    def __init__(
        self, rsiperiod: int = 3, streakperiod: int = 2, rankperiod: int = 100
    ) -> None: ...

@final
class KST(Series):
    def __init__(
        self,
        roc1: int = 10,
        roc2: int = 15,
        roc3: int = 20,
        roc4: int = 30,
        sma1: int = 10,
        sma2: int = 10,
        sma3: int = 10,
        sma4: int = 15,
        signalperiod: int = 9,
    ) -> None: ...
    @property
    def kst(self) -> float: ...
    @property
    def kstsignal(self) -> float: ...

@final
class FISHER(HighLow):
    def __init__(self, timeperiod: int = 9) -> None: ...
    @property
    def fisher(self) -> float: ...
    @property
    def fishersignal(self) -> float: ...

@final
class SQUEEZE(HighLowClose):
    def __init__(
        self, timeperiod: int = 20, nbdev: float = 2.0, multiplier: float = 1.5
    ) -> None: ...
    @property
    def momentum(self) -> float: ...
    @property
    def squeeze(self) -> float: ...

@final
class KVO(HighLowCloseVolume):
    def __init__(
        self, fastperiod: int = 34, slowperiod: int = 55, signalperiod: int = 13
    ) -> None: ...
    @property
    def kvo(self) -> float: ...
    @property
    def kvosignal(self) -> float: ...

@final
class PRESSURE(HighLowCloseVolume):
    def __init__(self, timeperiod: int = 14) -> None: ...
    @property
    def pressure(self) -> float: ...
    @property
    def cumulative(self) -> float: ...
