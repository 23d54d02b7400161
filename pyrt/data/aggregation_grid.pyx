"""The intervals of time bars: UTC multiples, or steps from the open of each session.

Without sessions an interval is [k x step, (k + 1) x step) from the Unix epoch, and whole weeks
start on Monday 00:00 UTC. With sessions an intraday interval counts from its session's open and
ends with the session at the latest (a half day ends early). Whole days are whole sessions: `1d` is
one session, `2d` those of two days of the calendar, `1w` those from Monday to Sunday; the bar runs
from the first one's open to the last one's close. A session's day is the UTC date at its middle,
which is right for sessions that open the evening before or close after midnight.
"""
cimport cython

import numpy as np

from pyrt.data.timeframe import DAY_NS as _DAY_NS
from pyrt.data.timeframe import UNITS_NS as _UNITS_NS
from pyrt.data.timeframe import format_timeframe, parse_timeframe
from pyrt.errors import ConfigError, DataError

_WEEK_NS = _UNITS_NS["w"]
_FIRST_MONDAY = 4  # 1970-01-05, days since the epoch


def _session_arrays(sessions):
    """Check a pair (opens, closes) and return it as two int64 arrays."""
    opens, closes = (np.array(column, np.int64) for column in sessions)
    if opens.ndim != 1 or opens.shape != closes.shape or len(opens) == 0:
        raise ConfigError(
            f"Session opens and closes have shapes {opens.shape} and {closes.shape}",
            remedy="Give two arrays of one length, at least 1",
        )
    pauses = opens[1:] - closes[: len(closes) - 1]
    bad = np.flatnonzero((opens >= closes) | np.append(pauses < 0, False))
    if len(bad):
        raise ConfigError(
            f"Session {bad[0]} does not end before the next one starts, or is empty",
            remedy="Give sessions [open, close) in order, without overlap",
            rows=bad[:10].tolist(),
        )
    return opens, closes


def _grouped(opens, closes, int64_t step_ns):
    """First open and last close of each session's group of whole days or weeks."""
    days = (opens + (closes - opens) // 2) // _DAY_NS
    if step_ns % _WEEK_NS == 0:
        days = days - _FIRST_MONDAY
    groups = days // (step_ns // _DAY_NS)
    is_first = np.append(True, np.diff(groups) != 0)
    number = np.cumsum(is_first) - 1
    last = np.append(np.flatnonzero(is_first)[1:], len(opens)) - 1
    return opens[is_first][number], closes[last][number]


@cython.final
cdef class TimeGrid:
    """Find the interval of an instant.

    Parameters
    ----------
    timeframe : str
        `<n>s|m|h|d|w`; seven days are a week.
    sessions : tuple of (opens, closes), optional
        int64 arrays, shape (n_sessions,), ns UTC, sorted, [open, close). Instants outside all of
        them, those after the last close included, belong to no interval.

    Raises
    ------
    ConfigError
        If the timeframe is none, the sessions are not sorted or overlap, or the timeframe is
        longer than a day without being whole days and sessions are given.
    """

    def __init__(self, str timeframe not None, sessions=None):
        self.step_ns = parse_timeframe(timeframe)
        self._anchor = _FIRST_MONDAY * _DAY_NS if self.step_ns % _WEEK_NS == 0 else 0
        self._has_sessions = sessions is not None
        if sessions is None:
            return
        opens, closes = _session_arrays(sessions)
        self._opens, self._closes = opens, closes
        self.has_pauses = self.step_ns >= _DAY_NS
        if not self.has_pauses:
            return
        if self.step_ns % _DAY_NS:
            raise ConfigError(
                f"A timeframe of {timeframe} does not fit sessions",
                remedy="Give less than a day, or whole days",
                timeframe=timeframe,
            )
        self._group_opens, self._group_closes = _grouped(opens, closes, self.step_ns)

    def interval(self, int64_t ts):
        """(start, end) of the interval that holds `ts`, None outside sessions."""
        return (self.start, self.end) if self.find(ts) else None

    cdef int find(self, int64_t ts) except -1:
        """Set `start` and `end` to the interval of `ts`; 0 if it lies outside all sessions."""
        cdef Py_ssize_t i
        if not self._has_sessions:
            self.start = ts - (ts - self._anchor) % self.step_ns
            self.end = self.start + self.step_ns
            return 1
        i = self._session_closing_after(ts)
        if i == len(self._opens) or ts < self._opens[i]:
            return 0
        return self._set_within(i, ts)

    cdef int find_from(self, int64_t ts) except -1:
        """As `find`, but from closed time go on to the next session; 0 after the last."""
        cdef Py_ssize_t i
        if not self._has_sessions:
            return self.find(ts)
        i = self._session_closing_after(ts)
        if i == len(self._opens):
            return 0
        return self._set_within(i, max(ts, self._opens[i]))

    cdef int find_span(self, int64_t ts_open, int64_t ts_close) except -1:
        """Set the interval that holds [ts_open, ts_close) but for closed time; 0 if all is closed.

        A bar may begin before the open or end after the close (the first hour bar of a session
        that opens at half past); one that has parts in two intervals cannot be split.
        """
        cdef Py_ssize_t i
        if not self._has_sessions:
            self.find(ts_open)
            return 1 if ts_close <= self.end else self._straddles(ts_open, ts_close)
        i = self._session_closing_after(ts_open)
        if i == len(self._opens) or ts_close <= self._opens[i]:
            return 0
        self._set_within(i, max(ts_open, self._opens[i]))
        if ts_close <= self.end:
            return 1
        i = self._session_closing_after(self.end - 1)
        if self.end < self._closes[i]:
            return self._straddles(ts_open, ts_close)
        if i + 1 < len(self._opens) and self._opens[i + 1] < ts_close:
            return self._straddles(ts_open, ts_close)
        return 1

    cdef int _straddles(self, int64_t ts_open, int64_t ts_close) except -1:
        raise DataError(
            f"A bar [{ts_open}, {ts_close}) does not fit into "
            f"{format_timeframe(self.step_ns)} intervals: it reaches past {self.end}",
            remedy="Aggregate from bars whose length divides the timeframe",
            ts_open=ts_open,
            ts_close=ts_close,
        )

    cdef int _set_within(self, Py_ssize_t i, int64_t ts) except -1:
        if self.has_pauses:
            self.start = self._group_opens[i]
            self.end = self._group_closes[i]
        else:
            self.start = ts - (ts - self._opens[i]) % self.step_ns
            self.end = min(self.start + self.step_ns, self._closes[i])
        return 1

    cdef Py_ssize_t _session_closing_after(self, int64_t ts) except -1:
        """Index of the first session that closes after `ts`, their number if none does."""
        cdef Py_ssize_t low = self._session, high = len(self._closes), middle
        # Time mostly stays in the session found last or goes on to the next one.
        if low < high and ts < self._closes[low] and (low == 0 or ts >= self._closes[low - 1]):
            return low
        if low >= high or ts < self._closes[low]:
            low, high = 0, low
        while low < high:
            middle = (low + high) // 2
            if self._closes[middle] <= ts:
                low = middle + 1
            else:
                high = middle
        self._session = low
        return low
