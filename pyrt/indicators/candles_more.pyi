"""Candlestick patterns of four and five bars, and the hikkake, which looks ahead of itself."""

from typing import final

from pyrt.indicators.candles import Deep, Pattern

@final
class CDL3BLACKCROWS(Pattern): ...

@final
class CDL3LINESTRIKE(Pattern): ...

@final
class CDLBREAKAWAY(Pattern): ...

@final
class CDLCONCEALBABYSWALL(Pattern): ...

@final
class CDLLADDERBOTTOM(Pattern): ...

@final
class CDLMATHOLD(Deep): ...

@final
class CDLRISEFALL3METHODS(Pattern): ...

@final
class CDLHIKKAKE(Pattern): ...

@final
class CDLHIKKAKEMOD(Pattern): ...
