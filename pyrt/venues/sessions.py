"""Trading sessions as sorted tables of UTC nanoseconds: when a market is open, and when it is next.

Exchange calendars come from `exchange_calendars`; ``"24/7"`` is computed here. A session is the
half-open interval [open, close): an instant equal to the close belongs to the next session.
"""

from __future__ import annotations

import datetime as dt
import importlib
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any, overload

import numpy as np
from numpy.typing import NDArray

from pyrt.core.suggest import suggest
from pyrt.errors import DataError, UnknownName

__all__ = ["ALWAYS_OPEN", "NS_PER_DAY", "SessionTable", "sessions", "zone_of"]

ALWAYS_OPEN = "24/7"
"""Name of the calendar that never closes; its sessions are UTC days."""

NS_PER_DAY = 86_400_000_000_000
"""Nanoseconds in a day of 24 hours."""

Int64Array = NDArray[np.int64]

# Warm-up and "the close before" look back, a good-till-canceled order looks 90 days ahead.
_MARGIN_BEFORE_DAYS = 40
_MARGIN_AFTER_DAYS = 100
# Sessions fetched beyond the covered years, so that next and previous resolve at their edges.
_EDGE_DAYS = 15
_AHEAD_DAYS = 2 * 366
_built: dict[str, tuple[dt.date, dt.date, Any]] = {}
"""Name → first and last date of the exchange calendar built last, and itself."""


