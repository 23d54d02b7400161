"""Bars of days and weeks: from the dates they are named by to the sessions they cover."""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pyrt.data.columns import Int64s
from pyrt.data.timeframe import DAY_NS

_MARGIN_NS = 7 * DAY_NS


class Sessions(Protocol):
    """A calendar's sessions over a span, oldest first: instants in ns UTC, dates in days."""

    @property
    def open(self) -> Int64s: ...
    @property
    def close(self) -> Int64s: ...
    @property
    def date(self) -> NDArray[np.int32]: ...


def sessions_between(calendar: str, start_ns: int, end_ns: int) -> Sessions:
    """Return the sessions around [start_ns, end_ns] with a week on each side."""
    # Imported where a calendar is named: tables without one need no exchange calendars.
    from pyrt.venues.sessions import sessions

    return sessions(calendar, start_ns - _MARGIN_NS, end_ns + _MARGIN_NS)


def cover_dates(
    table: Sessions, first_day: Int64s, end_day: Int64s
) -> tuple[Int64s, Int64s, NDArray[np.bool_]]:
    """Return the open of the first and the close of the last session dated in [first, end).

    Parameters
    ----------
    table : Sessions
    first_day, end_day : ndarray of int64, shape (n,)
        Days since 1970-01-01.

    Returns
    -------
    ts_open, ts_close : ndarray of int64, shape (n,)
    found : ndarray of bool, shape (n,)
        False where no session has a date in the range; the times are the neighbors' then.
    """
    first = np.searchsorted(table.date, first_day)
    last = np.searchsorted(table.date, end_day) - 1
    found = first <= last
    top = len(table.date) - 1
    return table.open[np.minimum(first, top)], table.close[np.maximum(last, 0)], found


def cover_stamps(
    table: Sessions, stamps: Int64s, label: str
) -> tuple[Int64s, Int64s, NDArray[np.bool_]]:
    """Return the session that each stamp opens (or precedes) or closes (or follows).

    Returns are those of `cover_dates`; a stamp more than a day from its session has not found it.
    """
    if label == "open":
        row = np.searchsorted(table.close, stamps, side="right")
        row = np.minimum(row, len(table.close) - 1)
        near = table.open[row] - stamps < DAY_NS
    else:
        row = np.maximum(np.searchsorted(table.close, stamps, side="right") - 1, 0)
        near = stamps - table.close[row] < DAY_NS
    return table.open[row], table.close[row], near
