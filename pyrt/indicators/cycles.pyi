"""Ehlers' cycle indicators: dominant period and phase, sine wave, trend line and trend mode."""

from typing import Any, final

from pyrt.indicators.base import Series

@final
class MAMA(Series):
    def __init__(self, fastlimit: float = 0.5, slowlimit: float = 0.05) -> None: ...
    @property
    def mama(self) -> float: ...
    @property
    def fama(self) -> float: ...

@final
class HT_DCPERIOD(Series):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class HT_PHASOR(Series):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @property
    def inphase(self) -> float: ...
    @property
    def quadrature(self) -> float: ...

@final
class HT_DCPHASE(Series):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class HT_SINE(Series):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
    @property
    def sine(self) -> float: ...
    @property
    def leadsine(self) -> float: ...

@final
class HT_TRENDLINE(Series):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

@final
class HT_TRENDMODE(Series):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...
