"""The machine behind candlestick patterns; the patterns are in `candles_one` and its siblings."""

from pyrt.indicators.base import OpenHighLowClose

class Pattern(OpenHighLowClose):
    def __init__(self) -> None: ...

class Deep(Pattern):
    def __init__(self, penetration: float | None = None) -> None: ...
