"""When regular sessions are, without a search for each question."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument

@cython.final
cdef class Sessions:
    cdef const int64_t[::1] opens
    cdef const int64_t[::1] closes
    cdef Py_ssize_t row
    cdef int64_t since
    cdef int64_t open
    cdef int64_t close
    """The session found last, and the close before it."""
    cdef int find(self, int64_t ts) except -1

@cython.final
cdef class Hours:
    cdef readonly object sessions_of
    cdef dict known
    """Calendar → its Sessions, or None where trading never stops."""
    cdef bint is_open(self, Instrument instrument, int64_t now) except -1
    cdef bint touch(self, Instrument instrument, int64_t start, int64_t end) except -1
