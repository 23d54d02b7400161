"""When prices are those of a regular session."""

from collections.abc import Callable
from typing import Any, final

from pyrt.core.instruments import Instrument

@final
class Sessions:
    def __init__(self, opens: Any, closes: Any) -> None: ...

@final
class Hours:
    def __init__(self, sessions_of: Callable[[Instrument], Any]) -> None: ...
