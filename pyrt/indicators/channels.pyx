# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Channels beyond TA-Lib: Ichimoku's lines, a rolling volume-weighted price and its bands."""

cimport cython
from libc.math cimport sqrt

from pyrt.indicators.base cimport HighLow, HighLowCloseVolume, Series, number, whole
from pyrt.indicators.moments cimport Moments, moments_init, moments_step
from pyrt.indicators.window cimport (
    Lag, Peak, Sum, lag_init, lag_step, peak_init, peak_step, sum_init, sum_step, trough_init,
    trough_step,
)


@cython.final
cdef class ICHIMOKU(HighLow):
    """Ichimoku: outputs `tenkan`, `kijun`, `senkoua` and `senkoub`.

    Tenkan and kijun are the middles of the last bars' range; senkou A is the middle of the two,
    senkou B that of a longer range, and both stand at the bar they are drawn at, `displacement`
    rows after the one they were known at. The chikou line is the close drawn in the past: it would
    look ahead, so it is left out. The warm-up is `senkou` - 1 + `displacement` rows.

    Parameters
    ----------
    tenkan, kijun, senkou : int, default 9, 26 and 52
        Bars in the three ranges, 1 to 100,000.
    displacement : int, default 26
        Rows the cloud is drawn ahead, 1 to 100,000.
    """

    cdef Peak highs[3]
    cdef Peak lows[3]
    cdef Lag first
    cdef Lag second

    def __init__(self, tenkan=9, kijun=26, senkou=52, displacement=26):
        cdef int k, n, ahead = whole("displacement", displacement, 1)
        lengths = (
            whole("tenkan", tenkan, 1), whole("kijun", kijun, 1), whole("senkou", senkou, 1),
        )
        self.begin(
            ("tenkan", "kijun", "senkou", "displacement"),
            (tenkan, kijun, senkou, displacement),
            max(lengths) - 1 + ahead,
            ("tenkan", "kijun", "senkoua", "senkoub"),
        )
        for k in range(3):
            n = lengths[k]
            peak_init(&self.highs[k], self.reserve(n), n)
            trough_init(&self.lows[k], self.reserve(n), n)
        lag_init(&self.first, self.reserve(ahead), ahead)
        lag_init(&self.second, self.reserve(ahead), ahead)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double middle[3]
        cdef Py_ssize_t i
        cdef int k
        for i in range(n):
            for k in range(3):
                middle[k] = 0.5 * (
                    peak_step(&self.highs[k], x[0][i]) + trough_step(&self.lows[k], x[1][i])
                )
            y[0][i] = middle[0]
            y[1][i] = middle[1]
            y[2][i] = lag_step(&self.first, 0.5 * (middle[0] + middle[1]))
            y[3][i] = lag_step(&self.second, middle[2])

    @property
    def tenkan(self):
        """Middle of the shortest range."""
        return self.out[0]

    @property
    def kijun(self):
        """Middle of the second range."""
        return self.out[1]

    @property
    def senkoua(self):
        """Cloud line A at this bar."""
        return self.out[2]

    @property
    def senkoub(self):
        """Cloud line B at this bar."""
        return self.out[3]


@cython.final
cdef class RVWAP(HighLowCloseVolume):
    """Rolling volume-weighted average price with bands: outputs `vwap`, `upperband`, `lowerband`.

    Of typical prices; the bands lie `nbdev` volume-weighted standard deviations off it. NaN over a
    window without volume. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Bars in the window, 1 to 100,000.
    nbdev : float, default 2.0
        Deviations up and down.
    """

    cdef Sum volume
    cdef Sum money
    cdef Sum square
    cdef double origin
    cdef double width
    cdef bint started

    def __init__(self, timeperiod=20, nbdev=2.0):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.width = number("nbdev", nbdev, 0.0, 3e37)
        self.begin(
            ("timeperiod", "nbdev"), (timeperiod, nbdev), n - 1, ("vwap", "upperband", "lowerband")
        )
        sum_init(&self.volume, self.reserve(n), n)
        sum_init(&self.money, self.reserve(n), n)
        sum_init(&self.square, self.reserve(n), n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double price, volume, money, spread
        cdef Py_ssize_t i
        for i in range(n):
            price = (x[0][i] + x[1][i] + x[2][i]) / 3.0
            if not self.started:  # prices are taken from the first one, to keep their digits
                self.started = True
                self.origin = price
            price -= self.origin
            volume = sum_step(&self.volume, x[3][i])
            money = sum_step(&self.money, price * x[3][i]) / volume
            spread = sum_step(&self.square, price * price * x[3][i]) / volume - money * money
            spread = self.width * sqrt(spread if not spread < 0.0 else 0.0)
            y[0][i] = self.origin + money
            y[1][i] = self.origin + money + spread
            y[2][i] = self.origin + money - spread

    @property
    def vwap(self):
        """Volume-weighted average price."""
        return self.out[0]

    @property
    def upperband(self):
        """Upper band."""
        return self.out[1]

    @property
    def lowerband(self):
        """Lower band."""
        return self.out[2]


@cython.final
cdef class ZSCORE(Series):
    """How many standard deviations (divided by n) the value lies off its window's mean.

    0 where nothing deviates. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Values in the window, 2 to 100,000.
    """

    cdef Moments moments

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        moments_init(&self.moments, self.reserve(2 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Moments s = self.moments
        cdef Py_ssize_t i
        for i in range(n):
            moments_step(&s, x[0][i])
            y[0][i] = (x[0][i] - s.mean) / sqrt(s.variance) if s.variance > 0.0 else 0.0
        self.moments = s
