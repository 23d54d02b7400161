# cython: cdivision=True
# Divisors here are lengths and sums of weights, which the constructors keep positive.
"""Moving averages with fixed weights: simple, weighted, exponential and what is built of them."""

cimport cython

from pyrt.indicators.base cimport Series, whole
from pyrt.indicators.smoothing cimport Ema, ema_init, ema_step
from pyrt.indicators.window cimport Sum, Weighted, sum_grow, sum_init, sum_step, weighted_init, weighted_step


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

    cdef Sum window

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef double scale = 1.0 / s.n
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

    cdef Ema ema

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        ema_init(&self.ema, n, 2.0 / (n + 1))

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Ema s = self.ema
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            ema_step(&s, a[i])
            o[i] = s.y
        self.ema = s
