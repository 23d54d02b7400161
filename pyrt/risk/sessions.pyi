"""Whether an instrument's session is open, without a search for each order."""

from collections.abc import Callable
from typing import Any, final

from pyrt.core.instruments import Instrument
from pyrt.risk.limits import Limits

@final
class Session:
    def __init__(self, opens: Any, closes: Any) -> None: ...

@final
class DayClock:
    def __init__(self, limits: Limits, closes_of: Callable[[], Any] | None = None) -> None: ...
    def day_at(self, now: int) -> int: ...

@final
class SessionClock:
    @property
    def lookup(self) -> Callable[[Instrument], tuple[Any, Any] | None] | None: ...
    def __init__(
        self, lookup: Callable[[Instrument], tuple[Any, Any] | None] | None = None
    ) -> None: ...
    def open_at(self, instrument: Instrument, now: int) -> bool: ...
