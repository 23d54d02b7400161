"""What is kept on our side, until when, and which orders at the venue we end for it."""

from collections.abc import Callable
from typing import Any

from pyrt.core.cache import Cache
from pyrt.core.clock import Clock
from pyrt.core.events import EventQueue
from pyrt.core.instruments import Instrument
from pyrt.core.orders import Order
from pyrt.core.records import Texts
from pyrt.execution.desk import Desk
from pyrt.venues.capabilities import Capabilities

DAY_NS: int
RETRY_NS: int
ENDED: str

class Custody:
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
        halts: Callable[[Order], bool],
    ) -> None: ...
    def adapt_time(self, order: Order, table: Capabilities) -> None: ...
    def limit_time(self, order: Order) -> None: ...
    def end_at(self, order: Order, ts: int) -> None: ...
    def end(self, order: Order) -> None: ...
    def end_of_day(self, order: Order) -> int: ...
    def resume(self, order: Order) -> None: ...
