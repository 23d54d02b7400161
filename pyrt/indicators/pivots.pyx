# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Pivot levels: what one bar's range says about the next, for traders of days and weeks.

Fed with the bars of a coarse stream (`1d`, say), the levels are those of the bar under way: they
are made of the last complete bar, so nothing looks ahead.
"""

cimport cython

from pyrt.indicators.base cimport HighLowClose


cdef class _Pivots(HighLowClose):
    """A middle with three levels on either side."""

    def __init__(self):
        self.begin((), (), 0, ("pivot", "r1", "r2", "r3", "s1", "s2", "s3"))

    @property
    def pivot(self):
        """Mean of high, low and close."""
        return self.out[0]

    @property
    def r1(self):
        """First resistance."""
        return self.out[1]

    @property
    def r2(self):
        """Second resistance."""
        return self.out[2]

    @property
    def r3(self):
        """Third resistance."""
        return self.out[3]

    @property
    def s1(self):
        """First support."""
        return self.out[4]

    @property
    def s2(self):
        """Second support."""
        return self.out[5]

    @property
    def s3(self):
        """Third support."""
        return self.out[6]


@cython.final
cdef class PIVOTS(_Pivots):
    """Classic pivots: outputs `pivot`, `r1` to `r3` above and `s1` to `s3` below.

    Pivot P = (H + L + C) / 3; R1 = 2 P - L, R2 = P + (H - L), R3 = H + 2 (P - L); S1 = 2 P - H,
    S2 = P - (H - L), S3 = L - 2 (H - P). No warm-up.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double high, low, middle
        cdef Py_ssize_t i
        for i in range(n):
            high = x[0][i]
            low = x[1][i]
            middle = (high + low + x[2][i]) / 3.0
            y[0][i] = middle
            y[1][i] = 2.0 * middle - low
            y[2][i] = middle + (high - low)
            y[3][i] = high + 2.0 * (middle - low)
            y[4][i] = 2.0 * middle - high
            y[5][i] = middle - (high - low)
            y[6][i] = low - 2.0 * (high - middle)


@cython.final
cdef class FIBPIVOTS(_Pivots):
    """Fibonacci pivots: outputs `pivot`, `r1` to `r3` above and `s1` to `s3` below.

    The pivot (H + L + C) / 3 and 0.382, 0.618 and 1 times the range off it. No warm-up.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double span, middle
        cdef Py_ssize_t i
        for i in range(n):
            span = x[0][i] - x[1][i]
            middle = (x[0][i] + x[1][i] + x[2][i]) / 3.0
            y[0][i] = middle
            y[1][i] = middle + 0.382 * span
            y[2][i] = middle + 0.618 * span
            y[3][i] = middle + span
            y[4][i] = middle - 0.382 * span
            y[5][i] = middle - 0.618 * span
            y[6][i] = middle - span


@cython.final
cdef class CAMARILLA(HighLowClose):
    """Camarilla levels: outputs `r1` to `r4` above and `s1` to `s4` below the close.

    1.1 times the range over 12, 6, 4 and 2, off the close. No warm-up.
    """

    def __init__(self):
        self.begin((), (), 0, ("r1", "r2", "r3", "r4", "s1", "s2", "s3", "s4"))

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double span, close
        cdef Py_ssize_t i
        for i in range(n):
            span = 1.1 * (x[0][i] - x[1][i])
            close = x[2][i]
            y[0][i] = close + span / 12.0
            y[1][i] = close + span / 6.0
            y[2][i] = close + span / 4.0
            y[3][i] = close + span / 2.0
            y[4][i] = close - span / 12.0
            y[5][i] = close - span / 6.0
            y[6][i] = close - span / 4.0
            y[7][i] = close - span / 2.0

    @property
    def r1(self):
        """A twelfth of 1.1 ranges above the close."""
        return self.out[0]

    @property
    def r2(self):
        """A sixth of 1.1 ranges above."""
        return self.out[1]

    @property
    def r3(self):
        """A quarter of 1.1 ranges above."""
        return self.out[2]

    @property
    def r4(self):
        """Half of 1.1 ranges above."""
        return self.out[3]

    @property
    def s1(self):
        """A twelfth of 1.1 ranges below the close."""
        return self.out[4]

    @property
    def s2(self):
        """A sixth of 1.1 ranges below."""
        return self.out[5]

    @property
    def s3(self):
        """A quarter of 1.1 ranges below."""
        return self.out[6]

    @property
    def s4(self):
        """Half of 1.1 ranges below."""
        return self.out[7]
