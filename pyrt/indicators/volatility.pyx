# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""True range and what is averaged of it, and other measures of how far prices swing."""

cimport cython
from libc.math cimport sqrt

from pyrt.indicators.base cimport HighLow, HighLowClose, Series, whole
from pyrt.indicators.moments cimport Moments, moments_init, moments_step
from pyrt.indicators.ranges cimport true_range, true_ranges
from pyrt.indicators.smoothing cimport (
    Ema, Stage, ema_init, ema_run, ema_step, stage_ema, stage_step,
)
from pyrt.indicators.window cimport Lag, Sum, lag_init, lag_step, sum_init, sum_step


@cython.final
cdef class TRANGE(HighLowClose):
    """True range: the bar's range, stretched to the close before it.

    The warm-up is 1 row.
    """

    cdef double last

    def __init__(self):
        self.begin((), (), 1)
        self.last = 0.0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        self.last = true_ranges(x[0], x[1], x[2], self.last, y[0], n)


cdef class Ranges(HighLowClose):
    """Wilder's average of true ranges, from the second bar on."""

    cdef Ema average
    cdef double last
    cdef bint started

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        ema_init(&self.average, n, 1.0 / n)
        self.started = False

    cdef void fold(
        self, const double* high, const double* low, const double* close, double* y, Py_ssize_t n
    ) noexcept nogil:
        """Write the average after each of `n` bars; nothing of use before its first."""
        cdef Ema s = self.average
        cdef Py_ssize_t i = 0
        self.last = true_ranges(high, low, close, self.last, y, n)
        if not self.started:
            self.started = True
            i = 1
        while i < n and s.count < s.n:
            ema_step(&s, y[i])
            y[i] = s.y
            i += 1
        ema_run(&s, y + i, y + i, n - i)
        self.average = s


@cython.final
cdef class ATR(Ranges):
    """Average true range (Wilder).

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of Wilder's average, 1 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        self.fold(x[0], x[1], x[2], y[0], n)


@cython.final
cdef class NATR(Ranges):
    """Average true range in percent of the close; 0 where the close is 0.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of Wilder's average, 1 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* close = x[2]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        self.fold(x[0], x[1], close, o, n)
        for i in range(n):
            o[i] = o[i] / close[i] * 100.0 if close[i] != 0.0 else 0.0


@cython.final
cdef class ADR(HighLow):
    """Average daily range: simple average of high less low.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the average, 1 to 100,000.
    """

    cdef Sum window

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double scale = 1.0 / s.n
        cdef Py_ssize_t i
        for i in range(n):
            y[0][i] = sum_step(&s, x[0][i] - x[1][i]) * scale
        self.window = s


@cython.final
cdef class CVI(HighLow):
    """Chaikin's volatility: rate of change, in percent, of the averaged range; 0 from a range of 0.

    The warm-up is `timeperiod - 1` + `rocperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Length of the exponential average of high less low, 1 to 100,000.
    rocperiod : int, default 10
        Distance of the averages compared, 1 to 100,000 rows.
    """

    cdef Stage average
    cdef Lag lag

    def __init__(self, timeperiod=10, rocperiod=10):
        cdef int n = whole("timeperiod", timeperiod, 1), m = whole("rocperiod", rocperiod, 1)
        self.begin(("timeperiod", "rocperiod"), (timeperiod, rocperiod), n - 1 + m)
        stage_ema(&self.average, n)
        lag_init(&self.lag, self.reserve(m), m)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage s = self.average
        cdef Lag lag = self.lag
        cdef double old
        cdef Py_ssize_t i
        for i in range(n):
            if stage_step(&s, x[0][i] - x[1][i]):
                old = lag_step(&lag, s.y)
                y[0][i] = (s.y - old) / old * 100.0 if old != 0.0 else 0.0
        self.average = s
        self.lag = lag


