"""Conditions on numbers over time: crosses, runs, memories of a condition, hysteresis."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.conditions cimport Condition, Foreseeing, Remembering
from pyrt.core.events cimport Event
from pyrt.indicators.compose cimport Composable
from pyrt.indicators.signals_compare cimport Source

@cython.final
cdef class Output(Source):
    cdef Composable indicator
    cdef int which
    cdef str name

@cython.final
cdef class Cross(Remembering):
    cdef Source left
    cdef Source right
    cdef int direction
    """1 for left above right, -1 for below."""
    cdef double before_left
    """Both sides at the event before; NaN where undefined."""
    cdef double before_right

cdef struct Way:
    double before
    int64_t known    # defined values up to now, without a break
    int64_t steps    # steps in the direction up to now, without a break

@cython.final
cdef class Run(Foreseeing):
    cdef Source source
    cdef int direction
    cdef int64_t steps
    cdef Way memory
    cdef Way ahead
    """The memory's copy; see `Foreseeing`."""
    cdef int step(self, Way* memory, double now) noexcept

cdef class Watching(Foreseeing):
    cdef Condition inner
    cdef int judge_inner(self, signed char* verdicts, Py_ssize_t start, Py_ssize_t n,
                         Py_ssize_t taken) except -1

@cython.final
cdef class Within(Watching):
    cdef int64_t events
    cdef int64_t left
    """Events, this one included, for which the last time is still within."""
    cdef int64_t ahead
    cdef int step(self, int64_t* left, int verdict) noexcept

@cython.final
cdef class Becoming(Watching):
    cdef int before
    cdef int ahead
    cdef int step(self, int* memory, int verdict) noexcept

@cython.final
cdef class Hysteresis(Foreseeing):
    cdef Source source
    cdef double enter
    cdef double leave
    cdef bint is_on
    cdef bint ahead
    cdef int step(self, bint* memory, double now) noexcept