@dataclass(frozen=True, eq=False)
class SessionTable:
    """The sessions of one calendar over a span, one row a session, oldest first.

    All times are int64 nanoseconds since the Unix epoch, UTC. The arrays are read-only and share
    one length, so a compiled loop may walk them directly. Every method takes one instant or an
    int64 array of instants, and answers in kind.

    Attributes
    ----------
    calendar : str
        Name of the calendar, as asked for.
    open, close : ndarray of int64, shape (n,)
        First instant of the session, and the first instant after it.
    date : ndarray of int32, shape (n,)
        The session's own date, days since 1970-01-01 (a futures session opens the evening before).
    early_close : ndarray of bool, shape (n,)
        True where the session ends before the calendar's usual time (a half day).
    break_start, break_end : ndarray of int64, shape (n,)
        The pause inside the session, [start, end); both equal `close` where there is none.
    start_ns, end_ns : int
        The instants answered for, [start, end); others raise rather than give a wrong neighbor.
    """

    calendar: str
    open: Int64Array
    close: Int64Array
    date: NDArray[np.int32]
    early_close: NDArray[np.bool_]
    break_start: Int64Array
    break_end: Int64Array
    start_ns: int
    end_ns: int

    def __post_init__(self) -> None:
        for column in (
            self.open,
            self.close,
            self.date,
            self.early_close,
            self.break_start,
            self.break_end,
        ):
            column.flags.writeable = False

    def __len__(self) -> int:
        return len(self.open)

    @overload
    def is_open(self, ts: int) -> bool: ...
    @overload
    def is_open(self, ts: Int64Array) -> NDArray[np.bool_]: ...
    def is_open(self, ts: int | Int64Array) -> bool | NDArray[np.bool_]:
        """Tell whether `ts` lies inside a session and outside its break.

        Parameters
        ----------
        ts : int or ndarray of int64
            Nanoseconds UTC, within [start_ns, end_ns).

        Raises
        ------
        DataError
            If an instant lies outside the table's span.
        """
        # Sessions reach further back than the instants answered for, so there is an earlier open.
        row = self._row(self.open, self._opens, ts, -1)
        in_break = (self.break_start[row] <= ts) & (ts < self.break_end[row])
        inside = (ts < self.close[row]) & ~in_break
        return inside if isinstance(ts, np.ndarray) else bool(inside)

    @overload
    def session_of(self, ts: int) -> int: ...
    @overload
    def session_of(self, ts: Int64Array) -> Int64Array: ...
    def session_of(self, ts: int | Int64Array) -> int | Int64Array:
        """Return the row of the session that contains `ts`, or of the next one after it.

        Raises
        ------
        DataError
            If an instant lies outside the table's span, or no later session is in the table.
        """
        row: int | Int64Array = self._row(self.close, self._closes, ts, 0)
        return row

    @overload
    def next_open(self, ts: int) -> int: ...
    @overload
    def next_open(self, ts: Int64Array) -> Int64Array: ...
    def next_open(self, ts: int | Int64Array) -> int | Int64Array:
        """Return the first open strictly after `ts`, nanoseconds UTC.

        Raises
        ------
        DataError
            If an instant lies outside the table's span, or no later session is in the table.
        """
        found: int | Int64Array = self._pick(self.open, self._opens, ts, 0)
        return found

    @overload
    def next_close(self, ts: int) -> int: ...
    @overload
    def next_close(self, ts: Int64Array) -> Int64Array: ...
    def next_close(self, ts: int | Int64Array) -> int | Int64Array:
        """Return the first close strictly after `ts`, nanoseconds UTC.

        Raises
        ------
        DataError
            If an instant lies outside the table's span, or no later session is in the table.
        """
        found: int | Int64Array = self._pick(self.close, self._closes, ts, 0)
        return found

    @overload
    def previous_close(self, ts: int) -> int: ...
    @overload
    def previous_close(self, ts: Int64Array) -> Int64Array: ...
    def previous_close(self, ts: int | Int64Array) -> int | Int64Array:
        """Return the last close at or before `ts`: a session has ended at its close.

        Raises
        ------
        DataError
            If an instant lies outside the table's span, or no earlier session is in the table.
        """
        found: int | Int64Array = self._pick(self.close, self._closes, ts, -1)
        return found

    @overload
    def close_of_date(self, date: int | dt.date) -> int: ...
    @overload
    def close_of_date(self, date: NDArray[np.int32] | Int64Array) -> Int64Array: ...
    def close_of_date(
        self, date: int | dt.date | NDArray[np.int32] | Int64Array
    ) -> int | Int64Array:
        """Return the close of the session of a date, nanoseconds UTC.

        Parameters
        ----------
        date : int, datetime.date or ndarray of int
            Days since 1970-01-01, or a date.

        Raises
        ------
        DataError
            If a date is no session of this table; it is named.
        """
        row = self.row_of_date(date)
        found = self.close[row]
        return found if isinstance(row, np.ndarray) else int(found)

    @overload
    def row_of_date(self, date: int | dt.date) -> int: ...
    @overload
    def row_of_date(self, date: NDArray[np.int32] | Int64Array) -> Int64Array: ...
    def row_of_date(self, date: int | dt.date | NDArray[np.int32] | Int64Array) -> int | Int64Array:
        """Return the row of the session of a date; arguments and errors as `close_of_date`."""
        days: Any = (date - _EPOCH).days if isinstance(date, dt.date) else date
        row = np.minimum(np.searchsorted(self.date, days), len(self) - 1)
        missing = np.atleast_1d(self.date[row] != days)
        if missing.any():
            first = int(np.atleast_1d(days)[int(np.argmax(missing))])
            raise DataError(
                f"{_day_text(first)} is not a session of {self.calendar}",
                code="not_a_session",
                remedy="Check the dates' time zone, or drop rows on holidays and weekends",
                calendar=self.calendar,
                date=_day_text(first),
            )
        return row.astype(np.int64) if isinstance(days, np.ndarray) else int(row)

    # Python's bisect on lists answers one instant in a fraction of the time NumPy takes.
    @cached_property
    def _opens(self) -> list[int]:
        return [int(ts) for ts in self.open]

    @cached_property
    def _closes(self) -> list[int]:
        return [int(ts) for ts in self.close]

    def _pick(self, column: Int64Array, instants: list[int], ts: Any, shift: int) -> Any:
        row = self._row(column, instants, ts, shift)
        return column[row] if isinstance(ts, np.ndarray) else instants[row]

    def _row(self, column: Int64Array, instants: list[int], ts: Any, shift: int) -> Any:
        self._require_covered(ts)
        if not isinstance(ts, np.ndarray):
            row = bisect_right(instants, ts) + shift
            if 0 <= row < len(instants):
                return row
            raise self._no_session()
        rows = (np.searchsorted(column, ts, side="right") + shift).astype(np.int64)
        if rows.size and (rows.min() < 0 or rows.max() >= len(instants)):
            raise self._no_session()
        return rows

    def _no_session(self) -> DataError:
        return DataError(
            f"{self.calendar} has no session on that side of the instant in this table",
            code="outside_sessions",
            remedy="Ask sessions() for a wider span",
            calendar=self.calendar,
        )

    def _require_covered(self, ts: int | Int64Array) -> None:
        if isinstance(ts, np.ndarray):
            if ts.size == 0:
                return
            low, high = int(ts.min()), int(ts.max())
        else:
            low = high = int(ts)
        if low < self.start_ns or high >= self.end_ns:
            raise DataError(
                f"an instant lies outside the {self.calendar} sessions that were loaded "
                f"({_day_text(self.start_ns // NS_PER_DAY)} to "
                f"{_day_text((self.end_ns - 1) // NS_PER_DAY)})",
                code="outside_sessions",
                remedy="Ask sessions() for a span that covers the data",
                calendar=self.calendar,
                first=low,
                last=high,
            )


