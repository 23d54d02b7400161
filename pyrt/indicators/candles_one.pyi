"""Candlestick patterns of one bar."""

from typing import final

from pyrt.indicators.candles import Pattern

@final
class CDLBELTHOLD(Pattern): ...

@final
class CDLCLOSINGMARUBOZU(Pattern): ...

@final
class CDLDOJI(Pattern): ...

@final
class CDLDRAGONFLYDOJI(Pattern): ...

@final
class CDLGRAVESTONEDOJI(Pattern): ...

@final
class CDLHIGHWAVE(Pattern): ...

@final
class CDLLONGLEGGEDDOJI(Pattern): ...

@final
class CDLLONGLINE(Pattern): ...

@final
class CDLMARUBOZU(Pattern): ...

@final
class CDLRICKSHAWMAN(Pattern): ...

@final
class CDLSHORTLINE(Pattern): ...

@final
class CDLSPINNINGTOP(Pattern): ...

@final
class CDLTAKURI(Pattern): ...
