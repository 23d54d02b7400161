# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Bands about an average."""

cimport cython
from libc.math cimport sqrt

from pyrt.indicators.base cimport CHUNK, HighLowClose, Native, Series, number, whole
from pyrt.indicators.choice cimport average, kind
from pyrt.indicators.moments cimport Moments, moments_init, moments_step
from pyrt.indicators.ranges cimport true_range
from pyrt.indicators.smoothing cimport Stage, stage_ema, stage_init, stage_step
from pyrt.indicators.window cimport Sum, sum_init, sum_step


@cython.final
cdef class BBANDS(Series):
    """Bollinger bands: an average and lines `nbdevup` and `nbdevdn` standard deviations off it.

    Outputs `upperband`, `middleband`, `lowerband`. The deviation is about the window's mean, of
    whatever kind the average is. The warm-up is the average's.

    Parameters
    ----------
    timeperiod : int, default 20
        Length of the average and of the deviation's window, 1 to 100,000.
    nbdevup, nbdevdn : float, default 2.0
        Deviations up and down.
    matype : int, default 0
        Kind of average, as in `MA`.
    """

    cdef Moments moments
    cdef Native middle
    cdef double up
    cdef double down

    def __init__(self, timeperiod=20, nbdevup=2.0, nbdevdn=2.0, matype=0):
        cdef int n = whole("timeperiod", timeperiod, 1), which = kind("matype", matype)
        self.up = number("nbdevup", nbdevup, -3e37, 3e37)
        self.down = number("nbdevdn", nbdevdn, -3e37, 3e37)
        self.middle = average(which, n) if which != 0 else None
        self.begin(
            ("timeperiod", "nbdevup", "nbdevdn", "matype"),
            (timeperiod, nbdevup, nbdevdn, matype),
            n - 1 if which == 0 else max(self.middle.lookback, n - 1),
            ("upperband", "middleband", "lowerband"),
        )
        moments_init(&self.moments, self.reserve(2 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Moments s = self.moments
        cdef const double* a = x[0]
        cdef double* upper = y[0]
        cdef double* middle = y[1]
        cdef double* lower = y[2]
        cdef double up = self.up, down = self.down, spread
        cdef bint own = self.middle is None
        cdef Py_ssize_t i
        if not own:
            self.middle.flow(a, middle, n)
        for i in range(n):
            moments_step(&s, a[i])
            spread = sqrt(s.variance)
            if own:
                middle[i] = s.mean
            upper[i] = middle[i] + up * spread
            lower[i] = middle[i] - down * spread
        self.moments = s

    @property
    def upperband(self):
        """Upper line."""
        return self.out[0]

    @property
    def middleband(self):
        """The average."""
        return self.out[1]

    @property
    def lowerband(self):
        """Lower line."""
        return self.out[2]


@cython.final
cdef class ACCBANDS(HighLowClose):
    """Acceleration bands (Headley): averages of highs and lows, pushed out by their range.

    Outputs `upperband`, `middleband` (average close), `lowerband`. A bar is pushed out by the
    factor 1 + 4 (high - low) / (high + low). The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Length of the averages, 1 to 100,000.
    """

    cdef Sum upper
    cdef Sum middle
    cdef Sum lower

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(
            ("timeperiod",), (timeperiod,), n - 1, ("upperband", "middleband", "lowerband")
        )
        sum_init(&self.upper, self.reserve(n), n)
        sum_init(&self.middle, self.reserve(n), n)
        sum_init(&self.lower, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum a = self.upper, b = self.middle, c = self.lower
        cdef double scale = 1.0 / a.n, high, low, push
        cdef Py_ssize_t i
        for i in range(n):
            high = x[0][i]
            low = x[1][i]
            push = 4.0 * (high - low) / (high + low) if high + low != 0.0 else 0.0
            y[0][i] = sum_step(&a, high * (1.0 + push)) * scale
            y[1][i] = sum_step(&b, x[2][i]) * scale
            y[2][i] = sum_step(&c, low * (1.0 - push)) * scale
        self.upper = a
        self.middle = b
        self.lower = c

    @property
    def upperband(self):
        """Upper line."""
        return self.out[0]

    @property
    def middleband(self):
        """Average close."""
        return self.out[1]

    @property
    def lowerband(self):
        """Lower line."""
        return self.out[2]


@cython.final
cdef class KC(HighLowClose):
    """Keltner channel: an averaged price and lines `nbdev` average true ranges off it.

    The average is exponential, of typical prices. Outputs `upperband`, `middleband`, `lowerband`.
    The range is Wilder's average (`ATR`). The
    warm-up is the longer of `timeperiod - 1` and `atrperiod`.

    Parameters
    ----------
    timeperiod : int, default 20
        Length of the average of typical prices, 1 to 100,000.
    atrperiod : int, default 10
        Length of the average of true ranges, 1 to 100,000.
    nbdev : float, default 2.0
        Average true ranges up and down.
    """

    cdef Stage middle
    cdef Stage spread
    cdef double width
    cdef double last
    cdef Py_ssize_t row
    cdef Py_ssize_t wait_middle
    """Rows the average lets pass, so that both are as young as can be at the first output."""
    cdef Py_ssize_t wait_spread

    def __init__(self, timeperiod=20, atrperiod=10, nbdev=2.0):
        cdef int n = whole("timeperiod", timeperiod, 1), m = whole("atrperiod", atrperiod, 1)
        self.width = number("nbdev", nbdev, -3e37, 3e37)
        self.begin(
            ("timeperiod", "atrperiod", "nbdev"),
            (timeperiod, atrperiod, nbdev),
            max(n - 1, m),
            ("upperband", "middleband", "lowerband"),
        )
        stage_ema(&self.middle, n)
        stage_init(&self.spread, m, 1.0 / m)
        self.row = 0
        self.wait_middle = self.lookback - (n - 1)
        self.wait_spread = self.lookback - m

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage a = self.middle, b = self.spread
        cdef double last = self.last
        cdef Py_ssize_t i, row = self.row
        for i in range(n):
            if row >= self.wait_middle:
                stage_step(&a, (x[0][i] + x[1][i] + x[2][i]) / 3.0)
            if row > self.wait_spread:
                stage_step(&b, true_range(x[0][i], x[1][i], last))
            row += 1
            last = x[2][i]
            y[0][i] = a.y + self.width * b.y
            y[1][i] = a.y
            y[2][i] = a.y - self.width * b.y
        self.middle = a
        self.spread = b
        self.last = last
        self.row = row

    @property
    def upperband(self):
        """Upper line."""
        return self.out[0]

    @property
    def middleband(self):
        """Exponential average of the typical prices."""
        return self.out[1]

    @property
    def lowerband(self):
        """Lower line."""
        return self.out[2]


@cython.final
cdef class KPOS(HighLowClose):
    """Keltner position: the close off the middle of `KC`, in half widths; 1 is the upper line.

    0 where the channel has no width. The warm-up is `KC`'s.

    Parameters
    ----------
    timeperiod, atrperiod : int, default 20 and 10
        Lengths of the middle's and of the true ranges' average, 1 to 100,000.
    nbdev : float, default 2.0
        Average true ranges in half a width.
    """

    cdef Native channel

    def __init__(self, timeperiod=20, atrperiod=10, nbdev=2.0):
        self.channel = KC(timeperiod, atrperiod, nbdev)
        self.begin(
            ("timeperiod", "atrperiod", "nbdev"),
            (timeperiod, atrperiod, nbdev),
            self.channel.lookback,
        )

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double lines[3][CHUNK]
        cdef double* columns[3]
        cdef double half
        cdef Py_ssize_t i
        cdef int k
        for k in range(3):
            columns[k] = lines[k]
        self.channel.run(x, columns, n)
        for i in range(n):
            half = lines[0][i] - lines[1][i]
            y[0][i] = (x[2][i] - lines[1][i]) / half if half != 0.0 else 0.0
