"""Which day an instant belongs to, and how many such days make a year."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.errors import ConfigError

NS_PER_DAY = 86_400_000_000_000
ROUND_THE_CLOCK = frozenset({"24/7", "24x7", "always_open"})

Stamps = NDArray[np.int64]

_THURSDAY = 3  # weekday of 1970-01-01, Monday being 0
_SATURDAY, _SUNDAY = 5, 6
_COARSE = (
    (135.0, 1.0, "yearly"),
    (45.0, 4.0, "quarterly"),
    (10.0, 12.0, "monthly"),
    (5.0, 52.0, "weekly"),
)
"""Shortest median step in days, periods a year, name."""


@dataclass(frozen=True)
class Annualization:
    """Periods in a year and the reason for the number, for display beside it."""

    periods_per_year: float
    reason: str


def session_days(ts: Stamps, calendar: str | None = None, timezone: str | None = None) -> Stamps:
    """Return the day, counted from 1970-01-01, to which each instant belongs.

    Without a calendar or time zone days are UTC days that end with midnight: a bar closed at
    00:00 belongs to the day before. Stamps that all lie on midnight of a weekday are dates and
    stay as they are. Points of a Sunday, where no Saturday trades, belong to Monday's session
    (currencies and futures open on Sunday evening).

    Parameters
    ----------
    ts : ndarray of int64, shape (n,)
        Nanoseconds UTC, not decreasing.
    calendar : str, optional
        Name known to `exchange_calendars`; its session dates are used.
    timezone : str, optional
        IANA name or offset; its local dates are used, before the calendar is asked.

    Returns
    -------
    ndarray of int64, shape (n,)
        Not decreasing.

    Raises
    ------
    ConfigError
        If the calendar is unknown.
    """
    if len(ts) == 0:
        return ts
    if _are_dates(ts):
        return ts // NS_PER_DAY
    if timezone and timezone.upper() != "UTC":
        return _join_sundays(_local_days(ts, timezone))
    if calendar and calendar not in ROUND_THE_CLOCK:
        return _calendar_days(ts, calendar)
    return _join_sundays((ts - 1) // NS_PER_DAY)


def last_of_day(days: Stamps) -> NDArray[np.intp]:
    """Return the position of the last point of each day, ascending."""
    if len(days) == 0:
        return np.empty(0, dtype=np.intp)
    return np.append(np.flatnonzero(np.diff(days)), len(days) - 1)


def annualization(days: Stamps, calendar: str | None = None) -> Annualization:
    """Infer how many periods a year has from the days on which there is equity.

    Parameters
    ----------
    days : ndarray of int64, shape (n,)
        Distinct days, ascending.
    calendar : str, optional
        ``"24/7"`` and its synonyms settle the question; so does the name of an exchange.

    Returns
    -------
    Annualization
        52, 12, 4 or 1 for data of longer steps; 365 where Saturdays trade; else 252.
    """
    if coarse := _coarse_step(days):
        return coarse
    if calendar:
        if calendar in ROUND_THE_CLOCK:
            return Annualization(365.0, f"calendar {calendar}")
        return Annualization(252.0, f"calendar {calendar}")
    if _trades_saturdays(days):
        return Annualization(365.0, "data on seven days a week")
    return Annualization(252.0, "data on weekdays only")


def _coarse_step(days: Stamps) -> Annualization | None:
    step = float(np.median(np.diff(days))) if len(days) > 2 else 0.0
    for shortest, periods, name in _COARSE:
        if step >= shortest:
            return Annualization(periods, f"{name} data")
    return None


def weekdays(days: Stamps) -> Stamps:
    """Return the weekday of each day since 1970-01-01: Monday 0 to Sunday 6."""
    return (days + _THURSDAY) % 7


def _trades_saturdays(days: Stamps) -> bool:
    """Whether at least half of the Saturdays within the span are there."""
    if len(days) == 0:
        return False
    span = np.arange(days[0], days[-1] + 1)
    possible = int(np.count_nonzero(weekdays(span) == _SATURDAY))
    present = int(np.count_nonzero(weekdays(days) == _SATURDAY))
    return present > 0 and 2 * present >= possible


def _are_dates(ts: Stamps) -> bool:
    """Whether the stamps are plain weekdays at 00:00; closes at midnight include a Saturday's."""
    at_midnight = bool(np.all(ts % NS_PER_DAY == 0))
    return at_midnight and bool(np.all(weekdays(ts // NS_PER_DAY) < _SATURDAY))


def _join_sundays(days: Stamps) -> Stamps:
    named = weekdays(days)
    if bool(np.any(named == _SATURDAY)):
        return days
    return np.where(named == _SUNDAY, days + 1, days)


def _local_days(ts: Stamps, timezone: str) -> Stamps:
    import pandas as pd  # costs 0.3 s to load: only for those who name a time zone

    index: Any = pd.DatetimeIndex(ts - 1, tz="UTC").tz_convert(timezone)
    return np.asarray(index.tz_localize(None).as_unit("ns").asi8 // NS_PER_DAY)


def _calendar_days(ts: Stamps, calendar: str) -> Stamps:
    import exchange_calendars  # type: ignore[import-untyped]
    import pandas as pd

    start = pd.Timestamp(int(ts[0]), unit="ns").normalize() - pd.Timedelta(days=10)
    end = pd.Timestamp(int(ts[-1]), unit="ns").normalize() + pd.Timedelta(days=10)
    try:
        table = exchange_calendars.get_calendar(calendar, start=start, end=end)
    except exchange_calendars.errors.InvalidCalendarName as error:
        raise ConfigError(
            f"No calendar is called {calendar!r}",
            remedy='Name one of exchange_calendars, or "24/7"',
            calendar=calendar,
        ) from error
    opens = table.opens.dt.tz_convert(table.tz).dt.tz_localize(None).dt.normalize()
    if bool((opens == opens.index).all()):
        return _local_days(ts, str(table.tz))
    # Sessions that open on the evening before (futures): the one whose close comes next.
    closes = pd.DatetimeIndex(table.closes).as_unit("ns").asi8
    labels = pd.DatetimeIndex(table.sessions).as_unit("ns").asi8 // NS_PER_DAY
    return np.asarray(labels[np.minimum(np.searchsorted(closes, ts), len(labels) - 1)])
