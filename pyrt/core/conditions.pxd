"""Conditions a strategy waits for, tested in C once per event, and how they combine."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.events cimport Event
from pyrt.core.panel cimport Panel
from pyrt.core.ports cimport Owner

cdef enum:
    SCAN_ROWS = 256  # most rows that are scanned at once

cdef enum Verdict:
    FALSE = 0
    TRUE = 1
    UNDEFINED = 2

cdef class Condition:
    cdef readonly bint stateful
    """It remembers earlier events, so it has to see every one of its stream."""
    cdef int cost
    """What a test takes, roughly: of two that remember nothing, the cheaper goes first."""
    cdef readonly object place
    """The Place it is bound to; None before."""
    cdef int test(self, const Event* event, int64_t tick) except -1
    cdef bint lay(self, Panel panel) except -1
    cdef bint scan(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                   Py_ssize_t taken) except -1
    cdef int restart(self) except -1
    cdef int reach(self, Py_ssize_t start, Py_ssize_t stop) except -1
    cdef int pass_rows(self, Py_ssize_t last, int64_t tick) except -1

cdef class Remembering(Condition):
    cdef int64_t tick
    """Event of the stream that `verdict` was found at; -1 before the first."""
    cdef int verdict
    cdef int test(self, const Event* event, int64_t tick) except -1
    cdef int advance(self, const Event* event, int64_t tick) except -1

cdef class Foreseeing(Remembering):
    cdef Py_ssize_t origin
    """The row of the panel that was next when the copy of the memory was made; -1 without one."""
    cdef Py_ssize_t reached
    """The row the copy would take next."""
    cdef signed char[SCAN_ROWS] unread
    """Verdicts that nobody asked for."""
    cdef int fork(self) except -1
    cdef int merge(self) except -1
    cdef int run_ahead(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                       Py_ssize_t taken) except -1
    cdef int catch_up(self, Py_ssize_t row, Py_ssize_t taken) except -1

cdef class Pair(Condition):
    cdef readonly Condition left
    cdef readonly Condition right
    cdef Condition first
    """Left and right in the order they are tested."""
    cdef Condition second
    cdef signed char[SCAN_ROWS] others
    """Verdicts of `second` while rows are scanned."""

@cython.final
cdef class Signal:
    """A condition, and what is called while it is true."""
    cdef readonly Condition condition
    cdef readonly Owner owner
    cdef readonly object handler
    cdef readonly bint takes_view
    """The handler is given the bar, quote or trade."""
