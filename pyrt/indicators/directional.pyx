# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Wilder's directional movement, and the vortex."""

cimport cython
from libc.math cimport fabs

from pyrt.indicators.base cimport HighLow, HighLowClose, whole
from pyrt.indicators.ranges cimport true_range
from pyrt.indicators.window cimport Lag, Sum, lag_init, lag_step, sum_init, sum_step


cdef struct Movement:
    Py_ssize_t n
    Py_ssize_t count   # bars taken, up to n
    double keep        # what a sum keeps of itself: 1 - 1 / n
    double high
    double low
    double close
    double plus        # Wilder's sums: of upward movement,
    double minus       # of downward movement,
    double range       # and of the true range


cdef inline void movement_init(Movement* s, Py_ssize_t n) noexcept nogil:
    s.n = n
    s.count = 0
    s.keep = 1.0 - 1.0 / n
    s.plus = 0.0
    s.minus = 0.0
    s.range = 0.0


cdef inline void movement_step(Movement* s, double high, double low, double close) noexcept nogil:
    """Take a bar; the sums are plain over the first n - 1 movements, then smoothed."""
    cdef double up, down, plus, minus, keep
    if s.count > 0:
        up = high - s.high
        down = s.low - low
        minus = down if down > 0.0 and up < down else 0.0
        plus = up if up > 0.0 and up > down else 0.0
        keep = s.keep if s.count >= s.n else 1.0
        s.plus = s.plus * keep + plus
        s.minus = s.minus * keep + minus
        s.range = s.range * keep + true_range(high, low, s.close)
    if s.count < s.n:
        s.count += 1
    s.high = high
    s.low = low
    s.close = close


cdef struct Side:
    Py_ssize_t n
    Py_ssize_t count   # bars taken, up to n
    double keep
    double high
    double low
    double sum         # Wilder's sum of movement to one side


cdef inline void side_init(Side* s, Py_ssize_t n) noexcept nogil:
    s.n = n
    s.count = 0
    s.keep = 1.0 - 1.0 / n
    s.sum = 0.0


cdef inline double side_move(double up, double other) noexcept nogil:
    """Movement to one side: that far, where it went further than to the other."""
    return up if up > (other if other > 0.0 else 0.0) else 0.0


cdef void side_run(
    Side* s, const double* high, const double* low, double* y, Py_ssize_t n, bint rises
) noexcept nogil:
    """Take `n` bars; the sum is plain over the first n - 1 movements, then smoothed."""
    cdef double sum = s.sum, keep = s.keep
    cdef Py_ssize_t i
    if rises:  # the movements first, since none waits for another
        y[0] = side_move(high[0] - s.high, s.low - low[0])
        for i in range(1, n):
            y[i] = side_move(high[i] - high[i - 1], low[i - 1] - low[i])
    else:
        y[0] = side_move(s.low - low[0], high[0] - s.high)
        for i in range(1, n):
            y[i] = side_move(low[i - 1] - low[i], high[i] - high[i - 1])
    i = 0
    while i < n and s.count < s.n:
        sum += y[i] if s.count > 0 else 0.0
        y[i] = sum
        s.count += 1
        i += 1
    for i in range(i, n):
        sum = sum * keep + y[i]
        y[i] = sum
    s.sum = sum
    s.high = high[n - 1]
    s.low = low[n - 1]


cdef inline double index_of(Movement* s, double before) noexcept nogil:
    """The directional index; `before` where nothing moved."""
    cdef double plus, minus, total
    if s.range == 0.0:
        return before
    plus = s.plus / s.range
    minus = s.minus / s.range
    total = plus + minus
    return 100.0 * (fabs(minus - plus) / total) if total != 0.0 else before


