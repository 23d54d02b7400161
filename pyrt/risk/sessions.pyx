"""Whether an instrument's session is open, without a search for each order."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.instruments cimport Instrument

import numpy as np

cdef int64_t DAY_NS = 86_400_000_000_000


@cython.final
cdef class Session:
    """The sessions of one calendar, [open, close), asked at times that never step back.

    Parameters
    ----------
    opens, closes : array of int64, shape (n,)
        ns UTC, ascending.
    """

    def __init__(self, opens, closes):
        self.opens = np.ascontiguousarray(opens, dtype=np.int64)
        self.closes = np.ascontiguousarray(closes, dtype=np.int64)

    cdef bint is_open(self, int64_t now) except -1:
        cdef Py_ssize_t n = self.opens.shape[0]
        if n == 0:
            return False
        while self.current + 1 < n and self.opens[self.current + 1] <= now:
            self.current += 1
        return self.opens[self.current] <= now < self.closes[self.current]


@cython.final
cdef class DayClock:
    """Numbers the days that daily limits count by.

    Parameters
    ----------
    limits : Limits
        Their `daily_reset`: a time of day, UTC, or ``"session"``.
    closes_of : callable, optional
        Returns the closes of the sessions that days end with, ns UTC; None where there are none.
        Asked once, when a day is first needed. Without it, days end at midnight UTC.
    """

    def __init__(self, limits, closes_of=None):
        self.reset_ns = limits.daily_reset_ns
        self.by_session = limits.daily_reset == "session"
        self.closes_of = closes_of
        self.since = self.until = 0

    cdef int64_t day(self, int64_t now) except? -1:
        """The number of the day that holds `now`: days since 1970 of when it ends or began."""
        if not self.by_session:
            return (now - self.reset_ns) // DAY_NS
        if not self.since <= now < self.until:
            self.find(now)
        return self.number

    cdef int find(self, int64_t now) except -1:
        cdef Py_ssize_t i, n
        if not self.looked:
            self.looked = True
            closes = None if self.closes_of is None else self.closes_of()
            self.closes = np.ascontiguousarray(() if closes is None else closes, dtype=np.int64)
        n = self.closes.shape[0]
        i = np.searchsorted(np.asarray(self.closes), now, side="right")
        if i == 0 or i == n:
            self.number = now // DAY_NS
            self.since = self.number * DAY_NS
            self.until = self.since + DAY_NS
            # After the last close the day is that of the close too: only the first one parts it.
            if n and i == 0:
                self.until = min(self.until, self.closes[0])
            return 0
        self.number = self.closes[i] // DAY_NS
        self.since, self.until = self.closes[i - 1], self.closes[i]
        return 0

    def day_at(self, int64_t now):
        """Return the number of the day that holds `now`."""
        return self.day(now)


@cython.final
cdef class SessionClock:
    """The sessions of every calendar in use.

    Parameters
    ----------
    lookup : callable, optional
        Instrument → (opens, closes), or None where trading never stops.
    """

    def __init__(self, lookup=None):
        self.lookup = lookup
        self.sessions = {}

    cdef bint is_open(self, Instrument instrument, int64_t now) except -1:
        found = self.sessions.get(instrument.calendar)
        if found is None:
            hours = None if self.lookup is None else self.lookup(instrument)
            found = self.sessions[instrument.calendar] = (
                False if hours is None else Session(*hours)
            )
        return True if found is False else (<Session>found).is_open(now)

    def open_at(self, Instrument instrument, int64_t now):
        """Return whether the instrument trades at `now`, which must not step back."""
        return self.is_open(instrument, now)
