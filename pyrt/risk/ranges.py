"""Average true range of sessions that are over: what a protective stop's multiple is taken of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from pyrt.risk.trailing import GRACE_NS, Sessions, TrailingSessions


def true_ranges(prices: Iterable[Sequence[float]]) -> list[float]:
    """Return how far each session reaches, from the close before it too; the first by itself.

    Parameters
    ----------
    prices : iterable of (high, low, close)
        One session after the other.
    """
    reached: list[float] = []
    before: float | None = None
    for high, low, close in prices:
        if before is None:
            before = high
        reached.append(max(high, before) - min(low, before))
        before = close
    return reached


class TrailingRanges(TrailingSessions[float]):
    """Follows a run's prices by session, and answers with the mean of their true ranges.

    The true range of a session reaches from the lowest to the highest of its prices and the close
    before it. Sessions without rows have none.

    Parameters
    ----------
    sessions : callable
    count : int
        Sessions that are averaged; fewer where fewer have ended.

    Examples
    --------
    >>> ranges, day = TrailingRanges(lambda calendar: None, 2), 86_400_000_000_000
    >>> ends = [day, 2 * day]
    >>> ranges.add("A", "24/7", ends, [11.0, 15.0], [10.0, 14.0], [10.5, 14.5])
    >>> ranges.average("A", "24/7", 2 * day + 60_000_000_000)
    2.75
    """

    def __init__(self, sessions: Sessions, count: int) -> None:
        super().__init__(sessions, count)
        self._days: dict[str, dict[int, list[float]]] = {}

    def add(
        self,
        symbol: str,
        calendar: str,
        ts: Any,
        highs: Any,
        lows: Any,
        closes: Any,
        *,
        known: Any = None,
        labels_end: bool = True,
    ) -> None:
        """Take rows of a symbol, oldest first; more of them may follow.

        Parameters
        ----------
        ts : array of int64
            When a row is over or happens.
        highs, lows, closes : array of float
            Of a print, its price all three.
        known : array of int64, optional
            When it reached us; at once by default.
        labels_end : bool
            Bars end at their time, and one that ends with the session is part of it; a print at
            the close is not.
        """
        ts = np.asarray(ts, np.int64)
        numbers, inside = self._rows(symbol, calendar, ts, known, labels_end)
        columns = [np.asarray(each, np.float64)[inside] for each in (highs, lows, closes)]
        numbers = numbers[inside]
        starts = np.flatnonzero(np.diff(numbers, prepend=-1))
        if not len(starts):
            return
        ends = np.append(starts[1:], len(numbers)) - 1
        own = self._days.setdefault(symbol, {})
        for number, high, low, close in zip(
            numbers[starts],
            np.maximum.reduceat(columns[0], starts),
            np.minimum.reduceat(columns[1], starts),
            columns[2][ends],
            strict=True,
        ):
            day = own.setdefault(int(number), [float(high), float(low), 0.0])
            day[:] = max(day[0], float(high)), min(day[1], float(low)), float(close)

    def rescale(self, symbol: str, calendar: str, now: int, factor: float) -> None:
        """Multiply the prices of sessions that have ended at `now`, as a split does."""
        ended = self._ended(calendar, now - GRACE_NS)
        for number, day in self._days.get(symbol, {}).items():
            if number < ended:
                day[:] = (price * factor for price in day)
        self._last.pop(symbol, None)

    def _mean(self, symbol: str, ended: int) -> float | None:
        own = self._days.get(symbol, {})
        known = sorted(number for number in own if number < ended)
        # One more than are averaged, for its close.
        days = [own[number] for number in known[-self._count - 1 :]]
        reached = true_ranges(days)[-self._count :]
        return sum(reached) / len(reached) if any(reached) else None
