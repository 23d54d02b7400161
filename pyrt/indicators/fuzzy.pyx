# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Bars put in words: how long a bar, its body and its shadows are beside those before it."""

cimport cython
from libc.math cimport fabs, sqrt

from pyrt.indicators.base cimport OpenHighLowClose, number, whole
from pyrt.indicators.moments cimport Moments, moments_init, moments_step

from pyrt.errors import ConfigError


cdef inline double grade(
    double value, double mean, double spread, const double* bounds, int n
) noexcept nogil:
    """One more than the bounds (in deviations off the mean) the value lies above; 0 for 0."""
    cdef int k, above = 1
    if value == 0.0:
        return 0.0
    for k in range(n):
        above += value > mean + bounds[k] * spread
    return above


@cython.final
cdef class FUZZYCANDLE(OpenHighLowClose):
    """Fuzzy candle: outputs `direction`, `size`, `body`, `upperwick` and `lowerwick` as grades.

    `direction` is 1 for a close above the open, -1 below, 0 at it. The others say where a measure
    lies among the last `timeperiod` bars, this one included, in standard deviations off their mean:
    0 for none, 1 up to -b, 2 up to -a, 3 up to a, 4 up to b, 5 up to c, 6 above, with a, b, c the
    thresholds. The measures are high - low, and body and wicks as a share of it. The warm-up is
    `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Bars in the window, 2 to 100,000.
    threshold1, threshold2, threshold3 : float, default 0.5, 1 and 2
        a < b < c, in standard deviations.
    """

    cdef Moments measures[4]
    cdef double bounds[5]

    def __init__(self, timeperiod=10, threshold1=0.5, threshold2=1.0, threshold3=2.0):
        cdef int n = whole("timeperiod", timeperiod, 2), k
        cdef double a = number("threshold1", threshold1, 0.0, 1e6)
        cdef double b = number("threshold2", threshold2, 0.0, 1e6)
        cdef double c = number("threshold3", threshold3, 0.0, 1e6)
        if not a < b < c:
            raise ConfigError(f"thresholds are {a:g}, {b:g}, {c:g}; expected them to rise")
        self.begin(
            ("timeperiod", "threshold1", "threshold2", "threshold3"),
            (timeperiod, threshold1, threshold2, threshold3),
            n - 1,
            ("direction", "size", "body", "upperwick", "lowerwick"),
        )
        self.bounds[0] = -b
        self.bounds[1] = -a
        self.bounds[2] = a
        self.bounds[3] = b
        self.bounds[4] = c
        for k in range(4):
            moments_init(&self.measures[k], self.reserve(2 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double measure[4]
        cdef double first, last, top, bottom, span
        cdef Py_ssize_t i
        cdef int k
        for i in range(n):
            first = x[0][i]
            last = x[3][i]
            top = first if first > last else last
            bottom = last if first > last else first
            span = x[1][i] - x[2][i]
            measure[0] = span
            measure[1] = fabs(last - first) / span if span > 0.0 else 0.0
            measure[2] = (x[1][i] - top) / span if span > 0.0 else 0.0
            measure[3] = (bottom - x[2][i]) / span if span > 0.0 else 0.0
            y[0][i] = 1.0 if last > first else (-1.0 if last < first else 0.0)
            for k in range(4):
                moments_step(&self.measures[k], measure[k])
                y[k + 1][i] = grade(
                    measure[k],
                    self.measures[k].mean,
                    sqrt(self.measures[k].variance),
                    self.bounds,
                    5,
                )

    @property
    def direction(self):
        """1, -1 or 0."""
        return self.out[0]

    @property
    def size(self):
        """Grade of the range, 0 to 6."""
        return self.out[1]

    @property
    def body(self):
        """Grade of the body, 0 to 6."""
        return self.out[2]

    @property
    def upperwick(self):
        """Grade of the upper shadow, 0 to 6."""
        return self.out[3]

    @property
    def lowerwick(self):
        """Grade of the lower shadow, 0 to 6."""
        return self.out[4]
