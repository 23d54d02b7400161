"""The intervals of time bars: UTC multiples, or steps from the open of each session."""
cimport cython
from libc.stdint cimport int64_t


@cython.final
cdef class TimeGrid:
    cdef readonly int64_t step_ns
    """Length of an interval; sessions may cut it short."""
    cdef readonly bint has_pauses
    """True where one interval spans several sessions, so that part of it is closed time."""
    cdef int64_t start
    """First instant of the interval last found."""
    cdef int64_t end
    """First instant after it."""
    cdef int64_t _anchor
    cdef const int64_t[::1] _opens
    cdef const int64_t[::1] _closes
    cdef const int64_t[::1] _group_opens
    cdef const int64_t[::1] _group_closes
    cdef bint _has_sessions
    cdef Py_ssize_t _session

    cdef int find(self, int64_t ts) except -1
    cdef int find_from(self, int64_t ts) except -1
    cdef int find_span(self, int64_t ts_open, int64_t ts_close) except -1
    cdef Py_ssize_t _session_closing_after(self, int64_t ts) except -1
    cdef int _set_within(self, Py_ssize_t i, int64_t ts) except -1
    cdef int _straddles(self, int64_t ts_open, int64_t ts_close) except -1
