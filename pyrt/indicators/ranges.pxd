"""The true range of a bar."""

from libc.math cimport fabs


cdef inline double true_range(double high, double low, double close_before) noexcept nogil:
    """Greatest of high - low and the distances of both from the close before (Wilder)."""
    cdef double greatest = high - low, other = fabs(close_before - high)
    greatest = other if other > greatest else greatest
    other = fabs(close_before - low)
    return other if other > greatest else greatest
