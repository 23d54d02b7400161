"""Figures of sessions that are over: when a session has ended, and which rows are part of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Generic, TypeVar

import numpy as np

DAY_NS = 86_400_000_000_000
GRACE_NS = 60_000_000_000
"""What is known this long after a session's end belongs to it; until then it has not ended."""
Sessions = Callable[[str], tuple[Any, Any] | None]
"""Calendar name → opens and closes of its sessions; None where every day of UTC is one."""
Figure = TypeVar("Figure")


class TrailingSessions(ABC, Generic[Figure]):
    """What is shared by figures that are averaged over the last sessions that have ended.

    A session that is under way, or that comes later, has no part in an answer, whatever rows are
    known already: a session has ended a minute after its close, and rows that reach us later than
    that are left out. So are rows outside of sessions.

    Parameters
    ----------
    sessions : callable
    count : int
        Sessions that are averaged; fewer where fewer have ended.
    """

    def __init__(self, sessions: Sessions, count: int) -> None:
        # A table is asked for once: it may have to be put together.
        self._sessions = lru_cache(maxsize=None)(sessions)
        self._count = count
        self._last: dict[str, tuple[int, int, Figure | None]] = {}

    def average(self, symbol: str, calendar: str, now: int) -> Figure | None:
        """Return the mean over the last sessions that have ended at `now`; None without any.

        Parameters
        ----------
        now : int
            ns UTC.
        """
        since, until, known = self._last.get(symbol, (0, 0, None))
        if since <= now < until:
            return known
        ended = self._ended(calendar, now - GRACE_NS)
        until = int(self._closes(calendar, np.array([ended]))[0]) + GRACE_NS
        known = self._mean(symbol, ended)
        self._last[symbol] = (now, until, known)
        return known

    @abstractmethod
    def _mean(self, symbol: str, ended: int) -> Figure | None:
        """Return the mean over the sessions before number `ended`."""

    def _rows(
        self, symbol: str, calendar: str, ts: Any, known: Any, labels_end: bool
    ) -> tuple[Any, Any]:
        """Return the number of each row's session, and whether the row is part of it."""
        numbers, inside = self._sessions_of(calendar, ts, labels_end)
        if known is not None:
            inside &= np.asarray(known, np.int64) <= self._closes(calendar, numbers) + GRACE_NS
        self._last.pop(symbol, None)
        return numbers, inside

    def _ended(self, calendar: str, now: int) -> int:
        """Return how many sessions of a calendar have ended: the number of the one after them."""
        table = self._sessions(calendar)
        if table is None:
            return now // DAY_NS
        return int(np.searchsorted(table[1], now, side="right"))

    def _closes(self, calendar: str, numbers: Any) -> Any:
        table = self._sessions(calendar)
        if table is None:
            return (numbers + 1) * DAY_NS
        closes = np.asarray(table[1], np.int64)
        return closes[np.minimum(numbers, len(closes) - 1)]

    def _sessions_of(self, calendar: str, ts: Any, labels_end: bool) -> tuple[Any, Any]:
        """Return the number of each row's session, and whether the row is inside of it."""
        table = self._sessions(calendar)
        if table is None:
            return (ts - labels_end) // DAY_NS, np.ones(len(ts), bool)
        opens, closes = (np.asarray(each, np.int64) for each in table)
        numbers = np.searchsorted(closes, ts, side="left" if labels_end else "right")
        inside = numbers < len(closes)
        began = opens[np.minimum(numbers, len(closes) - 1)]
        return numbers, inside & (ts > began if labels_end else ts >= began)
