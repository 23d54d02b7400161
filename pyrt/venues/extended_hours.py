"""Trading of US equities outside the regular session: overnight, pre-market and after-hours."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from enum import IntEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from pyrt.errors import DataError
from pyrt.venues.sessions import SessionTable, sessions

__all__ = [
    "AFTER_HOURS_CLOSE",
    "EARLY_AFTER_HOURS_CLOSE",
    "OVERNIGHT_OPEN",
    "PRE_MARKET_OPEN",
    "ExtendedHours",
    "Phase",
    "extended_hours",
    "hours_around",
]

NEW_YORK = ZoneInfo("America/New_York")
_DAY = 86_400_000_000_000
_YEAR = 31_556_952 * 1_000_000_000

OVERNIGHT_OPEN = dt.time(20, 0)
"""New York time on the evening before the trading date."""
PRE_MARKET_OPEN = dt.time(4, 0)
"""New York time; also the end of the overnight session."""
AFTER_HOURS_CLOSE = dt.time(20, 0)
"""New York time, after a full session."""
EARLY_AFTER_HOURS_CLOSE = dt.time(17, 0)
"""New York time, after a half day: four hours after the 13:00 close, as NYSE and Nasdaq keep it."""


class Phase(IntEnum):
    """What part of the trading day an instant falls into."""

    CLOSED = 0
    OVERNIGHT = 1
    PRE_MARKET = 2
    REGULAR = 3
    AFTER_HOURS = 4


@dataclass(frozen=True, eq=False)
class ExtendedHours:
    """The parts of each US equity trading date, aligned row by row with a table of sessions.

    Overnight is [overnight_open, pre_market_open), pre-market [pre_market_open, open), regular
    [open, close), after-hours [close, after_hours_close). The overnight part belongs to the date
    it leads into, so it runs Sunday evening to Friday morning and not into a holiday.

    Attributes
    ----------
    sessions : SessionTable
        The regular sessions (``"XNYS"`` or an alias).
    overnight_open, pre_market_open, after_hours_close : ndarray of int64, shape (n,)
        Nanoseconds UTC.
    """

    sessions: SessionTable
    overnight_open: NDArray[np.int64]
    pre_market_open: NDArray[np.int64]
    after_hours_close: NDArray[np.int64]

    def phase(self, ts: int) -> Phase:
        """Return the part of the trading day `ts` (nanoseconds UTC) falls into.

        Raises
        ------
        DataError
            If `ts` lies outside the span of the sessions.
        """
        table = self.sessions
        row = table.session_of(ts)
        if row > 0 and ts < self.after_hours_close[row - 1]:
            return Phase.AFTER_HOURS
        if ts >= table.open[row]:
            return Phase.REGULAR
        if ts >= self.pre_market_open[row]:
            return Phase.PRE_MARKET
        if ts >= self.overnight_open[row]:
            return Phase.OVERNIGHT
        return Phase.CLOSED

    def trading_row(self, ts: int) -> int:
        """Return the row of the date whose parts contain `ts`, or of the next date after it.

        Unlike `SessionTable.session_of`, after-hours still belong to the date that has closed.
        """
        row = self.sessions.session_of(ts)
        if row > 0 and ts < self.after_hours_close[row - 1]:
            return row - 1
        return row


@lru_cache(maxsize=16)
def _for_table(table: SessionTable, early_after_hours_close: dt.time) -> ExtendedHours:
    dates = [dt.date(1970, 1, 1) + dt.timedelta(days=int(day)) for day in table.date]
    ends = [early_after_hours_close if early else AFTER_HOURS_CLOSE for early in table.early_close]
    one_day = dt.timedelta(days=1)
    return ExtendedHours(
        table,
        _at([d - one_day for d in dates], [OVERNIGHT_OPEN] * len(dates)),
        _at(dates, [PRE_MARKET_OPEN] * len(dates)),
        _at(dates, ends),
    )


def extended_hours(
    start_ns: int,
    end_ns: int,
    *,
    calendar: str = "XNYS",
    early_after_hours_close: dt.time = EARLY_AFTER_HOURS_CLOSE,
) -> ExtendedHours:
    """Return overnight, pre-market and after-hours windows over at least [start_ns, end_ns].

    The windows are those Alpaca keeps today (04:00-09:30, 16:00-20:00 and 20:00-04:00 New York),
    with daylight saving time followed, whatever the year.

    Parameters
    ----------
    start_ns, end_ns : int
        Nanoseconds UTC of the first and last instant of interest.
    calendar : str
        A calendar that keeps New York time.
    early_after_hours_close : datetime.time
        When after-hours end on a half day, New York time.

    Raises
    ------
    DataError
        If the calendar does not open at 09:30 New York time, so these windows do not apply to it.
    """
    table = sessions(calendar, start_ns, end_ns)
    first = dt.datetime.fromtimestamp(int(table.open[0]) // 1_000_000_000, NEW_YORK)
    if first.time() != dt.time(9, 30):
        raise DataError(
            f"{calendar} does not open at 09:30 New York time",
            code="no_extended_hours",
            remedy='Use "XNYS" or "XNAS"',
            calendar=calendar,
        )
    return _for_table(table, early_after_hours_close)


def hours_around(ts: int) -> ExtendedHours:
    """Return the US trading hours around an instant (nanoseconds UTC): its year and 40 days."""
    return _hours_of_year(1970 + ts // _YEAR)


@lru_cache(maxsize=64)
def _hours_of_year(year: int) -> ExtendedHours:
    start = (year - 1970) * _YEAR
    return extended_hours(start - 40 * _DAY, start + 460 * _DAY)


def _at(dates: list[dt.date], times: list[dt.time]) -> NDArray[np.int64]:
    """Return New York wall times as nanoseconds UTC."""
    seconds = [
        int(dt.datetime.combine(date, time, tzinfo=NEW_YORK).timestamp())
        for date, time in zip(dates, times)
    ]
    out = np.array(seconds, dtype=np.int64) * 1_000_000_000
    out.flags.writeable = False
    return out
