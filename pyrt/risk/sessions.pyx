"""Days that end with a session, or at a time of day."""
cimport cython
from libc.stdint cimport int64_t

import numpy as np

cdef int64_t DAY_NS = 86_400_000_000_000


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
