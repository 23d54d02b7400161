"""Rolling shape, quantiles and joint movement: skewness, kurtosis, covariance, regression."""

from typing import final

from pyrt.indicators.base import HighLow, Series

@final
class SKEW(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class KURT(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class QUANTILE(Series):
    def __init__(self, timeperiod: int = 30, q: float = 0.5) -> None: ...

@final
class COV(HighLow):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class REGRESSION(HighLow):
    def __init__(self, timeperiod: int = 30) -> None: ...
    @property
    def slope(self) -> float: ...
    @property
    def intercept(self) -> float: ...
    @property
    def rsquared(self) -> float: ...
    @property
    def residual(self) -> float: ...

@final
class LINEARREG_R2(Series):
    def __init__(self, timeperiod: int = 14) -> None: ...

class Fading(HighLow): ...

@final
class EWMCOV(Fading):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class EWMVAR(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...
