"""The true range of bars."""

from libc.math cimport fabs


cdef inline double true_range(double high, double low, double close_before) noexcept nogil:
    """Greatest of high - low and the distances of both from the close before (Wilder)."""
    cdef double greatest = high - low, other = fabs(close_before - high)
    greatest = other if other > greatest else greatest
    other = fabs(close_before - low)
    return other if other > greatest else greatest


cdef inline double true_ranges(
    const double* high,
    const double* low,
    const double* close,
    double close_before,
    double* out,
    Py_ssize_t n,
) noexcept nogil:
    """Write the true ranges of `n` bars; return the last close. No row waits for another."""
    cdef Py_ssize_t i
    if n == 0:
        return close_before
    out[0] = true_range(high[0], low[0], close_before)
    for i in range(1, n):
        out[i] = true_range(high[i], low[i], close[i - 1])
    return close[n - 1]
