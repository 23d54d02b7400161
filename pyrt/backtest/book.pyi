"""What a simulated venue knows of one order and of one instrument."""

from typing import Any, final

from pyrt.core.book import OrderBook
from pyrt.core.instruments import Instrument

@final
class VenueOrder: ...

@final
class VenueBook:
    @property
    def instrument(self) -> Instrument: ...
    @property
    def depth(self) -> OrderBook: ...
    @property
    def units(self) -> dict[str, Any]: ...
    def __init__(self, instrument: Instrument, sessions: Any = None) -> None: ...
