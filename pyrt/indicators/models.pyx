# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Small models of a price: a level with a slope, the pull back to a mean, roughness."""

cimport cython
from libc.math cimport INFINITY, M_LN2, NAN, log

from pyrt.indicators.base cimport Series, number, whole
from pyrt.indicators.moments cimport Joint, joint_init, joint_step
from pyrt.indicators.window cimport Lag, Sum, lag_init, lag_step, sum_init, sum_step


@cython.final
cdef class KALMAN(Series):
    """Kalman filter of a local linear trend: outputs `level` and `slope` per row.

    The level moves by the slope and by noise, the slope by noise of its own, and the value is the
    level with noise of variance 1; only the ratios of the three variances matter. It starts from
    the line through the first two values. The warm-up is 1 row.

    Parameters
    ----------
    levelnoise : float, default 0.01
        Variance of the level's steps, in units of the variance of the values about it; 0 to 1e12.
    slopenoise : float, default 0.0001
        Variance of the slope's steps, in the same unit.
    """

    cdef double noise[2]
    cdef double level
    cdef double slope
    cdef double spread[3]
    """Covariance of level and slope: of the level, of both, of the slope."""

    def __init__(self, levelnoise=0.01, slopenoise=0.0001):
        self.noise[0] = number("levelnoise", levelnoise, 0.0, 1e12)
        self.noise[1] = number("slopenoise", slopenoise, 0.0, 1e12)
        self.begin(("levelnoise", "slopenoise"), (levelnoise, slopenoise), 1, ("level", "slope"))

    cdef void follow(self, double value) noexcept nogil:
        """Predict one row ahead, then correct by the value seen there."""
        cdef double both = self.spread[1] + self.spread[2]
        cdef double own = self.spread[0] + self.spread[1] + both + self.noise[0]
        cdef double last = self.spread[2] + self.noise[1]
        cdef double gain = own / (own + 1.0), other = both / (own + 1.0)
        cdef double miss = value - (self.level + self.slope)
        self.level = self.level + self.slope + gain * miss
        self.slope = self.slope + other * miss
        self.spread[0] = gain  # (1 - gain) own, since the noise of the value is 1
        self.spread[1] = other
        self.spread[2] = last - other * both

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            if row > 1:
                self.follow(x[0][i])
            elif row == 1:
                self.slope = x[0][i] - self.level
                self.level = x[0][i]
                self.spread[0] = self.spread[1] = 1.0
                self.spread[2] = 2.0
            else:
                self.level = x[0][i]
            row += 1
            y[0][i] = self.level
            y[1][i] = self.slope

    @property
    def level(self):
        """Level the value is thought to be about."""
        return self.out[0]

    @property
    def slope(self):
        """Change of the level a row."""
        return self.out[1]


@cython.final
cdef class HALFLIFE(Series):
    """Half-life of the pull back to the mean, in rows: -ln 2 over the slope of moves on levels.

    The slope is that of x[t] - x[t-1] on x[t-1] over the window; infinite where it is not below 0:
    nothing pulls back. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 60
        Moves in the regression, 2 to 100,000.
    """

    cdef Joint joint
    cdef double last

    def __init__(self, timeperiod=60):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n)
        joint_init(&self.joint, self.reserve(5 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Joint s = self.joint
        cdef double last = self.last
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            if row > 0:
                joint_step(&s, last, x[0][i] - last)
                y[0][i] = INFINITY
                if s.xx > 0.0 and s.xy < 0.0:
                    y[0][i] = -M_LN2 * s.xx / s.xy
            last = x[0][i]
            row += 1
        self.joint = s
        self.last = last


cdef enum:
    LAGS = 6  # 1, 2, 4, ... 32 rows: as many as fit a quarter of the window


@cython.final
cdef class HURST(Series):
    """Hurst exponent: how the size of moves grows with their length; 0.5 for a random walk.

    Above 0.5 moves go on, below it they turn back. Half the slope of the logarithm of the mean
    squared move over lags 1, 2, 4, ... (as many as fit a quarter of the window, 32 at most) on the
    logarithm of the lag. NaN where nothing moves. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 100
        Values in the window, 8 to 100,000.
    """

    cdef Lag past[LAGS]
    cdef Sum squares[LAGS]
    cdef double scales[LAGS]
    """Logarithms of the lags, less their mean."""
    cdef double below
    """Sum of their squares."""
    cdef int lags

    def __init__(self, timeperiod=100):
        cdef int n = whole("timeperiod", timeperiod, 8), k, lag
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        self.lags = 0
        while self.lags < LAGS and 4 * (1 << self.lags) <= n:
            self.lags = self.lags + 1
        self.below = 0.0
        for k in range(self.lags):
            lag = 1 << k
            lag_init(&self.past[k], self.reserve(lag), lag)
            sum_init(&self.squares[k], self.reserve(n - lag), n - lag)
            self.scales[k] = M_LN2 * (k - 0.5 * (self.lags - 1))
            self.below = self.below + self.scales[k] * self.scales[k]

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double move, mean, slope
        cdef Py_ssize_t i, row = self.seen
        cdef int k
        for i in range(n):
            slope = 0.0
            for k in range(self.lags):
                move = x[0][i] - lag_step(&self.past[k], x[0][i])
                if row < self.past[k].n:
                    continue
                mean = sum_step(&self.squares[k], move * move) / self.squares[k].n
                slope += self.scales[k] * log(mean) if mean > 0.0 else NAN
            row += 1
            y[0][i] = 0.5 * slope / self.below
