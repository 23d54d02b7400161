# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero where zero can come up.
"""Oscillators of momentum: rises against falls, smoothed rates, distance from a trend."""

cimport cython
from libc.math cimport fabs

from pyrt.indicators.base cimport CHUNK, Series, whole
from pyrt.indicators.smoothing cimport (
    Ema, Stage, ema_fold, ema_init, ema_run, ema_step, stage_ema, stage_step,
)
from pyrt.indicators.window cimport (
    Lag, Peak, Sum, Weighted, lag_init, lag_step, peak_init, peak_step, sum_init, sum_step,
    trough_init, trough_step, weighted_init, weighted_step,
)


cdef inline double greater(double a, double b) noexcept nogil:
    return a if a > b else b


# From this many rows on, averages are folded by the column: their chains are then short.
cdef enum:
    MANY = 16


cdef class Rises(Series):
    """Wilder's averages of rises and of falls."""

    cdef Ema up
    cdef Ema down
    cdef double last
    cdef double index
    """The last output: a row without a move leaves it, since both averages fade alike."""
    cdef bint started

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        ema_init(&self.up, n, 1.0 / n)
        ema_init(&self.down, n, 1.0 / n)
        self.started = False
        self.last = 0.0

    cdef Py_ssize_t spread(
        self, const double* x, double* move, double* up, double* down, Py_ssize_t n
    ) noexcept nogil:
        """Average `n` rows' rises and falls into `up` and `down`; return the rows without a move.

        Both averages have started.
        """
        cdef Py_ssize_t i, still = 0
        move[0] = x[0] - self.last
        for i in range(1, n):
            move[i] = x[i] - x[i - 1]
        self.last = x[n - 1]
        # One simple loop each: the compiler makes them branch-free.
        for i in range(n):
            up[i] = greater(move[i], 0.0)
        for i in range(n):
            down[i] = up[i] - move[i]
        for i in range(n):
            still += move[i] == 0.0
        ema_run(&self.up, up, up, n)
        ema_run(&self.down, down, down, n)
        return still

    cdef void hold(
        self, const double* move, double* y, Py_ssize_t n, Py_ssize_t still
    ) noexcept nogil:
        """Let rows without a move have the output of the row before."""
        cdef Py_ssize_t i
        if still:
            for i in range(n):
                if move[i] == 0.0:
                    y[i] = self.index
                self.index = y[i]
        self.index = y[n - 1]


