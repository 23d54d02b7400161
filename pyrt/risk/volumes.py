"""Average daily volume of sessions that are over: what an order's share of a day is taken of."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any

import numpy as np

DAY_NS = 86_400_000_000_000
GRACE_NS = 60_000_000_000
"""What is known this long after a session's end belongs to it; until then it has not ended."""
Sessions = Callable[[str], tuple[Any, Any] | None]
"""Calendar name → opens and closes of its sessions; None where every day of UTC is one."""


class TrailingVolumes:
    """Sums a run's data by session, and answers with the average of the last that have ended.

    A session that is under way, or that comes later, has no part in an answer, whatever rows are
    known already: a session has ended a minute after its close, and rows that reach us later than
    that are left out. So are rows outside of sessions. A session without rows counts as one
    without volume, from the first that has some on.

    Parameters
    ----------
    sessions : callable
    count : int
        Sessions that are averaged; fewer where fewer have ended.

    Examples
    --------
    >>> volumes = TrailingVolumes(lambda calendar: None, 2)
    >>> day = 86_400_000_000_000
    >>> volumes.add("BTC/USD", "24/7", [0, day - 1, day], [3.0, 4.0, 9.0], labels_end=False)
    >>> volumes.average("BTC/USD", "24/7", day + 60_000_000_000)
    Decimal('7.0')
    """

    def __init__(self, sessions: Sessions, count: int) -> None:
        # A table is asked for once: it may have to be put together.
        self._sessions = lru_cache(maxsize=None)(sessions)
        self._count = count
        self._sums: dict[str, dict[int, float]] = {}
        self._last: dict[str, tuple[int, int, Decimal | None]] = {}

    def add(
        self,
        symbol: str,
        calendar: str,
        ts: Any,
        volumes: Any,
        *,
        known: Any = None,
        labels_end: bool = True,
    ) -> None:
        """Count rows of a symbol, oldest first; more of them may follow.

        Parameters
        ----------
        ts, volumes : array of int64, array of float
            When a row is over or happens, and its volume.
        known : array of int64, optional
            When it reached us; at once by default.
        labels_end : bool
            Bars end at their time, and one that ends with the session is part of it; a print at
            the close is not.
        """
        ts, volumes = np.asarray(ts, np.int64), np.asarray(volumes, np.float64)
        numbers, inside = self._sessions_of(calendar, ts, labels_end)
        inside &= volumes > 0
        if known is not None:
            inside &= np.asarray(known, np.int64) <= self._closes(calendar, numbers) + GRACE_NS
        self._last.pop(symbol, None)
        own = self._sums.setdefault(symbol, {})
        found, where = np.unique(numbers[inside], return_inverse=True)
        for number, total in zip(found, np.bincount(where, volumes[inside]), strict=True):
            own[int(number)] = own.get(int(number), 0.0) + float(total)

    def average(self, symbol: str, calendar: str, now: int) -> Decimal | None:
        """Return the mean volume of the last sessions that have ended at `now`; None without any.

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

    def _mean(self, symbol: str, ended: int) -> Decimal | None:
        own = self._sums.get(symbol)
        if not own:
            return None
        numbers = range(max(min(own), ended - self._count), ended)
        total = sum(own.get(number, 0.0) for number in numbers)
        return Decimal(repr(total / len(numbers))) if total else None

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