_EPOCH = dt.date(1970, 1, 1)


def sessions(calendar: str, start_ns: int, end_ns: int) -> SessionTable:
    """Return the sessions of a calendar over at least [start_ns, end_ns], with a margin.

    The table covers whole calendar years, so the same span always gives the same table and calls
    for neighboring spans share one; it is built once a process.

    Parameters
    ----------
    calendar : str
        A name or alias of `exchange_calendars` (``"XNYS"``, ``"NYSE"``, ``"CMES"``), or ``"24/7"``.
    start_ns, end_ns : int
        Nanoseconds UTC of the first and last instant of interest.

    Raises
    ------
    UnknownName
        If no calendar has that name; close names are suggested.
    DataError
        If `end_ns` precedes `start_ns`, or the calendar's holidays are not recorded that far back.
    """
    if end_ns < start_ns:
        raise DataError(
            "the span of sessions ends before it starts",
            code="empty_span",
            remedy="Give start_ns <= end_ns",
            start_ns=start_ns,
            end_ns=end_ns,
        )
    first = _date_of(start_ns) - dt.timedelta(days=_MARGIN_BEFORE_DAYS)
    last = _date_of(end_ns) + dt.timedelta(days=_MARGIN_AFTER_DAYS)
    if calendar == ALWAYS_OPEN:
        return _always_open(first.year, last.year)
    table = _from_exchange(calendar, first.year, last.year)
    if start_ns < table.start_ns or end_ns >= table.end_ns:
        raise DataError(
            f"holidays of {calendar} are recorded from {_day_text(table.start_ns // NS_PER_DAY)} "
            f"to {_day_text((table.end_ns - 1) // NS_PER_DAY)} only",
            code="outside_sessions",
            remedy="Cut the data to that span, or use another calendar",
            calendar=calendar,
            start_ns=start_ns,
            end_ns=end_ns,
        )
    return table


def zone_of(calendar: str) -> str:
    """Return the time zone in which a calendar names its sessions.

    Raises
    ------
    UnknownName
        If no calendar has that name; close names are suggested.
    """
    if calendar == ALWAYS_OPEN:
        return "UTC"
    held = _built.get(calendar)
    if held is not None:
        return str(held[2].tz)
    calendars = importlib.import_module("exchange_calendars")
    _require_known(calendar, calendars)
    return str(calendars.get_calendar(calendar).tz)


