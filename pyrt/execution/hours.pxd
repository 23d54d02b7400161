"""When prices are those of a regular session."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument

@cython.final
cdef class Sessions:
    cdef const int64_t[::1] opens
    cdef const int64_t[::1] closes
    cdef int64_t since
    cdef int64_t open
    cdef int64_t close
    """The session found last, and the close before it."""
    cdef int find(self, int64_t ts) except -1

@cython.final
cdef class Hours:
    cdef object sessions_of
    cdef dict known
    """Calendar → its Sessions, or None where trading never stops."""
    cdef bint touch(self, Instrument instrument, int64_t start, int64_t end) except -1
