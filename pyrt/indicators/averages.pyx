# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors here are lengths and sums of weights, which the constructors keep positive.
"""Moving averages with fixed weights: simple, weighted, exponential and what is built of them."""

cimport cython

from libc.math cimport sqrt

from pyrt.indicators.base cimport CloseVolume, Series, number, whole
from pyrt.indicators.smoothing cimport (
    Ema, Stage, ema_init, ema_step, stage_ema, stage_fold, stage_step,
)
from pyrt.indicators.window cimport (
    Lag, Sum, Weighted, lag_init, lag_step, sum_grow, sum_init, sum_step, weighted_grow,
    weighted_init, weighted_step,
)


@cython.final
cdef class SMA(Series):
    """Simple moving average: the mean of the last `timeperiod` values.

    Every window is summed afresh (amortized two additions a row), so a spike leaves nothing
    behind. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.window, self.reserve(n), n)
        self.scale = 1.0 / n

    cdef int feed(self, const double* x) except -1:
        if x[0] != x[0]:
            return self.note_gap()
        return self.note(sum_step(&self.window, x[0]) * self.scale)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef double scale = self.scale
        cdef Py_ssize_t i = 0, stop
        while i < n:
            stop = min(n, i + s.n - 1 - s.p)  # the block's end, where sum_step folds it
            while i < stop:
                o[i] = sum_grow(&s, a[i]) * scale
                i += 1
            if i < n:
                o[i] = sum_step(&s, a[i]) * scale
                i += 1
        self.window = s


@cython.final
cdef class EMA(Series):
    """Exponential moving average, weight 2 / (timeperiod + 1), started from a plain mean.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        stage_ema(&self.ema, n)

    cdef int feed(self, const double* x) except -1:
        if x[0] != x[0]:
            return self.note_gap()
        stage_step(&self.ema, x[0])
        return self.note(self.ema.y)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage s = self.ema
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            stage_step(&s, a[i])
            o[i] = s.y
        self.ema = s


@cython.final
cdef class WMA(Series):
    """Weighted moving average: weights 1 (oldest) to `timeperiod` (newest).

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        weighted_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Weighted s = self.window
        cdef double scale = 2.0 / (<double>s.n * (s.n + 1))
        cdef Py_ssize_t i = 0, stop
        while i < n:
            stop = min(n, i + s.n - 1 - s.p)
            while i < stop:
                y[0][i] = weighted_grow(&s, x[0][i]) * scale
                i += 1
            if i < n:
                y[0][i] = weighted_step(&s, x[0][i]) * scale
                i += 1
        self.window = s


@cython.final
cdef class RMA(Series):
    """Wilder's smoothed moving average: weight 1 / timeperiod, started from a plain mean.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        ema_init(&self.ema, n, 1.0 / n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Ema s = self.ema
        cdef Py_ssize_t i
        for i in range(n):
            ema_step(&s, x[0][i])
            y[0][i] = s.y
        self.ema = s


