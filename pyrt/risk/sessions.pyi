"""Whether an instrument's session is open, without a search for each order."""

from collections.abc import Callable
from typing import Any, final

from pyrt.core.instruments import Instrument

@final
class Session:
    def __init__(self, opens: Any, closes: Any) -> None: ...

@final
class SessionClock:
    def __init__(
        self, lookup: Callable[[Instrument], tuple[Any, Any] | None] | None = None
    ) -> None: ...
    def open_at(self, instrument: Instrument, now: int) -> bool: ...
