"""Whether an instrument's session is open, without a search for each order."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.instruments cimport Instrument

import numpy as np


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
