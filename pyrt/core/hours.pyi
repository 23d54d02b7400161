"""When regular sessions are, without a search for each question."""

from collections.abc import Callable
from typing import Any, final

from pyrt.core.instruments import Instrument

@final
class Sessions:
    def __init__(self, opens: Any, closes: Any) -> None: ...

@final
class Hours:
    @property
    def sessions_of(self) -> Callable[[Instrument], tuple[Any, Any] | None] | None: ...
    def __init__(
        self, sessions_of: Callable[[Instrument], tuple[Any, Any] | None] | None = None
    ) -> None: ...
    def open_at(self, instrument: Instrument, now: int) -> bool: ...
