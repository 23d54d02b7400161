"""Simulated and event-driven time: a clock that only moves forward, and its timers."""
cimport cython
from libc.stdint cimport int64_t

cdef struct Timer:
    int64_t due
    int64_t sequence
    # 0 for a one-shot alert
    int64_t interval
    int64_t stop
    int64_t slot

@cython.final
cdef class TimerEvent:
    cdef readonly str name
    cdef readonly int64_t ts_event
    cdef readonly object owner
    cdef readonly object handler

@cython.final
cdef class Clock:
    cdef int64_t now
    """Current time, ns UTC."""
    cdef int64_t next_due
    """When the earliest timer is due; INT64_MAX when none is set."""
    cdef Timer* heap
    cdef Py_ssize_t count
    cdef Py_ssize_t capacity
    cdef int64_t sequence
    cdef dict entries
    cdef dict slots
    cdef int64_t made
    cdef int add(self, str name, int64_t due, int64_t interval, int64_t stop, object owner,
                 object handler) except -1
    cdef bint is_live(self, Timer* timer)
    cdef object pop_due(self, int64_t until)
    cdef int push(self, Timer timer) except -1
    cdef int drop_head(self) except -1
    cdef int settle(self) except -1
