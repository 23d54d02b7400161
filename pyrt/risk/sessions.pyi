"""Days that end with a session, or at a time of day."""

from collections.abc import Callable
from typing import Any, final

from pyrt.risk.limits import Limits

@final
class DayClock:
    def __init__(self, limits: Limits, closes_of: Callable[[], Any] | None = None) -> None: ...
    def day_at(self, now: int) -> int: ...
