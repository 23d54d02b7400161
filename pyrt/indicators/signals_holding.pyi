"""Numbers of a position that conditions read: how much is held, at what price, with what result."""

from typing import final

from pyrt.core.conditions import Place
from pyrt.indicators.signals_compare import Source

NUMBERS: tuple[str, ...]
STEADY: tuple[str, ...]

@final
class Holding(Source):
    @property
    def symbol(self) -> str: ...
    @property
    def number(self) -> str: ...
    def __init__(self, symbol: str, number: str) -> None: ...
    def settle(self, place: Place) -> None: ...

def holding(symbol: str, number: str = "quantity") -> Source: ...
