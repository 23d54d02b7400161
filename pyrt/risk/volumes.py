"""Average daily volume of sessions that are over: what an order's share of a day is taken of."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np

from pyrt.risk.trailing import Sessions, TrailingSessions


class TrailingVolumes(TrailingSessions[Decimal]):
    """Sums a run's data by session, and answers with the average of the last that have ended.

    A session without rows counts as one without volume, from the first that has some on.

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
        super().__init__(sessions, count)
        self._sums: dict[str, dict[int, float]] = {}
        self._until: dict[str, dict[int, int]] = {}

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
        numbers, inside = self._rows(symbol, calendar, ts, known, labels_end)
        inside &= volumes > 0
        own = self._sums.setdefault(symbol, {})
        until = self._until.setdefault(symbol, {})
        found, where = np.unique(numbers[inside], return_inverse=True)
        ends = np.zeros(len(found), np.int64)
        # A print at an instant is over after it: one at a split's is of new units.
        np.maximum.at(ends, where, ts[inside] + (not labels_end))
        until.update(zip(found.tolist(), ends.tolist(), strict=True))
        for number, total in zip(found, np.bincount(where, volumes[inside]), strict=True):
            own[int(number)] = own.get(int(number), 0.0) + float(total)

    def rescale(self, symbol: str, now: int, factor: float) -> None:
        """Multiply the volumes of sessions of which no row is later than `now`, as a split does.

        What is added to one of them afterwards is of new units. One that has rows on both sides
        stays as it is: its session was under way.
        """
        own = self._sums.get(symbol, {})
        for number, end in self._until.get(symbol, {}).items():
            if end <= now:
                own[number] *= factor
        self._last.pop(symbol, None)

    def _mean(self, symbol: str, ended: int) -> Decimal | None:
        own = self._sums.get(symbol)
        if not own:
            return None
        numbers = range(max(min(own), ended - self._count), ended)
        total = sum(own.get(number, 0.0) for number in numbers)
        return Decimal(repr(total / len(numbers))) if total else None
