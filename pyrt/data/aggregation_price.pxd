"""Bars by price: range, Renko and Heikin-Ashi."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.data.aggregation cimport Aggregator
from pyrt.data.aggregation_activity cimport ActivityBars


@cython.final
cdef class RangeBars(ActivityBars):
    cdef int64_t _range
    """High less low that completes a bar, in 1e-9."""


@cython.final
cdef class RenkoBars(ActivityBars):
    cdef int64_t _brick
    """Height of a brick, in 1e-9."""
    cdef int64_t _bottom
    """Of the last brick, in 1e-9; bottom and top are the first price before it."""
    cdef int64_t _top
    cdef bint _has_price

    cdef int _start_at(self, int64_t raw) except -1
    cdef int _lay_bricks(self, int64_t raw) except -1
    cdef int _lay(self, bint up) except -1


@cython.final
cdef class HeikinAshiBars(Aggregator):
    cdef double _open
    """Of the last bar; NaN before the first."""
    cdef double _close
