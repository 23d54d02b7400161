"""Days that end with a session, or at a time of day."""
cimport cython
from libc.stdint cimport int64_t

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