@cython.final
cdef class PLUS_DM(HighLow):
    """Wilder's sum of upward movement: of highs, where they rise more than lows fall.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the smoothing, 1 (none) to 100,000.
    """

    cdef Side state

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), max(n - 1, 1))
        side_init(&self.state, n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        side_run(&self.state, x[0], x[1], y[0], n, True)


@cython.final
cdef class MINUS_DM(HighLow):
    """Wilder's sum of downward movement: of lows, where they fall more than highs rise.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the smoothing, 1 (none) to 100,000.
    """

    cdef Side state

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), max(n - 1, 1))
        side_init(&self.state, n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        side_run(&self.state, x[0], x[1], y[0], n, False)


cdef class Directional(HighLowClose):
    """Wilder's sums over bars."""

    cdef Movement state

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        movement_init(&self.state, n)


@cython.final
cdef class PLUS_DI(Directional):
    """Plus directional indicator: upward movement in percent of the true range.

    0 where the range is 0. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the smoothing, 1 (none) to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Movement s = self.state
        cdef Py_ssize_t i
        cdef double factor = 100.0 if s.n > 1 else 1.0  # TA-Lib's, unsmoothed, is a fraction
        for i in range(n):
            movement_step(&s, x[0][i], x[1][i], x[2][i])
            y[0][i] = factor * (s.plus / s.range) if s.range != 0.0 else 0.0
        self.state = s


@cython.final
cdef class MINUS_DI(Directional):
    """Minus directional indicator: downward movement in percent of the true range.

    0 where the range is 0. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the smoothing, 1 (none) to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Movement s = self.state
        cdef Py_ssize_t i
        cdef double factor = 100.0 if s.n > 1 else 1.0
        for i in range(n):
            movement_step(&s, x[0][i], x[1][i], x[2][i])
            y[0][i] = factor * (s.minus / s.range) if s.range != 0.0 else 0.0
        self.state = s


@cython.final
cdef class DX(Directional):
    """Directional index: 100 times the two indicators' distance over their sum, 0 to 100.

    Where nothing moved it stays what it was (0 at first). The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the smoothing, 2 to 100,000.
    """

    cdef double index

    def __cinit__(self):
        self.index = 0.0

    def __init__(self, timeperiod=14):
        whole("timeperiod", timeperiod, 2)
        Directional.__init__(self, timeperiod)
        self.index = 0.0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Movement s = self.state
        cdef double index = self.index
        cdef Py_ssize_t i
        for i in range(n):
            movement_step(&s, x[0][i], x[1][i], x[2][i])
            if s.count == s.n and self.seen + i >= s.n:
                index = index_of(&s, index)
            y[0][i] = index
        self.state = s
        self.index = index


cdef struct Adx:
    Movement movement
    Py_ssize_t taken   # directional indexes in the starting mean, up to n
    Py_ssize_t wait    # bars before the first of them
    double y


cdef inline void adx_init(Adx* s, Py_ssize_t n) noexcept nogil:
    movement_init(&s.movement, n)
    s.taken = 0
    s.wait = n
    s.y = 0.0


cdef inline void adx_step(Adx* s, double high, double low, double close) noexcept nogil:
    """Take a bar; a directional index that nothing moved is left out of the average."""
    cdef double index
    movement_step(&s.movement, high, low, close)
    if s.wait > 0:
        s.wait -= 1
        return
    if s.taken < s.movement.n:
        s.y += index_of(&s.movement, 0.0)
        s.taken += 1
        if s.taken == s.movement.n:
            s.y /= s.movement.n
        return
    index = index_of(&s.movement, -1.0)
    if index >= 0.0:
        s.y += (index - s.y) * (1.0 - s.movement.keep)


@cython.final
cdef class ADX(HighLowClose):
    """Average directional index (Wilder): the strength of a trend, 0 to 100.

    The warm-up is 2 timeperiod - 1 rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of all smoothing, 2 to 100,000.
    """

    cdef Adx state

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), 2 * n - 1)
        adx_init(&self.state, n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef const double* close = x[2]
        cdef double* o = y[0]
        cdef Adx s = self.state
        cdef Py_ssize_t i
        for i in range(n):
            adx_step(&s, high[i], low[i], close[i])
            o[i] = s.y
        self.state = s


@cython.final
cdef class ADXR(HighLowClose):
    """Average directional index rating: mean of `ADX` and of itself `timeperiod - 1` rows ago.

    The warm-up is 3 timeperiod - 2 rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of all smoothing, 2 to 100,000.
    """

    cdef Adx state
    cdef Lag lag

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), 3 * n - 2)
        adx_init(&self.state, n)
        lag_init(&self.lag, self.reserve(n - 1), n - 1)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Adx s = self.state
        cdef Lag lag = self.lag
        cdef Py_ssize_t i
        for i in range(n):
            adx_step(&s, x[0][i], x[1][i], x[2][i])
            y[0][i] = (s.y + lag_step(&lag, s.y)) * 0.5
        self.state = s
        self.lag = lag


@cython.final
cdef class VORTEX(HighLowClose):
    """Vortex (Botes and Siepman): outputs `plusvi` and `minusvi`.

    Sums of |high - low before| and |low - high before| over the sum of true ranges; 0 where that is
    0. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Bars in the sums, 1 to 100,000.
    """

    cdef Sum plus
    cdef Sum minus
    cdef Sum span
    cdef double last[3]
    cdef bint started

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n, ("plusvi", "minusvi"))
        sum_init(&self.plus, self.reserve(n), n)
        sum_init(&self.minus, self.reserve(n), n)
        sum_init(&self.span, self.reserve(n), n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum a = self.plus, b = self.minus, c = self.span
        cdef double high = self.last[0], low = self.last[1], close = self.last[2]
        cdef double plus, minus, span
        cdef Py_ssize_t i = 0
        if not self.started:
            self.started = True
            high = x[0][0]
            low = x[1][0]
            close = x[2][0]
            i = 1
        for i in range(i, n):
            plus = sum_step(&a, fabs(x[0][i] - low))
            minus = sum_step(&b, fabs(x[1][i] - high))
            span = sum_step(&c, true_range(x[0][i], x[1][i], close))
            high = x[0][i]
            low = x[1][i]
            close = x[2][i]
            y[0][i] = plus / span if span != 0.0 else 0.0
            y[1][i] = minus / span if span != 0.0 else 0.0
        self.plus = a
        self.minus = b
        self.span = c
        self.last[0] = high
        self.last[1] = low
        self.last[2] = close

    @property
    def plusvi(self):
        """Upward vortex."""
        return self.out[0]

    @property
    def minusvi(self):
        """Downward vortex."""
        return self.out[1]