def _date_of(ts: int) -> dt.date:
    return _EPOCH + dt.timedelta(days=ts // NS_PER_DAY)


def _day_text(days: int) -> str:
    return (_EPOCH + dt.timedelta(days=days)).isoformat()


def _year_ns(year: int) -> int:
    return (dt.date(year, 1, 1) - _EPOCH).days * NS_PER_DAY


@lru_cache(maxsize=64)
def _always_open(first_year: int, last_year: int) -> SessionTable:
    start_ns, end_ns = _year_ns(first_year), _year_ns(last_year + 1)
    # One day more on each side, so that the neighbors of the first and last instant are there.
    date = np.arange(start_ns // NS_PER_DAY - 1, end_ns // NS_PER_DAY + 1, dtype=np.int64)
    opens = date * NS_PER_DAY
    closes = opens + NS_PER_DAY
    return SessionTable(
        ALWAYS_OPEN,
        opens,
        closes,
        date.astype(np.int32),
        np.zeros(len(date), dtype=np.bool_),
        closes,
        closes,
        start_ns,
        end_ns,
    )


@lru_cache(maxsize=64)
def _from_exchange(name: str, first_year: int, last_year: int) -> SessionTable:
    # Imported on first use: it loads pandas and costs half a second, which `import pyrt` must not.
    calendars = importlib.import_module("exchange_calendars")
    _require_known(name, calendars)
    first = dt.date(first_year, 1, 1) - dt.timedelta(days=_EDGE_DAYS)
    last = dt.date(last_year, 12, 31) + dt.timedelta(days=_EDGE_DAYS)
    try:
        source = _calendar(calendars, name, first, last)
    except ValueError:
        first, last = _clamp(calendars.get_calendar(name), first, last)
        source = _calendar(calendars, name, first, last)
    start_ns = max(_year_ns(first_year), (first - _EPOCH).days * NS_PER_DAY)
    end_ns = min(_year_ns(last_year + 1), ((last - _EPOCH).days + 1) * NS_PER_DAY)
    dates = source.sessions.to_numpy().astype("datetime64[D]")
    rows = slice(*np.searchsorted(dates, [np.datetime64(first), np.datetime64(last) + 1]))
    return _to_table(name, source, rows, start_ns, end_ns)


def _calendar(calendars: Any, name: str, first: dt.date, last: dt.date) -> Any:
    """Return a calendar over at least a span; ValueError where its holidays are not recorded.

    Building one takes longer than a million bars do, so it is built ahead: who has loaded bars
    asks next for the sessions that their orders may still see.
    """
    held = _built.get(name)
    if held is not None and held[0] <= first and last <= held[1]:
        return held[2]
    for end in (last + dt.timedelta(days=_AHEAD_DAYS), last):
        try:
            source = calendars.get_calendar(name, start=str(first), end=str(end))
        except ValueError:
            if end == last:
                raise
        else:
            break
    _built[name] = first, end, source
    return source


def _clamp(known: Any, first: dt.date, last: dt.date) -> tuple[dt.date, dt.date]:
    """Cut a span to the years whose holidays the calendar records."""
    earliest, latest = known.bound_min(), known.bound_max()
    if earliest is not None:
        first = max(first, earliest.date())
    if latest is not None:
        last = min(last, latest.date())
    if first >= last:
        raise DataError(
            f"holidays of {known.name} are not recorded in these years",
            code="outside_sessions",
            remedy="Use other dates, or another calendar",
            calendar=known.name,
        )
    return first, last


def _require_known(name: str, calendars: Any) -> None:
    names = calendars.get_calendar_names(include_aliases=True)
    if name in names:
        return
    close = suggest(name, [*names, ALWAYS_OPEN], cutoff=0.5)
    raise UnknownName(
        f"no trading calendar is called {name!r}",
        code="unknown_calendar",
        remedy=f"Did you mean {' or '.join(close)}?" if close else 'Use "XNYS" or "24/7"',
        name=name,
        suggestions=close,
    )


def _to_table(name: str, source: Any, rows: slice, start_ns: int, end_ns: int) -> SessionTable:
    opens, closes = _nanoseconds(source.opens[rows]), _nanoseconds(source.closes[rows])
    breaks = [_nanoseconds(column[rows]) for column in (source.break_starts, source.break_ends)]
    # A missing time is the smallest int64 in NumPy; an empty break at the close needs no flag.
    break_start, break_end = (np.where(b == np.iinfo(np.int64).min, closes, b) for b in breaks)
    dates = source.sessions[rows].to_numpy().astype("datetime64[D]")
    early = np.isin(dates, source.early_closes.to_numpy().astype("datetime64[D]"))
    return SessionTable(
        name,
        opens,
        closes,
        dates.astype(np.int64).astype(np.int32),
        early,
        break_start,
        break_end,
        # Where the calendar's records begin, nothing can be said of the time before the first open.
        max(start_ns, int(opens[0])),
        end_ns,
    )


def _nanoseconds(column: Any) -> Int64Array:
    values: Int64Array = (
        column.dt.tz_convert(None).to_numpy().astype("datetime64[ns]").astype(np.int64)
    )
    return values
