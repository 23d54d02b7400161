"""Whether an instrument's session is open, without a search for each order."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument

@cython.final
cdef class Session:
    cdef const int64_t[::1] opens
    cdef const int64_t[::1] closes
    cdef Py_ssize_t current
    cdef bint is_open(self, int64_t now) except -1

@cython.final
cdef class DayClock:
    cdef int64_t reset_ns
    cdef bint by_session
    cdef object closes_of
    cdef const int64_t[::1] closes
    cdef bint looked
    cdef int64_t number
    cdef int64_t since
    cdef int64_t until
    """The day found last: its number and its span."""
    cdef int64_t day(self, int64_t now) except? -1
    cdef int find(self, int64_t now) except -1

@cython.final
cdef class SessionClock:
    cdef readonly object lookup
    cdef dict sessions
    cdef bint is_open(self, Instrument instrument, int64_t now) except -1
