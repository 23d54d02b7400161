"""What is to happen at given times of the simulator."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop, heappush


class Agenda:
    """Actions by time; those of one time in the order in which they were added."""

    def __init__(self) -> None:
        self._due: list[tuple[int, int, Callable[[], object]]] = []
        self._count = 0

    @property
    def next_ts(self) -> int | None:
        """When the next action is due, ns UTC."""
        return self._due[0][0] if self._due else None

    def add(self, ts: int, action: Callable[[], object]) -> None:
        """Do something once it is `ts`."""
        self._count += 1
        heappush(self._due, (ts, self._count, action))

    def run(self, now: int) -> None:
        """Do what is due at `now`, and what that makes due."""
        while self._due and self._due[0][0] <= now:
            heappop(self._due)[2]()
