"""Bars by market activity: ticks, volume, value, their imbalances and their runs."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.data.aggregation cimport Aggregator, BarRow


cdef enum Measure:
    TICK = 0
    VOLUME = 1
    VALUE = 2


cdef class ActivityBars(Aggregator):
    cdef Measure _measure
    cdef BarRow _bar
    """Under way; empty while its count is 0."""

    cdef int _begin_event(self, int64_t ts_open, int64_t ts_close) except -1
    cdef double _weigh(self, double size, double value) noexcept
    cdef int _complete(self) except -1


cdef class ThresholdBars(ActivityBars):
    cdef readonly double threshold
    """Ticks, units of volume or of quote currency that complete a bar."""
    cdef double _sum

    cdef int _count(self, double weight) except -1


@cython.final
cdef class TickBars(ThresholdBars):
    pass


@cython.final
cdef class VolumeBars(ThresholdBars):
    pass


@cython.final
cdef class ValueBars(ThresholdBars):
    pass


cdef class SignedBars(ActivityBars):
    cdef readonly str measure
    """"tick", "volume" or "value"."""
    cdef readonly int64_t ticks_min
    """No bar completes with fewer ticks."""
    cdef readonly int64_t ticks_max
    """A bar of so many ticks completes in any case."""
    cdef readonly double expected_ticks
    """Moving average of the ticks of a bar."""
    cdef double _alpha
    cdef double _last_price
    cdef int _last_sign

    cdef int _sign_of(self, double price, int aggressor) noexcept
    cdef int _accumulate(self, int sign, double weight) except -1
    cdef double _reach(self) except? -1.0
    cdef double _threshold(self) except? -1.0
    cdef int _learn(self) except -1
    cdef int _restart(self) except -1
    cdef bint _is_due(self) except -1
    cdef double _moved(self, double average, double observed) noexcept


@cython.final
cdef class ImbalanceBars(SignedBars):
    cdef readonly double imbalance
    """Sum of sign x weight in the bar under way."""
    cdef readonly double expected_imbalance
    """Moving average of the imbalance per tick; NaN before the first bar."""


@cython.final
cdef class RunsBars(SignedBars):
    cdef readonly double bought
    """Sum of the weights of up ticks in the bar under way."""
    cdef readonly double sold
    """Sum of the weights of down ticks in the bar under way."""
    cdef readonly double expected_bought
    """Moving average of `bought` per tick; NaN before the first bar."""
    cdef readonly double expected_sold
    """Moving average of `sold` per tick; NaN before the first bar."""
