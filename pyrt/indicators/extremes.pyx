# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths.
"""Greatest and least values of a window, and where they are."""

cimport cython
from libc.math cimport INFINITY

from pyrt.indicators.base cimport CHUNK, HighLow, Series, whole
from pyrt.indicators.summits cimport Summit, latest_step, ranges_run, summit_init, summit_step
from pyrt.indicators.window cimport (
    Lag, Peak, lag_init, lag_step, peak_grow, peak_init, peak_step, trough_grow, trough_init,
    trough_step,
)


@cython.final
cdef class MAX(Series):
    """Greatest of the last `timeperiod` values.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    cdef Peak peak

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        peak_init(&self.peak, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Peak s = self.peak
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef Py_ssize_t i = 0, stop
        while i < n:
            stop = min(n, i + s.n - 1 - s.p)
            while i < stop:
                o[i] = peak_grow(&s, a[i])
                i += 1
            if i < n:
                o[i] = peak_step(&s, a[i])
                i += 1
        self.peak = s


@cython.final
cdef class MIN(Series):
    """Least of the last `timeperiod` values.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    cdef Peak trough

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        trough_init(&self.trough, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Peak s = self.trough
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef Py_ssize_t i = 0, stop
        while i < n:
            stop = min(n, i + s.n - 1 - s.p)
            while i < stop:
                o[i] = trough_grow(&s, a[i])
                i += 1
            if i < n:
                o[i] = trough_step(&s, a[i])
                i += 1
        self.trough = s


@cython.final
cdef class MINMAX(Series):
    """Least and greatest of the last `timeperiod` values: outputs `min` and `max`.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    cdef Peak trough
    cdef Peak peak

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1, ("min", "max"))
        trough_init(&self.trough, self.reserve(n), n)
        peak_init(&self.peak, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        ranges_run(&self.peak, &self.trough, x[0], x[0], y[1], y[0], n)

    @property
    def min(self):
        """Least value."""
        return self.out[0]

    @property
    def max(self):
        """Greatest value."""
        return self.out[1]


cdef class Placed(Series):
    """Rows of the least and the greatest value."""

    cdef Summit low
    cdef Summit high
    cdef int length

    cdef int arrange(self, object timeperiod, tuple outputs) except -1:
        self.length = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), self.length - 1, outputs)
        summit_init(&self.low, self.reserve(2 * self.length), self.length, -1.0)
        summit_init(&self.high, self.reserve(2 * self.length), self.length, 1.0)
        return 0

    cdef void find(self, Summit* summit, const double* x, double* y, Py_ssize_t n) noexcept nogil:
        """Take `n` values; write the row of the greatest, or the least, after each."""
        cdef Summit s = summit[0]
        cdef Py_ssize_t i, gaps = self.rows - self.seen
        for i in range(n):
            summit_step(&s, x[i], self.seen + i)
            y[i] = s.best_row + gaps
        summit[0] = s


@cython.final
cdef class MAXINDEX(Placed):
    """Row (counted from 0, gaps included) of the greatest of the last `timeperiod` values.

    Of equal values the newest counts when it arrives, the oldest when the one that counted leaves.
    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        self.arrange(timeperiod, ("value",))

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        self.find(&self.high, x[0], y[0], n)


@cython.final
cdef class MININDEX(Placed):
    """Row (counted from 0, gaps included) of the least of the last `timeperiod` values.

    Of equal values the newest counts when it arrives, the oldest when the one that counted leaves.
    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        self.arrange(timeperiod, ("value",))

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        self.find(&self.low, x[0], y[0], n)


@cython.final
cdef class MINMAXINDEX(Placed):
    """Rows of the least and the greatest value: outputs `minidx` and `maxidx`.

    As `MININDEX` and `MAXINDEX`. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        self.arrange(timeperiod, ("minidx", "maxidx"))

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        # One after the other: side by side they want more registers than there are.
        self.find(&self.low, x[0], y[0], n)
        self.find(&self.high, x[0], y[1], n)

    @property
    def minidx(self):
        """Row of the least value."""
        return self.out[0]

    @property
    def maxidx(self):
        """Row of the greatest value."""
        return self.out[1]


@cython.final
cdef class MIDPOINT(Series):
    """Middle between the greatest and the least of the last `timeperiod` values.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the window, 1 to 100,000.
    """

    cdef Peak peak
    cdef Peak trough

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        peak_init(&self.peak, self.reserve(n), n)
        trough_init(&self.trough, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double low[CHUNK]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        ranges_run(&self.peak, &self.trough, x[0], x[0], o, low, n)
        for i in range(n):
            o[i] = (o[i] + low[i]) * 0.5


cdef class Channel(HighLow):
    """Highest high and lowest low of the last bars."""

    cdef Peak peak
    cdef Peak trough

    cdef int arrange(self, object timeperiod, int extra, tuple outputs) except -1:
        cdef int n = whole("timeperiod", timeperiod, 1) + extra
        self.begin(("timeperiod",), (timeperiod,), n - 1, outputs)
        peak_init(&self.peak, self.reserve(n), n)
        trough_init(&self.trough, self.reserve(n), n)
        return 0


@cython.final
cdef class MIDPRICE(Channel):
    """Middle between the highest high and the lowest low of the last `timeperiod` bars.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the window, 1 to 100,000.
    """

    def __init__(self, timeperiod=14):
        self.arrange(timeperiod, 0, ("value",))

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double low[CHUNK]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        ranges_run(&self.peak, &self.trough, x[0], x[1], o, low, n)
        for i in range(n):
            o[i] = (o[i] + low[i]) * 0.5


@cython.final
cdef class DONCHIAN(Channel):
    """Donchian channel: highest high, middle and lowest low of the last `timeperiod` bars.

    Outputs `upperband`, `middleband`, `lowerband`. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Length of the window, 1 to 100,000.
    """

    def __init__(self, timeperiod=20):
        self.arrange(timeperiod, 0, ("upperband", "middleband", "lowerband"))

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Peak a = self.peak, b = self.trough
        cdef double upper, lower
        cdef Py_ssize_t i
        for i in range(n):
            upper = peak_step(&a, x[0][i])
            lower = trough_step(&b, x[1][i])
            y[0][i] = upper
            y[1][i] = (upper + lower) * 0.5
            y[2][i] = lower
        self.peak = a
        self.trough = b

    @property
    def upperband(self):
        """Highest high."""
        return self.out[0]

    @property
    def middleband(self):
        """Middle of the channel."""
        return self.out[1]

    @property
    def lowerband(self):
        """Lowest low."""
        return self.out[2]


cdef class Arrows(HighLow):
    """Bars since the highest high and the lowest low among the last `timeperiod` + 1 bars."""

    cdef Summit high
    cdef Summit low
    cdef double scale

    cdef int arrange(self, object timeperiod, tuple outputs) except -1:
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n, outputs)
        summit_init(&self.high, self.reserve(2 * n + 2), n + 1, 1.0)
        summit_init(&self.low, self.reserve(2 * n + 2), n + 1, -1.0)
        self.scale = 100.0 / n
        return 0


@cython.final
cdef class AROON(Arrows):
    """Aroon: how recent the lowest low (`aroondown`) and the highest high (`aroonup`) are.

    100 for the present bar down to 0 for one `timeperiod` bars ago. The warm-up is `timeperiod`
    rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Bars looked back, 1 to 100,000.
    """

    def __init__(self, timeperiod=14):
        self.arrange(timeperiod, ("aroondown", "aroonup"))

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Summit a = self.high, b = self.low
        cdef double row = self.seen, past = a.length - 1.0, scale = self.scale
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef double* down = y[0]
        cdef double* up = y[1]
        cdef Py_ssize_t i
        for i in range(n):
            down[i] = scale * (past - (row - latest_step(&b, low[i], row)))
            up[i] = scale * (past - (row - latest_step(&a, high[i], row)))
            row += 1.0
        self.high = a
        self.low = b

    @property
    def aroondown(self):
        """Recency of the lowest low, 0 to 100."""
        return self.out[0]

    @property
    def aroonup(self):
        """Recency of the highest high, 0 to 100."""
        return self.out[1]


@cython.final
cdef class AROONOSC(Arrows):
    """Aroon oscillator: `aroonup` less `aroondown`, -100 to 100.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Bars looked back, 1 to 100,000.
    """

    def __init__(self, timeperiod=14):
        self.arrange(timeperiod, ("value",))

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Summit a = self.high, b = self.low
        cdef double row = self.seen, scale = self.scale
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = scale * (latest_step(&a, high[i], row) - latest_step(&b, low[i], row))
            row += 1.0
        self.high = a
        self.low = b


cdef struct Swing:
    Peak before       # of the bars to the left
    Peak after        # of the bars to the right
    Lag pivots        # prices of the bars that stand out on their left, the others' -inf
    double top        # greatest of the bars to the left of the next one


cdef inline void swing_init(
    Swing* s, double* left, Py_ssize_t n_left, double* right, double* pivots, Py_ssize_t n_right
) noexcept nogil:
    peak_init(&s.before, left, n_left)
    peak_init(&s.after, right, n_right)
    lag_init(&s.pivots, pivots, n_right)
    s.top = -INFINITY


cdef void swing_run(
    Swing* swing, const double* x, double sign, double* y, Py_ssize_t n
) noexcept nogil:
    """Take `n` prices; write 100 where one is confirmed as a high (sign -1: low), else 0."""
    cdef Swing s = swing[0]
    cdef double price, pivot
    cdef Py_ssize_t i
    for i in range(n):
        price = sign * x[i]
        # a bar that does not stand out on its left is never a pivot
        pivot = lag_step(&s.pivots, price if price > s.top else -INFINITY)
        y[i] = 100.0 if pivot > peak_step(&s.after, price) else 0.0
        s.top = peak_step(&s.before, price)
    swing[0] = s


@cython.final
cdef class FRACTAL(HighLow):
    """Williams' fractals: outputs `swinghigh` and `swinglow`, 100 where one is confirmed, else 0.

    A bar is a swing high if its high is above those of `leftbars` bars before and `rightbars` bars
    after it; it is reported `rightbars` rows late, when that is known. The warm-up is `leftbars` +
    `rightbars` rows.

    Parameters
    ----------
    leftbars, rightbars : int, default 2
        Bars to the sides, 1 to 100,000.
    """

    cdef Swing high
    cdef Swing low

    def __init__(self, leftbars=2, rightbars=2):
        cdef int a = whole("leftbars", leftbars, 1), b = whole("rightbars", rightbars, 1)
        self.begin(
            ("leftbars", "rightbars"), (leftbars, rightbars), a + b, ("swinghigh", "swinglow")
        )
        swing_init(&self.high, self.reserve(a), a, self.reserve(b), self.reserve(b), b)
        swing_init(&self.low, self.reserve(a), a, self.reserve(b), self.reserve(b), b)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        # One after the other: side by side they want more registers than there are.
        swing_run(&self.high, x[0], 1.0, y[0], n)
        swing_run(&self.low, x[1], -1.0, y[1], n)

    @property
    def swinghigh(self):
        """100 where a swing high is confirmed, else 0."""
        return self.out[0]

    @property
    def swinglow(self):
        """100 where a swing low is confirmed, else 0."""
        return self.out[1]
