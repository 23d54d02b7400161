"""Simulated and event-driven time: a clock that only moves forward, and its timers."""

from collections.abc import Callable
from typing import Any, final

@final
class TimerEvent:
    @property
    def name(self) -> str: ...
    @property
    def ts_event(self) -> int: ...
    @property
    def owner(self) -> Any: ...
    @property
    def handler(self) -> Callable[[TimerEvent], object] | None: ...

@final
class Clock:
    @property
    def timestamp_ns(self) -> int: ...
    def __len__(self) -> int: ...
    def set_timer(
        self,
        name: str,
        interval_ns: int,
        handler: Callable[[TimerEvent], object] | None,
        *,
        start_ns: int | None = None,
        stop_ns: int | None = None,
        owner: Any = None,
    ) -> None: ...
    def set_alert(
        self,
        name: str,
        due_ns: int,
        handler: Callable[[TimerEvent], object] | None,
        *,
        owner: Any = None,
    ) -> None: ...
    def check_future(self, name: str, due: int) -> None: ...
    def cancel(self, name: str, *, owner: Any = None) -> None: ...
    def cancel_all(self, *, owner: Any = None) -> None: ...
    def skip(self, ts: int) -> None: ...
    def names(self, *, owner: Any = None) -> list[str]: ...
