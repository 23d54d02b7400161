"""Differences of two moving averages, and what is smoothed of them."""

from typing import final

from typing_extensions import disjoint_base

from pyrt.indicators.base import HighLow, OpenClose, Series

@disjoint_base
class Convergence(Series):
    @property
    def macd(self) -> float: ...
    @property
    def macdsignal(self) -> float: ...
    @property
    def macdhist(self) -> float: ...

@final
class MACD(Convergence):
    def __init__(
        self, fastperiod: int = 12, slowperiod: int = 26, signalperiod: int = 9
    ) -> None: ...

@final
class MACDFIX(Convergence):
    def __init__(self, signalperiod: int = 9) -> None: ...

@disjoint_base
class Pair(Series): ...

@final
class MACDEXT(Pair):
    def __init__(
        self,
        fastperiod: int = 12,
        fastmatype: int = 0,
        slowperiod: int = 26,
        slowmatype: int = 0,
        signalperiod: int = 9,
        signalmatype: int = 0,
    ) -> None: ...
    @property
    def macd(self) -> float: ...
    @property
    def macdsignal(self) -> float: ...
    @property
    def macdhist(self) -> float: ...

@final
class APO(Pair):
    def __init__(self, fastperiod: int = 12, slowperiod: int = 26, matype: int = 1) -> None: ...

class Percentage(Pair):
    def __init__(self, fastperiod: int = 12, slowperiod: int = 26, matype: int = 1) -> None: ...

@final
class PPO(Percentage): ...

@final
class PVO(Percentage): ...

@disjoint_base
class Median(HighLow): ...

@final
class AO(Median):
    def __init__(self, fastperiod: int = 5, slowperiod: int = 34) -> None: ...

@final
class AC(Median):
    def __init__(
        self, fastperiod: int = 5, slowperiod: int = 34, signalperiod: int = 5
    ) -> None: ...

@final
class QSTICK(OpenClose):
    def __init__(self, timeperiod: int = 10) -> None: ...

@final
class IMI(OpenClose):
    def __init__(self, timeperiod: int = 14) -> None: ...
