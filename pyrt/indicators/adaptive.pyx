# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# The path is tested against the distance before it divides.
"""Moving averages whose weight follows the market."""

cimport cython
from libc.math cimport fabs

from pyrt.indicators.base cimport Series, whole
from pyrt.indicators.window cimport Lag, Sum, lag_init, lag_step, sum_init, sum_step


cdef inline double kaufman_weight(double distance, double path) noexcept nogil:
    """Squared weight between 2/31 (noise) and 2/3 (a straight line)."""
    cdef double efficiency = distance / path if distance < path else 1.0
    cdef double weight = efficiency * (2.0 / 3.0 - 2.0 / 31.0) + 2.0 / 31.0
    return weight * weight


@cython.final
cdef class KAMA(Series):
    """Kaufman adaptive moving average: fast along straight lines, slow in noise.

    The weight is the square of a value between 2/31 and 2/3 chosen by the efficiency ratio (`ER`).
    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Moves the efficiency is measured over, 1 to 100,000.
    """

    cdef Sum path
    cdef Lag lag
    cdef double last
    cdef double y
    cdef Py_ssize_t count

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.path, self.reserve(n), n)
        lag_init(&self.lag, self.reserve(n), n)
        self.count = 0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.path
        cdef Lag lag = self.lag
        cdef double last = self.last, average = self.y, path, distance
        cdef Py_ssize_t i = 0, count = self.count
        while i < n and count < s.n:  # the first average is the price before the first output
            if count > 0:
                sum_step(&s, fabs(x[0][i] - last))
            lag_step(&lag, x[0][i])
            last = average = x[0][i]
            count += 1
            i += 1
        for i in range(i, n):
            path = sum_step(&s, fabs(x[0][i] - last))
            last = x[0][i]
            distance = fabs(last - lag_step(&lag, last))
            average += (last - average) * kaufman_weight(distance, path)
            y[0][i] = average
        self.path = s
        self.lag = lag
        self.last = last
        self.y = average
        self.count = count


@cython.final
cdef class VIDYA(Series):
    """Variable index dynamic average (Chande): exponential, and as fast as the trend is strong.

    The weight is 2 / (`timeperiod` + 1) times the size of Chande's momentum oscillator (`CMOU`)
    over `timeperiod` moves, as a fraction; it starts from a plain mean. The warm-up is
    `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the average and of the oscillator, 1 to 100,000.
    """

    cdef Sum up
    cdef Sum down
    cdef double last
    cdef double y
    cdef Py_ssize_t count

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.up, self.reserve(n), n)
        sum_init(&self.down, self.reserve(n), n)
        self.y = 0.0
        self.count = 0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum up = self.up, down = self.down
        cdef double last = self.last, average = self.y, rate = 2.0 / (up.n + 1), move, a, b
        cdef Py_ssize_t i, count = self.count
        for i in range(n):
            a = b = 0.0
            if count > 0:
                move = x[0][i] - last
                a = sum_step(&up, move if move > 0.0 else 0.0)
                b = sum_step(&down, -move if move < 0.0 else 0.0)
            last = x[0][i]
            if count < up.n:  # the plain mean it starts from
                average += (last - average) / (count + 1)
                count += 1
            elif a + b > 0.0:
                average += rate * fabs((a - b) / (a + b)) * (last - average)
            y[0][i] = average
        self.up = up
        self.down = down
        self.last = last
        self.y = average
        self.count = count