@cython.final
cdef class DEMA(Series):
    """Double exponential moving average, 2 e1 - e2 (Mulloy): less lag than `EMA`.

    The warm-up is 2 (timeperiod - 1) rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of both averages, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), 2 * (n - 1))
        stage_ema(&self.first, n)
        stage_ema(&self.second, n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage a = self.first, b = self.second
        cdef Py_ssize_t i
        for i in range(n):
            if stage_step(&a, x[0][i]):
                stage_step(&b, a.y)
            y[0][i] = 2.0 * a.y - b.y
        self.first = a
        self.second = b


@cython.final
cdef class TEMA(Series):
    """Triple exponential moving average, 3 e1 - 3 e2 + e3 (Mulloy).

    The warm-up is 3 (timeperiod - 1) rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the three averages, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), 3 * (n - 1))
        stage_ema(&self.first, n)
        stage_ema(&self.second, n)
        stage_ema(&self.third, n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage a = self.first, b = self.second, c = self.third
        cdef Py_ssize_t i = 0
        while i < n and c.count < c.n:
            if stage_step(&a, x[0][i]) and stage_step(&b, a.y):
                stage_step(&c, b.y)
            y[0][i] = 3.0 * a.y - 3.0 * b.y + c.y
            i += 1
        for i in range(i, n):
            stage_fold(&a, x[0][i])
            stage_fold(&b, a.y)
            stage_fold(&c, b.y)
            y[0][i] = 3.0 * a.y - 3.0 * b.y + c.y
        self.first = a
        self.second = b
        self.third = c


@cython.final
cdef class T3(Series):
    """Tillson's T3: a generalized double average applied three times.

    Six exponential averages in a row; the output weighs the last four. The warm-up is
    6 (timeperiod - 1) rows.

    Parameters
    ----------
    timeperiod : int, default 5
        Length of each average, 1 to 100,000.
    vfactor : float, default 0.7
        Volume factor, 0 (a triple average) to 1 (a triple DEMA).
    """

    def __init__(self, timeperiod=5, vfactor=0.7):
        cdef int k, n = whole("timeperiod", timeperiod, 1)
        cdef double v = number("vfactor", vfactor, 0.0, 1.0)
        self.begin(("timeperiod", "vfactor"), (timeperiod, vfactor), 6 * (n - 1))
        for k in range(6):
            stage_ema(&self.chain.stage[k], n)
        self.weights[3] = -v * v * v
        self.weights[2] = 3.0 * v * v * (1.0 + v)
        self.weights[1] = -3.0 * v * (1.0 + v) * (1.0 + v)
        self.weights[0] = (1.0 + v) * (1.0 + v) * (1.0 + v)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Six s = self.chain
        cdef double w3 = self.weights[0], w4 = self.weights[1]
        cdef double w5 = self.weights[2], w6 = self.weights[3]
        cdef double value
        cdef Py_ssize_t i = 0
        cdef int k
        while i < n and s.stage[5].count < s.stage[5].n:
            value = x[0][i]
            for k in range(6):
                if not stage_step(&s.stage[k], value):
                    break
                value = s.stage[k].y
            y[0][i] = (
                w6 * s.stage[5].y + w5 * s.stage[4].y + w4 * s.stage[3].y + w3 * s.stage[2].y
            )
            i += 1
        for i in range(i, n):
            stage_fold(&s.stage[0], x[0][i])
            stage_fold(&s.stage[1], s.stage[0].y)
            stage_fold(&s.stage[2], s.stage[1].y)
            stage_fold(&s.stage[3], s.stage[2].y)
            stage_fold(&s.stage[4], s.stage[3].y)
            stage_fold(&s.stage[5], s.stage[4].y)
            y[0][i] = (
                w6 * s.stage[5].y + w5 * s.stage[4].y + w4 * s.stage[3].y + w3 * s.stage[2].y
            )
        self.chain = s


@cython.final
cdef class TRIMA(Series):
    """Triangular moving average: a simple average of a simple average.

    The two lengths add up to `timeperiod + 1`. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the whole window, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        cdef int a = (n + 1) // 2, b = n // 2 + 1
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.inner, self.reserve(a), a)
        sum_init(&self.outer, self.reserve(b), b)
        self.count = 0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum a = self.inner, b = self.outer
        cdef double scale = 1.0 / (<double>a.n * b.n), mean
        cdef Py_ssize_t i, count = self.count
        for i in range(n):
            mean = sum_step(&a, x[0][i])
            count += 1
            if count >= a.n:
                y[0][i] = sum_step(&b, mean) * scale
        self.inner = a
        self.outer = b
        self.count = min(count, a.n)


@cython.final
cdef class ZLEMA(Series):
    """Zero-lag exponential moving average (Ehlers and Way): `EMA` of 2 x - x[lag].

    The lag is (timeperiod - 1) // 2, the warm-up `timeperiod - 1` + lag rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the average, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        cdef int lag = (n - 1) // 2
        self.begin(("timeperiod",), (timeperiod,), n - 1 + lag)
        lag_init(&self.lag, self.reserve(max(lag, 1)), lag)
        stage_ema(&self.ema, n)
        self.count = 0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage s = self.ema
        cdef Lag lag = self.lag
        cdef double now, old
        cdef Py_ssize_t i, count = self.count
        for i in range(n):
            now = x[0][i]
            old = now if lag.n == 0 else lag_step(&lag, now)
            if count >= lag.n:
                stage_step(&s, now + (now - old))
            else:
                count += 1
            y[0][i] = s.y
        self.ema = s
        self.lag = lag
        self.count = count


@cython.final
cdef class HMA(Series):
    """Hull moving average: `WMA` of length sqrt(n) of 2 WMA(n / 2) - WMA(n).

    Lengths are rounded down. The warm-up is `timeperiod - 1` + sqrt(timeperiod) - 1 rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Length of the longer window, 2 to 100,000.
    """

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 2)
        cdef int root = <int>sqrt(<double>n)
        self.begin(("timeperiod",), (timeperiod,), n + root - 2)
        weighted_init(&self.half, self.reserve(n), n // 2)
        weighted_init(&self.full, self.reserve(n), n)
        weighted_init(&self.last, self.reserve(root), root)
        self.count = 0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Weighted a = self.half, b = self.full, c = self.last
        cdef double scale_a = 4.0 / (<double>a.n * (a.n + 1))
        cdef double scale_b = 2.0 / (<double>b.n * (b.n + 1))
        cdef double scale_c = 2.0 / (<double>c.n * (c.n + 1))
        cdef double lead
        cdef Py_ssize_t i, count = self.count
        for i in range(n):
            lead = weighted_step(&a, x[0][i]) * scale_a - weighted_step(&b, x[0][i]) * scale_b
            count += 1
            if count >= b.n:
                y[0][i] = weighted_step(&c, lead) * scale_c
        self.half = a
        self.full = b
        self.last = c
        self.count = min(count, b.n)


@cython.final
cdef class VWMA(CloseVolume):
    """Volume-weighted moving average: the sum of price times volume over the sum of volume.

    The warm-up is `timeperiod - 1` rows; NaN over a window without volume.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.amount, self.reserve(n), n)
        sum_init(&self.volume, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum a = self.amount, b = self.volume
        cdef double amount, volume
        cdef Py_ssize_t i
        for i in range(n):
            amount = sum_step(&a, x[0][i] * x[1][i])
            volume = sum_step(&b, x[1][i])
            y[0][i] = amount / volume  # 0 / 0 is NaN
        self.amount = a
        self.volume = b
