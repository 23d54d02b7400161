"""Candlestick patterns of two bars."""

from typing import final

from pyrt.indicators.candles import Deep, Pattern

@final
class CDLCOUNTERATTACK(Pattern): ...

@final
class CDLDARKCLOUDCOVER(Deep): ...

@final
class CDLDOJISTAR(Pattern): ...

@final
class CDLENGULFING(Pattern): ...

@final
class CDLHARAMI(Pattern): ...

@final
class CDLHARAMICROSS(Pattern): ...

@final
class CDLHOMINGPIGEON(Pattern): ...

@final
class CDLINNECK(Pattern): ...

@final
class CDLONNECK(Pattern): ...

@final
class CDLTHRUSTING(Pattern): ...

@final
class CDLKICKING(Pattern): ...

@final
class CDLKICKINGBYLENGTH(Pattern): ...

@final
class CDLMATCHINGLOW(Pattern): ...

@final
class CDLPIERCING(Pattern): ...

@final
class CDLSEPARATINGLINES(Pattern): ...
