"""Orders that are kept on our side because the venue lacks what they ask for."""

from collections.abc import Callable
from typing import Any, final

from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.core.events import EventQueue
from pyrt.core.instruments import Instrument
from pyrt.core.orders import Order
from pyrt.core.records import Texts
from pyrt.execution.desk import Desk
from pyrt.venues.capabilities import Capabilities

DAY_NS: int
ENDED: str

@final
class Emulator:
    @property
    def tables(self) -> dict[str, Capabilities | None]: ...
    @property
    def watching(self) -> int: ...
    def __init__(
        self,
        desk: Desk,
        cache: Cache,
        clock: Clock,
        inbox: EventQueue,
        texts: Texts,
        tables: dict[str, Capabilities],
        sessions_of: Callable[[Instrument], Any],
    ) -> None: ...
    def keep_exits(self, order: Order) -> None: ...
    def has_prices(self, instrument: Instrument) -> bool: ...
    def would_take(self, order: Order) -> bool: ...
    def adapt_time(self, order: Order, table: Capabilities) -> None: ...
    def limit_time(self, order: Order) -> None: ...
    def end_at(self, order: Order, ts: int) -> None: ...
    def end(self, order: Order) -> None: ...
    def end_of_day(self, order: Order) -> int: ...
    def set_units(self, order: Order, units: int) -> None: ...
