"""When regular sessions are, without a search for each question."""
cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN

import numpy as np


@cython.final
cdef class Sessions:
    """The regular sessions of one calendar, [open, close).

    Parameters
    ----------
    opens, closes : array of int64, shape (n,)
        ns UTC, ascending.
    """

    def __init__(self, opens, closes):
        self.opens = np.ascontiguousarray(opens, dtype=np.int64)
        self.closes = np.ascontiguousarray(closes, dtype=np.int64)
        self.since = self.open = self.close = INT64_MIN

    cdef int find(self, int64_t ts) except -1:
        """Set the session that holds `ts` or comes next; a close belongs to what follows."""
        cdef Py_ssize_t i = self.row, n = self.closes.shape[0]
        if self.since <= ts < self.close:
            return 0
        # From one question to the next it is a session or two: steps are less than a search.
        while i < n and self.closes[i] <= ts:
            i += 1
        while i > 0 and self.closes[i - 1] > ts:
            i -= 1
        self.row = i
        self.since = self.closes[i - 1] if i else INT64_MIN
        self.open = self.opens[i] if i < n else INT64_MAX
        self.close = self.closes[i] if i < n else INT64_MAX
        return 0


@cython.final
cdef class Hours:
    """The regular sessions of the instruments of a run.

    Parameters
    ----------
    sessions_of : callable, optional
        Instrument → (opens, closes), or None where trading never stops.
    """

    def __init__(self, sessions_of=None):
        self.sessions_of = sessions_of
        self.known = {}

    cdef bint is_open(self, Instrument instrument, int64_t now) except -1:
        return self.touch(instrument, now, now)

    def open_at(self, Instrument instrument, int64_t now):
        """Return whether the instrument trades at `now`."""
        return self.touch(instrument, now, now)

    cdef bint touch(self, Instrument instrument, int64_t start, int64_t end) except -1:
        """Whether prices from `start` to `end` are of a session; True where trading never stops.

        A bar that begins before the open and ends after it is; one that ends with it is not.
        """
        cdef Sessions sessions
        if instrument.calendar not in self.known:
            found = None if self.sessions_of is None else self.sessions_of(instrument)
            self.known[instrument.calendar] = None if found is None else Sessions(*found)
        sessions = self.known[instrument.calendar]
        if sessions is None:
            return True
        sessions.find(start)
        return sessions.open <= start or sessions.open < end
