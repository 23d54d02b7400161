"""Virtual time: what is due happens in order, and nothing waits for a wall clock."""

from __future__ import annotations

import heapq
from collections.abc import Callable

SECOND = 1_000_000_000
MILLI = 1_000_000


class Agenda:
    """Calls things at their time, in the order of time and then of asking."""

    def __init__(self, start: int) -> None:
        self.now = start
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._serial = 0

    def at(self, ts: int, what: Callable[[], object]) -> None:
        """Call `what` at `ts`, or now where that is over."""
        self._serial += 1
        heapq.heappush(self._due, (max(ts, self.now), self._serial, what))

    def after(self, seconds: float, what: Callable[[], object]) -> None:
        """Call `what` after so many seconds."""
        self.at(self.now + int(seconds * SECOND), what)

    @property
    def next_due(self) -> int | None:
        """When the next thing is due; None when nothing is."""
        return self._due[0][0] if self._due else None

    def run_to(self, ts: int) -> None:
        """Let time pass up to `ts`, calling what is due by then."""
        while self._due and self._due[0][0] <= ts:
            due, _, what = heapq.heappop(self._due)
            self.now = max(self.now, due)
            what()
        self.now = max(self.now, ts)
