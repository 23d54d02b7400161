# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Whether there is a trend, which way, and where it last turned."""

cimport cython
from libc.math cimport NAN, log

from pyrt.indicators.base cimport HighLow, HighLowClose, Series, whole
from pyrt.indicators.ranges cimport true_range
from pyrt.indicators.smoothing cimport Stage, stage_ema, stage_step
from pyrt.indicators.window cimport (
    Lag, Peak, Sum, lag_init, lag_step, peak_init, peak_step, sum_init, sum_step, trough_init,
    trough_step,
)


@cython.final
cdef class CHOP(HighLowClose):
    """Choppiness index (Dreiss): high in a sideways market, low in a trend; 0 to 100.

    100 log(sum of true ranges / range of the window) / log(`timeperiod`); NaN over a window
    without range. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Bars in the window, 2 to 100,000.
    """

    cdef Sum ranges
    cdef Peak high
    cdef Peak low
    cdef double last
    cdef double scale

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.ranges, self.reserve(n), n)
        peak_init(&self.high, self.reserve(n), n)
        trough_init(&self.low, self.reserve(n), n)
        self.scale = 100.0 / log(<double>n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double path, span
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            span = peak_step(&self.high, x[0][i]) - trough_step(&self.low, x[1][i])
            if row > 0:
                path = sum_step(&self.ranges, true_range(x[0][i], x[1][i], self.last))
                y[0][i] = self.scale * log(path / span) if span > 0.0 else NAN
            self.last = x[2][i]
            row += 1


@cython.final
cdef class PSL(Series):
    """Psychological line: rises in percent of the last `timeperiod` moves, 0 to 100.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 12
        Moves in the window, 1 to 100,000.
    """

    cdef Sum rises
    cdef double last

    def __init__(self, timeperiod=12):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.rises, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.rises
        cdef double last = self.last
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            if row > 0:
                y[0][i] = 100.0 * sum_step(&s, 1.0 if x[0][i] > last else 0.0) / s.n
            last = x[0][i]
            row += 1
        self.rises = s
        self.last = last


@cython.final
cdef class BIAS(Series):
    """Bias: how far the value lies off its simple average, as a fraction of it.

    0 where the average is 0. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 26
        Values in the average, 1 to 100,000.
    """

    cdef Sum window

    def __init__(self, timeperiod=26):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double mean
        cdef Py_ssize_t i
        for i in range(n):
            mean = sum_step(&s, x[0][i]) / s.n
            y[0][i] = x[0][i] / mean - 1.0 if mean != 0.0 else 0.0
        self.window = s


@cython.final
cdef class AMAT(Series):
    """Archer's moving averages trends: outputs `longrun` and `shortrun`, 1 or 0.

    `longrun` is 1 while the fast exponential average is higher, and `shortrun` while it is lower,
    than `signalperiod` rows before, and the slow one moved too. The warm-up is the longer period
    - 1 + `signalperiod` rows.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 8 and 21
        Lengths of the averages, 1 to 100,000.
    signalperiod : int, default 2
        Rows the averages are compared over, 1 to 100,000.
    """

    cdef Stage fast
    cdef Stage slow
    cdef Lag fast_past
    cdef Lag slow_past

    def __init__(self, fastperiod=8, slowperiod=21, signalperiod=2):
        cdef int a = whole("fastperiod", fastperiod, 1), b = whole("slowperiod", slowperiod, 1)
        cdef int m = whole("signalperiod", signalperiod, 1)
        self.begin(
            ("fastperiod", "slowperiod", "signalperiod"),
            (fastperiod, slowperiod, signalperiod),
            max(a, b) - 1 + m,
            ("longrun", "shortrun"),
        )
        stage_ema(&self.fast, a)
        stage_ema(&self.slow, b)
        lag_init(&self.fast_past, self.reserve(m), m)
        lag_init(&self.slow_past, self.reserve(m), m)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double fast, slow
        cdef Py_ssize_t i
        for i in range(n):
            stage_step(&self.fast, x[0][i])
            stage_step(&self.slow, x[0][i])
            fast = self.fast.y - lag_step(&self.fast_past, self.fast.y)
            slow = self.slow.y - lag_step(&self.slow_past, self.slow.y)
            y[0][i] = 1.0 if fast > 0.0 and slow != 0.0 else 0.0
            y[1][i] = 1.0 if fast < 0.0 and slow != 0.0 else 0.0

    @property
    def longrun(self):
        """1 while both averages speak for higher prices."""
        return self.out[0]

    @property
    def shortrun(self):
        """1 while both averages speak for lower prices."""
        return self.out[1]


@cython.final
cdef class SWINGS(HighLow):
    """Swings: outputs `direction`, `swinghigh`, `swinglow`, `length` and `duration`.

    A bar that makes the highest high of the window, and not also its lowest low, is a swing high
    and turns the direction to 1; a lowest low turns it to -1; before both it is 0. `swinghigh` and
    `swinglow` are the prices of the last ones (until there is one: the window's extremes),
    `length` is their distance and `duration` the bars since the last swing of the other side. The
    warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Bars in the window, 1 to 100,000.
    """

    cdef Peak highs
    cdef Peak lows
    cdef double price[2]
    cdef double since[2]
    """Bars since the last swing high and low."""
    cdef bint known[2]
    cdef double direction

    def __init__(self, timeperiod=10):
        cdef int n = whole("timeperiod", timeperiod, 1), k
        self.begin(
            ("timeperiod",),
            (timeperiod,),
            n - 1,
            ("direction", "swinghigh", "swinglow", "length", "duration"),
        )
        peak_init(&self.highs, self.reserve(n), n)
        trough_init(&self.lows, self.reserve(n), n)
        self.direction = 0.0
        for k in range(2):
            self.known[k] = False
            self.since[k] = 0.0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double high, low
        cdef bint is_high, is_low
        cdef Py_ssize_t i
        cdef int k
        for i in range(n):
            high = peak_step(&self.highs, x[0][i])
            low = trough_step(&self.lows, x[1][i])
            is_high = x[0][i] >= high and x[1][i] > low
            is_low = x[1][i] <= low and x[0][i] < high
            for k in range(2):
                self.since[k] = self.since[k] + 1.0
            if is_high or is_low:
                k = 0 if is_high else 1
                self.known[k] = True
                self.price[k] = x[k][i]
                self.since[k] = 0.0
                self.direction = 1.0 if is_high else -1.0
            y[0][i] = self.direction
            y[1][i] = self.price[0] if self.known[0] else high
            y[2][i] = self.price[1] if self.known[1] else low
            y[3][i] = y[1][i] - y[2][i]
            y[4][i] = self.since[1 if self.direction > 0.0 else 0]

    @property
    def direction(self):
        """1 after a swing high, -1 after a swing low, 0 before both."""
        return self.out[0]

    @property
    def swinghigh(self):
        """Price of the last swing high."""
        return self.out[1]

    @property
    def swinglow(self):
        """Price of the last swing low."""
        return self.out[2]

    @property
    def length(self):
        """Distance between the two."""
        return self.out[3]

    @property
    def duration(self):
        """Bars since the last swing of the other side."""
        return self.out[4]
