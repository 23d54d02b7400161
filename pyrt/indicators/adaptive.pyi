"""Moving averages whose weight follows the market."""

from typing import final

from pyrt.indicators.base import Series

@final
class KAMA(Series):
    def __init__(self, timeperiod: int = 30) -> None: ...

@final
class VIDYA(Series):
    def __init__(self, timeperiod: int = 14) -> None: ...
