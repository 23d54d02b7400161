"""Candlestick patterns of three bars around a gap."""

from typing import final

from pyrt.indicators.candles import Pattern

@final
class CDLGAPSIDESIDEWHITE(Pattern): ...

@final
class CDLTASUKIGAP(Pattern): ...

@final
class CDLUPSIDEGAP2CROWS(Pattern): ...

@final
class CDLXSIDEGAP3METHODS(Pattern): ...
