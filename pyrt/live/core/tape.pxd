"""What the kernel was given, in call order, as bytes that can be played again."""
cimport cython
from libc.stdint cimport int64_t, uint8_t
from pyrt.core.events cimport Event

cdef enum:
    OP_LAYOUT = 1
    OP_ADVANCE = 2
    OP_TIMERS = 3
    OP_EVENT = 4
    OP_TEXT = 5
    OP_SETTLE = 6
    OP_SAMPLE = 7
    OP_NOTE = 8
    OP_END_BARS = 9

@cython.final
cdef class Tape:
    cdef uint8_t* buffer
    cdef Py_ssize_t size
    cdef Py_ssize_t capacity
    cdef readonly int64_t count
    """Inputs recorded so far."""
    cdef uint8_t* room(self, Py_ssize_t size) except NULL
    cdef int plain(self, int op) except -1
    cdef int advance(self, int64_t ts) except -1
    cdef int event(self, Event* event, str reason) except -1
    cdef int blob(self, int op, bytes data) except -1


cdef int need(Py_ssize_t at, Py_ssize_t wanted, Py_ssize_t size) except -1

cdef int need_layout(const uint8_t[::1] piece, Py_ssize_t at) except -1
