"""Candlestick patterns of three bars."""

from typing import final

from pyrt.indicators.candles import Pattern

@final
class CDL2CROWS(Pattern): ...

@final
class CDL3INSIDE(Pattern): ...

@final
class CDL3OUTSIDE(Pattern): ...

@final
class CDL3STARSINSOUTH(Pattern): ...

@final
class CDL3WHITESOLDIERS(Pattern): ...

@final
class CDLADVANCEBLOCK(Pattern): ...

@final
class CDLIDENTICAL3CROWS(Pattern): ...

@final
class CDLSTALLEDPATTERN(Pattern): ...

@final
class CDLSTICKSANDWICH(Pattern): ...

@final
class CDLUNIQUE3RIVER(Pattern): ...
