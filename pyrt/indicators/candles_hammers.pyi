"""Candlestick patterns of a short body with one long shadow, after a bar that places it."""

from typing import final

from pyrt.indicators.candles import Pattern

@final
class CDLHAMMER(Pattern): ...

@final
class CDLHANGINGMAN(Pattern): ...

@final
class CDLINVERTEDHAMMER(Pattern): ...

@final
class CDLSHOOTINGSTAR(Pattern): ...
