"""Candlestick patterns of three bars with a star: a short body between two others."""

from typing import final

from pyrt.indicators.candles import Deep, Pattern

@final
class CDLABANDONEDBABY(Deep): ...

@final
class CDLEVENINGDOJISTAR(Deep): ...

@final
class CDLEVENINGSTAR(Deep): ...

@final
class CDLMORNINGDOJISTAR(Deep): ...

@final
class CDLMORNINGSTAR(Deep): ...

@final
class CDLTRISTAR(Pattern): ...
