"""Time bars from trades, quotes or smaller bars."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.data.aggregation cimport Aggregator, BarRow, BarRows
from pyrt.data.aggregation_grid cimport TimeGrid


@cython.final
cdef class TimeBars(Aggregator):
    cdef readonly str timeframe
    """As given: `<n>s|m|h|d|w`."""
    cdef readonly int64_t grace_ns
    """How long after its end an interval still takes events."""
    cdef readonly bint fill_gaps
    """True to make flat bars of intervals without events."""
    cdef TimeGrid _grid
    cdef BarRows _open
    """Intervals under way, oldest first; more than one only while the grace lasts."""
    cdef int64_t _now
    cdef int64_t _filled_to
    cdef double _last_close

    cdef BarRow* _row_at(self, int64_t ts) except? NULL
    cdef BarRow* _last_if_holds(self, int64_t ts_open, int64_t ts_close) noexcept
    cdef BarRow* _row_of_interval(self) except? NULL
    cdef int _come_to(self, int64_t ts) except -1
    cdef int _complete_first(self) except -1
    cdef int _fill_to(self, int64_t limit) except -1
    cdef int _set_next_due(self) except -1
