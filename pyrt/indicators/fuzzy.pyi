"""Bars put in words: how long a bar, its body and its shadows are beside those before it."""

from typing import final

from pyrt.indicators.base import OpenHighLowClose

@final
class FUZZYCANDLE(OpenHighLowClose):
    def __init__(
        self,
        timeperiod: int = 10,
        threshold1: float = 0.5,
        threshold2: float = 1.0,
        threshold3: float = 2.0,
    ) -> None: ...
    @property
    def direction(self) -> float: ...
    @property
    def size(self) -> float: ...
    @property
    def body(self) -> float: ...
    @property
    def upperwick(self) -> float: ...
    @property
    def lowerwick(self) -> float: ...
