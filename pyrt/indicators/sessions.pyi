"""Prices averaged since the start of a session, and the clock that says when one starts.

A time belongs to the session in (start, end]: a bar is known by its close, so the bar that closes
at the session's end is its last one.
"""

from datetime import date, datetime
from typing import final

from pyrt.indicators.base import HighLowCloseVolumeTime

ANCHORS: tuple[str, ...]
EPOCH: datetime

class Clock:
    def __init__(self, anchor: str, start: str, tz: str) -> None: ...
    def instant(self, day: date) -> float: ...
    def bounds(self, ts: float) -> tuple[float, float]: ...

@final
class SESSIONVWAP(HighLowCloseVolumeTime):
    def __init__(
        self,
        nbdev: float = 1.0,
        anchor: str = "day",
        start: str = "00:00",
        tz: str = "America/New_York",
    ) -> None: ...
    @property
    def vwap(self) -> float: ...
    @property
    def upperband(self) -> float: ...
    @property
    def lowerband(self) -> float: ...
