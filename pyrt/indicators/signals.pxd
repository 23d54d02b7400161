"""Conditions on numbers over time: crosses, runs, memories of a condition, hysteresis."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.conditions cimport Condition, Remembering
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

@cython.final
cdef class Run(Remembering):
    cdef Source source
    cdef int direction
    cdef int64_t steps
    cdef int64_t taken
    """Steps in the direction up to now, without a break."""
    cdef int64_t known
    """Defined values up to now, without a break."""
    cdef double before

@cython.final
cdef class Within(Remembering):
    cdef Condition inner
    cdef int64_t events
    cdef int64_t left
    """Events, this one included, for which the last time is still within."""

@cython.final
cdef class Becoming(Remembering):
    cdef Condition inner
    cdef int before

@cython.final
cdef class Hysteresis(Remembering):
    cdef Source source
    cdef double enter
    cdef double leave
    cdef bint is_on
