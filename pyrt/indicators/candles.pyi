"""The machine behind candlestick patterns; the patterns are in `candles_one` and its siblings."""

from typing import Any

from typing_extensions import disjoint_base

from pyrt.indicators.base import OpenHighLowClose

@disjoint_base
class Pattern(OpenHighLowClose):
    def __init__(self, *args: Any, **kwargs: Any) -> None: ...

class Deep(Pattern):
    def __init__(self, penetration: float | None = None) -> None: ...
