"""Mean absolute deviation, which moves with the mean and so has to be summed afresh each time."""

from libc.math cimport fabs


cdef inline double mean_deviation(
    const double* values, Py_ssize_t n, double origin, double* mean
) noexcept nogil:
    """Mean absolute deviation of `n` values, and their mean less `origin` where asked for.

    `origin` is one of the values: measured from it, equal values deviate by exactly 0. There are
    four sums of each kind, so that an addition need not wait for the one before.
    """
    cdef double a = 0.0, b = 0.0, c = 0.0, d = 0.0, middle
    cdef Py_ssize_t i = 0
    while i + 3 < n:
        a += values[i] - origin
        b += values[i + 1] - origin
        c += values[i + 2] - origin
        d += values[i + 3] - origin
        i += 4
    while i < n:
        a += values[i] - origin
        i += 1
    middle = ((a + b) + (c + d)) / n
    if mean != NULL:
        mean[0] = middle
    middle += origin
    a = b = c = d = 0.0
    i = 0
    while i + 3 < n:
        a += fabs(values[i] - middle)
        b += fabs(values[i + 1] - middle)
        c += fabs(values[i + 2] - middle)
        d += fabs(values[i + 3] - middle)
        i += 4
    while i < n:
        a += fabs(values[i] - middle)
        i += 1
    return ((a + b) + (c + d)) / n