@cython.final
cdef class MASSI(HighLow):
    """Mass index (Dorsey): sum of the ratios of a smoothed range to the same smoothed again.

    Where a range is smoothed to 0 the ratio counts as 1. The warm-up is 2 (fastperiod - 1) +
    `slowperiod` - 1 rows.

    Parameters
    ----------
    fastperiod : int, default 9
        Length of both exponential averages, 1 to 100,000.
    slowperiod : int, default 25
        Ratios in the sum, 1 to 100,000.
    """

    cdef Stage first
    cdef Stage second
    cdef Sum window

    def __init__(self, fastperiod=9, slowperiod=25):
        cdef int a = whole("fastperiod", fastperiod, 1), b = whole("slowperiod", slowperiod, 1)
        self.begin(("fastperiod", "slowperiod"), (fastperiod, slowperiod), 2 * (a - 1) + b - 1)
        stage_ema(&self.first, a)
        stage_ema(&self.second, a)
        sum_init(&self.window, self.reserve(b), b)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage a = self.first, b = self.second
        cdef Sum s = self.window
        cdef Py_ssize_t i
        for i in range(n):
            if stage_step(&a, x[0][i] - x[1][i]) and stage_step(&b, a.y):
                y[0][i] = sum_step(&s, a.y / b.y if b.y != 0.0 else 1.0)
        self.first = a
        self.second = b
        self.window = s


@cython.final
cdef class RVI(Series):
    """Relative volatility index (Dorsey): share of the deviation on rising rows, 0 to 100.

    Wilder's averages of the standard deviation, counted up on rises and down on falls; 50 if
    nothing moved. The warm-up is `stddevperiod` + `timeperiod` - 2 rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the averages, 1 to 100,000.
    stddevperiod : int, default 10
        Length of the deviation's window, 2 to 100,000.
    """

    cdef Moments moments
    cdef Ema up
    cdef Ema down
    cdef double last
    cdef Py_ssize_t wait

    def __init__(self, timeperiod=14, stddevperiod=10):
        cdef int n = whole("timeperiod", timeperiod, 1)
        cdef int m = whole("stddevperiod", stddevperiod, 2)
        self.begin(("timeperiod", "stddevperiod"), (timeperiod, stddevperiod), n + m - 2)
        moments_init(&self.moments, self.reserve(2 * m), m)
        ema_init(&self.up, n, 1.0 / n)
        ema_init(&self.down, n, 1.0 / n)
        self.wait = m - 1

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Moments s = self.moments
        cdef Ema up = self.up, down = self.down
        cdef double last = self.last, spread, total
        cdef Py_ssize_t i
        for i in range(n):
            moments_step(&s, x[0][i])
            if self.wait > 0:
                self.wait = self.wait - 1
            else:
                spread = sqrt(s.variance)
                ema_step(&up, spread if x[0][i] > last else 0.0)
                ema_step(&down, spread if x[0][i] < last else 0.0)
                total = up.y + down.y
                y[0][i] = 100.0 * (up.y / total) if total != 0.0 else 50.0
            last = x[0][i]
        self.moments = s
        self.up = up
        self.down = down
        self.last = last


@cython.final
cdef class VOLRATIO(HighLowClose):
    """Volatility ratio: slow over fast simple average of true ranges, above 1 in a quiet spell.

    0 where the fast average is 0. The warm-up is the longer period.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 10 and 30
        Lengths of the averages, 1 to 100,000.
    """

    cdef Sum fast
    cdef Sum slow
    cdef double last

    def __init__(self, fastperiod=10, slowperiod=30):
        cdef int a = whole("fastperiod", fastperiod, 1), b = whole("slowperiod", slowperiod, 1)
        self.begin(("fastperiod", "slowperiod"), (fastperiod, slowperiod), max(a, b))
        sum_init(&self.fast, self.reserve(a), a)
        sum_init(&self.slow, self.reserve(b), b)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double span, fast, slow
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            if row > 0:
                span = true_range(x[0][i], x[1][i], self.last)
                fast = sum_step(&self.fast, span) / self.fast.n
                slow = sum_step(&self.slow, span) / self.slow.n
                y[0][i] = slow / fast if fast > 0.0 else 0.0
            self.last = x[2][i]
            row += 1
