# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths; prices are above 0, or the output is NaN or infinite.
"""Volatility estimated from the prices of bars, per row (not annualized)."""

cimport cython
from libc.math cimport M_PI_2, fabs, log, sqrt

from pyrt.indicators.base cimport HighLow, OpenHighLowClose, Series, whole
from pyrt.indicators.moments cimport Moments, moments_init, moments_step
from pyrt.indicators.window cimport Sum, sum_init, sum_step

cdef double FOUR_LN2 = 4.0 * log(2.0)
cdef double RANGE_SHARE = 2.0 * log(2.0) - 1.0


@cython.final
cdef class PARKINSON(HighLow):
    """Parkinson's volatility: root of the mean of ln(high / low) squared over 4 ln 2.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Bars in the mean, 1 to 100,000.
    """

    cdef Sum window

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double span
        cdef Py_ssize_t i
        for i in range(n):
            span = log(x[0][i] / x[1][i])
            y[0][i] = sqrt(sum_step(&s, span * span) / (s.n * FOUR_LN2))
        self.window = s


cdef class Mean(OpenHighLowClose):
    """Root of the mean of a bar's variance."""

    cdef Sum window

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.window, self.reserve(n), n)


@cython.final
cdef class GARMANKLASS(Mean):
    """Garman and Klass' volatility: ln(high / low)^2 / 2 - (2 ln 2 - 1) ln(close / open)^2.

    Root of the mean over the window, 0 where that is below 0. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Bars in the mean, 1 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double span, body, mean
        cdef Py_ssize_t i
        for i in range(n):
            span = log(x[1][i] / x[2][i])
            body = log(x[3][i] / x[0][i])
            mean = sum_step(&s, 0.5 * span * span - RANGE_SHARE * body * body) / s.n
            y[0][i] = sqrt(mean) if not mean < 0.0 else 0.0
        self.window = s


@cython.final
cdef class ROGERSSATCHELL(Mean):
    """Rogers and Satchell's volatility, free of drift.

    Root of the mean of ln(high / close) ln(high / open) + ln(low / close) ln(low / open). The
    warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Bars in the mean, 1 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double mean
        cdef Py_ssize_t i
        for i in range(n):
            mean = sum_step(
                &s,
                log(x[1][i] / x[3][i]) * log(x[1][i] / x[0][i])
                + log(x[2][i] / x[3][i]) * log(x[2][i] / x[0][i]),
            ) / s.n
            y[0][i] = sqrt(mean) if not mean < 0.0 else 0.0
        self.window = s


@cython.final
cdef class YANGZHANG(OpenHighLowClose):
    """Yang and Zhang's volatility: of the gaps, of the bodies, and Rogers and Satchell's.

    Root of var(ln(open / close before)) + k var(ln(close / open)) + (1 - k) Rogers and Satchell's
    mean, with k = 0.34 / (1.34 + (n + 1) / (n - 1)); variances are divided by n - 1. The warm-up is
    `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Bars in the window, 2 to 100,000.
    """

    cdef Moments gaps
    cdef Moments bodies
    cdef Sum window
    cdef double last

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n)
        moments_init(&self.gaps, self.reserve(2 * n), n)
        moments_init(&self.bodies, self.reserve(2 * n), n)
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double length = self.window.n, k = 0.34 / (1.34 + (length + 1.0) / (length - 1.0))
        cdef double total, mean
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            if row > 0:
                moments_step(&self.gaps, log(x[0][i] / self.last))
                moments_step(&self.bodies, log(x[3][i] / x[0][i]))
                mean = sum_step(
                    &self.window,
                    log(x[1][i] / x[3][i]) * log(x[1][i] / x[0][i])
                    + log(x[2][i] / x[3][i]) * log(x[2][i] / x[0][i]),
                ) / length
                total = (self.gaps.variance + k * self.bodies.variance) * (length / (length - 1.0))
                total += (1.0 - k) * mean
                y[0][i] = sqrt(total) if not total < 0.0 else 0.0
            self.last = x[3][i]
            row += 1


@cython.final
cdef class REALIZEDVOL(Series):
    """Realized volatility: root of the mean of squared logarithmic returns.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Returns in the mean, 1 to 100,000.
    """

    cdef Sum window
    cdef double last

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double last = self.last, change
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            if row > 0:
                change = log(x[0][i] / last)
                y[0][i] = sqrt(sum_step(&s, change * change) / s.n)
            last = x[0][i]
            row += 1
        self.window = s
        self.last = last


@cython.final
cdef class BIPOWERVOL(Series):
    """Bipower volatility (Barndorff-Nielsen and Shephard): realized volatility that sees no jumps.

    Root of pi / 2 times the mean of the products of neighboring absolute logarithmic returns. The
    warm-up is `timeperiod` + 1 rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Products in the mean, 1 to 100,000.
    """

    cdef Sum window
    cdef double last
    cdef double before
    """Absolute return of the row before."""

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n + 1)
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double last = self.last, before = self.before, change
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            if row > 0:
                change = fabs(log(x[0][i] / last))
                if row > 1:
                    y[0][i] = sqrt(M_PI_2 * sum_step(&s, change * before) / s.n)
                before = change
            last = x[0][i]
            row += 1
        self.window = s
        self.last = last
        self.before = before
