"""Moving averages with fixed weights: simple, weighted, exponential and what is built of them."""

from typing import final

from pyrt.indicators.base import CloseVolume, Series

@final
class SMA(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class EMA(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class WMA(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class RMA(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class DEMA(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class TEMA(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class T3(Series):
    def __init__(self, timeperiod: int = 5, vfactor: float = 0.7) -> None: ...

@final
class TRIMA(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class ZLEMA(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class HMA(Series):
    def __init__(self, timeperiod: int = 20) -> None: ...

@final
class VWMA(CloseVolume):
    def __init__(self, timeperiod: int = 30) -> None: ...
