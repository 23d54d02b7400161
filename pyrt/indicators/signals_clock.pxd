"""Conditions on the time of an event: the time of day somewhere, and the session."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.conditions cimport Condition
from pyrt.core.events cimport Event

cdef class OfTheClock(Condition):
    cdef const int64_t* times
    """The times of a panel's rows."""
    cdef int at(self, int64_t ts) except -1

@cython.final
cdef class TimeOfDay(OfTheClock):
    cdef int64_t start
    """Nanoseconds of the local day, first inside ..."""
    cdef int64_t stop
    """... and first outside; before `start` where the span goes over midnight."""
    cdef object zone
    cdef int64_t offset
    """Local time minus UTC, ns, for instants in [known_from, known_to)."""
    cdef int64_t known_from
    cdef int64_t known_to
    cdef int look_up(self, int64_t ts) except -1

@cython.final
cdef class InSession(OfTheClock):
    cdef int64_t first
    """Length of the span after the open, ns; -1 for the whole session."""
    cdef int64_t last
    """Length of the span before the close, ns; -1 for the whole session."""
    cdef const int64_t[::1] opens
    cdef const int64_t[::1] closes
    cdef Py_ssize_t row
    cdef int seek(self, int64_t ts) except -1