@cython.final
cdef class RSI(Rises):
    """Relative strength index (Wilder): 100 up / (up + down), 0 to 100; 0 if nothing moved.

    `up` and `down` are Wilder's averages of rises and falls. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the averages, 1 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Ema up = self.up, down = self.down
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef double last = self.last, index = self.index, move, total
        cdef Py_ssize_t i = 0
        if up.count >= up.n and n >= MANY:
            self.run_many(a, o, n)
            return
        if not self.started:
            self.started = True
            last = a[0]
            i = 1
        while i < n and up.count < up.n:
            move = a[i] - last
            last = a[i]
            ema_step(&up, move if move > 0.0 else 0.0)
            ema_step(&down, -move if move < 0.0 else 0.0)
            total = up.y + down.y
            index = 100.0 * (up.y / total) if total != 0.0 else 0.0
            o[i] = index
            i += 1
        for i in range(i, n):
            move = a[i] - last
            last = a[i]
            ema_fold(&up, move if move > 0.0 else 0.0)
            ema_fold(&down, -move if move < 0.0 else 0.0)
            if move != 0.0:
                total = up.y + down.y
                index = 100.0 * (up.y / total) if total != 0.0 else 0.0
            o[i] = index
        self.up = up
        self.down = down
        self.last = last
        self.index = index

    cdef void run_many(self, const double* x, double* y, Py_ssize_t n) noexcept nogil:
        cdef double move[CHUNK]
        cdef double up[CHUNK]
        cdef double down[CHUNK]
        cdef Py_ssize_t i, still = self.spread(x, move, up, down, n)
        for i in range(n):
            y[i] = 100.0 * (up[i] / (up[i] + down[i])) if up[i] + down[i] != 0.0 else 0.0
        self.hold(move, y, n, still)


@cython.final
cdef class CMO(Rises):
    """Chande momentum oscillator, Wilder-smoothed: 100 (up - down) / (up + down).

    From -100 to 100; 0 if nothing moved. Chande's own sums are `CMOU`. The warm-up is
    `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the averages, 1 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Ema up = self.up, down = self.down
        cdef double last = self.last, index = self.index, move, total
        cdef bint warm = up.count >= up.n
        cdef Py_ssize_t i = 0
        if not self.started:
            self.started = True
            last = x[0][0]
            i = 1
        for i in range(i, n):
            move = x[0][i] - last
            last = x[0][i]
            ema_step(&up, move if move > 0.0 else 0.0)
            ema_step(&down, -move if move < 0.0 else 0.0)
            if move != 0.0 or not warm:
                total = up.y + down.y
                index = 100.0 * ((up.y - down.y) / total) if total != 0.0 else 0.0
                warm = up.count >= up.n
            y[0][i] = index
        self.up = up
        self.down = down
        self.last = last
        self.index = index


@cython.final
cdef class CMOU(Series):
    """Chande momentum oscillator as published, over plain sums of rises and falls.

    100 (up - down) / (up + down), -100 to 100; 0 if nothing moved. The warm-up is `timeperiod`
    rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Moves in the window, 1 to 100,000.
    """

    cdef Sum up
    cdef Sum down
    cdef double last
    cdef bint started

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.up, self.reserve(n), n)
        sum_init(&self.down, self.reserve(n), n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum a = self.up, b = self.down
        cdef double last = self.last, move, up, down, total
        cdef Py_ssize_t i = 0
        if not self.started:
            self.started = True
            last = x[0][0]
            i = 1
        for i in range(i, n):
            move = x[0][i] - last
            last = x[0][i]
            up = sum_step(&a, move if move > 0.0 else 0.0)
            down = sum_step(&b, -move if move < 0.0 else 0.0)
            total = up + down
            y[0][i] = 100.0 * ((up - down) / total) if total != 0.0 else 0.0
        self.up = a
        self.down = b
        self.last = last


@cython.final
cdef class ER(Series):
    """Kaufman's efficiency ratio: distance over path, 0 (noise) to 1 (straight line).

    The distance is over `timeperiod` rows, the path the sum of the moves between. The warm-up is
    `timeperiod` rows; 1 if nothing moved.

    Parameters
    ----------
    timeperiod : int, default 10
        Moves in the path, 1 to 100,000.
    """

    cdef Sum path
    cdef Lag lag
    cdef double last
    cdef bint started

    def __init__(self, timeperiod=10):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.path, self.reserve(n), n)
        lag_init(&self.lag, self.reserve(n), n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.path
        cdef Lag lag = self.lag
        cdef double last = self.last, path, distance
        cdef Py_ssize_t i = 0
        if not self.started:
            self.started = True
            last = x[0][0]
            lag_step(&lag, last)
            i = 1
        for i in range(i, n):
            path = sum_step(&s, fabs(x[0][i] - last))
            last = x[0][i]
            distance = fabs(last - lag_step(&lag, last))
            # the rounding of the path must not push a straight line over 1
            y[0][i] = distance / path if distance < path else 1.0
        self.path = s
        self.lag = lag
        self.last = last


@cython.final
cdef class TRIX(Series):
    """One-row rate of change, in percent, of a triple exponential average.

    The warm-up is 3 (timeperiod - 1) + 1 rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the three averages, 1 to 100,000.
    """

    cdef Stage first
    cdef Stage second
    cdef Stage third

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), 3 * (n - 1) + 1)
        stage_ema(&self.first, n)
        stage_ema(&self.second, n)
        stage_ema(&self.third, n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage a = self.first, b = self.second, c = self.third
        cdef double old
        cdef Py_ssize_t i
        for i in range(n):
            old = c.y
            if stage_step(&a, x[0][i]) and stage_step(&b, a.y):
                stage_step(&c, b.y)
            y[0][i] = (c.y / old - 1.0) * 100.0 if old != 0.0 else 0.0
        self.first = a
        self.second = b
        self.third = c


@cython.final
cdef class TSI(Series):
    """True strength index (Blau): 100 times the doubly smoothed move over the smoothed size of it.

    From -100 to 100; 0 if nothing moved. The warm-up is `firstperiod` + `secondperiod` - 1 rows.

    Parameters
    ----------
    firstperiod : int, default 25
        Length of the first exponential average, 1 to 100,000.
    secondperiod : int, default 13
        Length of the second.
    """

    cdef Stage move1
    cdef Stage move2
    cdef Stage size1
    cdef Stage size2
    cdef double last
    cdef bint started

    def __init__(self, firstperiod=25, secondperiod=13):
        cdef int a = whole("firstperiod", firstperiod, 1)
        cdef int b = whole("secondperiod", secondperiod, 1)
        self.begin(("firstperiod", "secondperiod"), (firstperiod, secondperiod), a + b - 1)
        stage_ema(&self.move1, a)
        stage_ema(&self.size1, a)
        stage_ema(&self.move2, b)
        stage_ema(&self.size2, b)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage m1 = self.move1, m2 = self.move2, s1 = self.size1, s2 = self.size2
        cdef double last = self.last, move
        cdef Py_ssize_t i = 0
        if not self.started:
            self.started = True
            last = x[0][0]
            i = 1
        for i in range(i, n):
            move = x[0][i] - last
            last = x[0][i]
            stage_step(&s1, fabs(move))
            if stage_step(&m1, move):
                stage_step(&m2, m1.y)
                stage_step(&s2, s1.y)
            y[0][i] = 100.0 * (m2.y / s2.y) if s2.y != 0.0 else 0.0
        self.move1 = m1
        self.move2 = m2
        self.size1 = s1
        self.size2 = s2
        self.last = last


@cython.final
cdef class DPO(Series):
    """Detrended price: the value timeperiod // 2 + 1 rows ago less the present simple average.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Length of the average, 3 to 100,000.
    """

    cdef Sum window
    cdef Lag lag

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 3)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.window, self.reserve(n), n)
        lag_init(&self.lag, self.reserve(n // 2 + 1), n // 2 + 1)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef Lag lag = self.lag
        cdef double scale = 1.0 / s.n
        cdef Py_ssize_t i
        for i in range(n):
            y[0][i] = lag_step(&lag, x[0][i]) - sum_step(&s, x[0][i]) * scale
        self.window = s
        self.lag = lag


@cython.final
cdef class COPPOCK(Series):
    """Coppock curve: weighted average of the sum of two rates of change in percent.

    The warm-up is the longer rate's rows + `wmaperiod` - 1.

    Parameters
    ----------
    wmaperiod : int, default 10
        Length of the weighted average, 1 to 100,000.
    roc1period, roc2period : int, default 11 and 14
        Distances of the rates, 1 to 100,000 rows.
    """

    cdef Lag near
    cdef Lag far
    cdef Weighted window
    cdef Py_ssize_t skip

    def __init__(self, wmaperiod=10, roc1period=11, roc2period=14):
        cdef int n = whole("wmaperiod", wmaperiod, 1)
        cdef int a = whole("roc1period", roc1period, 1), b = whole("roc2period", roc2period, 1)
        self.begin(
            ("wmaperiod", "roc1period", "roc2period"),
            (wmaperiod, roc1period, roc2period),
            max(a, b) + n - 1,
        )
        lag_init(&self.near, self.reserve(a), a)
        lag_init(&self.far, self.reserve(b), b)
        weighted_init(&self.window, self.reserve(n), n)
        self.skip = max(a, b)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Lag a = self.near, b = self.far
        cdef Weighted w = self.window
        cdef double scale = 2.0 / (w.length * (w.n + 1)), near, far
        cdef Py_ssize_t i, skip = self.skip
        for i in range(n):
            near = lag_step(&a, x[0][i])
            far = lag_step(&b, x[0][i])
            near = (x[0][i] / near - 1.0) * 100.0 if near != 0.0 else 0.0
            far = (x[0][i] / far - 1.0) * 100.0 if far != 0.0 else 0.0
            if skip > 0:
                skip -= 1
            else:
                y[0][i] = weighted_step(&w, near + far) * scale
        self.near = a
        self.far = b
        self.window = w
        self.skip = skip


@cython.final
cdef class VHF(Series):
    """Vertical horizontal filter: range of the values over the sum of their moves.

    The window holds `timeperiod` moves and the `timeperiod` newest values; the warm-up is
    `timeperiod` rows; 0 if nothing moved.

    Parameters
    ----------
    timeperiod : int, default 28
        Length of the window, 2 to 100,000.
    """

    cdef Sum path
    cdef Peak high
    cdef Peak low
    cdef double last
    cdef bint started

    def __init__(self, timeperiod=28):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.path, self.reserve(n), n)
        peak_init(&self.high, self.reserve(n), n)
        trough_init(&self.low, self.reserve(n), n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.path
        cdef Peak high = self.high, low = self.low
        cdef double last = self.last, path, top, bottom
        cdef Py_ssize_t i
        if not self.started:
            self.started = True
            last = x[0][0]
        for i in range(n):
            path = sum_step(&s, fabs(x[0][i] - last))
            last = x[0][i]
            top = peak_step(&high, last)
            bottom = trough_step(&low, last)
            y[0][i] = (top - bottom) / path if path != 0.0 else 0.0
        self.path = s
        self.high = high
        self.low = low
        self.last = last
