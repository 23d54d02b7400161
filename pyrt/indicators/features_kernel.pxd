"""Running a set of features over bars: fed, filled and normalized row by row."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.ports cimport Indicator
from pyrt.indicators.compose cimport Composable
from pyrt.indicators.features_columns cimport BarColumns

cdef enum:
    MAX_FEATURE_INPUTS = 8

cdef struct Scale:
    # rows taken, and their running mean and sum of squared deviations, or minimum and maximum
    int64_t n
    double mean
    double squares
    double low
    double high

cdef class Same(Composable):
    pass

cdef class LogReturn(Composable):
    cdef readonly int period_
    cdef double* ring
    cdef int64_t seen

cdef class Ratio(Composable):
    cdef readonly Indicator above
    cdef readonly Indicator below
    cdef readonly double minus
    cdef Py_ssize_t split

cdef class Cycle(Composable):
    cdef readonly double length
    cdef readonly str phase
    cdef double rate
    cdef bint is_sine

@cython.final
cdef class Node:
    cdef Composable indicator
    cdef int which
    cdef int width
    cdef int[MAX_FEATURE_INPUTS] slots

@cython.final
cdef class FeatureKernel:
    cdef BarColumns columns
    cdef list nodes
    cdef Py_ssize_t n
    cdef int normalization
    """0 none, 1 z-score, 2 min-max."""
    cdef bint fills
    cdef Scale* scales
    cdef double* row
    """The latest row, filled and normalized."""
    cdef double* last
    """Latest defined value of each feature, before normalization; NaN before the first."""
    cdef Py_ssize_t undefined
    """Features without a defined output up to now."""
    cdef bint* known
    cdef int step(self, int64_t ts, double first, double high, double low, double close,
                  double volume) except -1
    cdef void take_value(self, Py_ssize_t k, double x) noexcept
    cdef double scaled(self, Py_ssize_t k, double x) noexcept
