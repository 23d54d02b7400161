"""Rolling variance, correlation, regression and order statistics."""

from typing import final

from typing_extensions import disjoint_base

from pyrt.indicators.base import HighLow, Series

@final
class STDDEV(Series):
    def __init__(self, timeperiod: int = 5, nbdev: float = 1.0) -> None: ...

@final
class VAR(Series):
    def __init__(self, timeperiod: int = 5, nbdev: float = 1.0) -> None: ...

@final
class AVGDEV(Series):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class CORREL(HighLow):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class BETA(HighLow):
    def __init__(self, timeperiod: int = 5) -> None: ...

@disjoint_base
class Regression(Series):
    def __init__(self, timeperiod: int = 14) -> None: ...

@final
class LINEARREG(Regression): ...

@final
class LINEARREG_SLOPE(Regression): ...

@final
class LINEARREG_ANGLE(Regression): ...

@final
class LINEARREG_INTERCEPT(Regression): ...

@final
class TSF(Regression): ...

@final
class FOSC(Series):
    def __init__(self, timeperiod: int = 5) -> None: ...

@final
class PERCENTILE(Series):
    def __init__(self, timeperiod: int = 30, percentile: float = 50.0) -> None: ...

@final
class PERCENTRANK(Series):
    def __init__(self, timeperiod: int = 100) -> None: ...
