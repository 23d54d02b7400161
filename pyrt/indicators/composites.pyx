# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Oscillators put together of several others: Connors, Pring, Klinger, Fisher, the squeeze."""

cimport cython
from libc.math cimport log

from pyrt.indicators.base cimport (
    CHUNK, HighLow, HighLowClose, HighLowCloseVolume, Native, Series, number, whole,
)
from pyrt.indicators.moments cimport (
    Line, Moments, line_at, line_init, line_step, moments_init, moments_step,
)
from pyrt.indicators.ranges cimport true_range
from pyrt.indicators.smoothing cimport Stage, stage_ema, stage_step
from pyrt.indicators.window cimport (
    Lag, Peak, Running, Sum, lag_init, lag_step, peak_init, peak_step, running_step, running_zero,
    sum_init, sum_step, trough_init, trough_step,
)

from pyrt.indicators.momentum import RSI
from pyrt.indicators.statistics import PERCENTRANK


@cython.final
cdef class CRSI(Series):
    """Connors RSI: mean of `RSI`, `RSI` of the streak and the percent rank of the last return.

    The streak counts rises (or, below 0, falls) in a row. The range is 0 to 100. The warm-up is the
    longest of `rsiperiod`, `streakperiod` and `rankperiod` + 1 rows.

    Parameters
    ----------
    rsiperiod, streakperiod : int, default 3 and 2
        Lengths of the two indexes, 1 to 100,000.
    rankperiod : int, default 100
        Returns the last one is ranked among, 1 to 100,000.
    """

    cdef Native strength
    cdef Native streaks
    cdef Native rank
    cdef double last
    cdef double streak

    def __init__(self, rsiperiod=3, streakperiod=2, rankperiod=100):
        self.strength = RSI(rsiperiod)
        self.streaks = RSI(streakperiod)
        self.rank = PERCENTRANK(rankperiod)
        self.begin(
            ("rsiperiod", "streakperiod", "rankperiod"),
            (rsiperiod, streakperiod, rankperiod),
            max(rsiperiod, streakperiod, rankperiod + 1),
        )
        self.streak = 0.0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double streaks[CHUNK]
        cdef double returns[CHUNK]
        cdef double strength[CHUNK]
        cdef double ranks[CHUNK]
        cdef double last = self.last, streak = self.streak
        cdef Py_ssize_t i, first = 1 if self.seen == 0 else 0
        for i in range(n):
            if i >= first:
                if x[0][i] > last:
                    streak = streak + 1.0 if streak > 0.0 else 1.0
                elif x[0][i] < last:
                    streak = streak - 1.0 if streak < 0.0 else -1.0
                else:
                    streak = 0.0
                returns[i] = x[0][i] / last - 1.0 if last != 0.0 else 0.0
            streaks[i] = streak
            last = x[0][i]
        self.last = last
        self.streak = streak
        self.strength.flow(x[0], strength, n)
        self.streaks.flow(streaks, y[0], n)
        self.rank.flow(returns + first, ranks + first, n - first)
        for i in range(first, n):
            y[0][i] = (strength[i] + y[0][i] + ranks[i]) / 3.0


@cython.final
cdef class KST(Series):
    """Know sure thing (Pring): outputs `kst`, four averaged rates of change, and `kstsignal`.

    Rates are in percent, averages simple, weights 1 to 4; the signal is a simple average of the
    sum. The warm-up is the longest of `rocN` + `smaN` - 1 rows, and `signalperiod` - 1.

    Parameters
    ----------
    roc1, roc2, roc3, roc4 : int, default 10, 15, 20 and 30
        Rows of the rates, 1 to 100,000.
    sma1, sma2, sma3, sma4 : int, default 10, 10, 10 and 15
        Lengths of their averages, 1 to 100,000.
    signalperiod : int, default 9
        Length of the signal's average, 1 to 100,000.
    """

    cdef Lag past[4]
    cdef Sum means[4]
    cdef Sum signal
    cdef Py_ssize_t wait
    """Rows until the sum of the four is defined."""

    def __init__(
        self, roc1=10, roc2=15, roc3=20, roc4=30, sma1=10, sma2=10, sma3=10, sma4=15, signalperiod=9
    ):
        cdef int k, a, b, m = whole("signalperiod", signalperiod, 1)
        names = ("roc1", "roc2", "roc3", "roc4", "sma1", "sma2", "sma3", "sma4")
        given = (roc1, roc2, roc3, roc4, sma1, sma2, sma3, sma4)
        lengths = [whole(name, value, 1) for name, value in zip(names, given)]
        self.wait = max([lengths[k] + lengths[k + 4] - 1 for k in range(4)])
        self.begin(
            (*names, "signalperiod"),
            (*given, signalperiod),
            self.wait + m - 1,
            ("kst", "kstsignal"),
        )
        for k in range(4):
            a = lengths[k]
            b = lengths[k + 4]
            lag_init(&self.past[k], self.reserve(a), a)
            sum_init(&self.means[k], self.reserve(b), b)
        sum_init(&self.signal, self.reserve(m), m)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double old, total, rate
        cdef Py_ssize_t i, row = self.seen
        cdef int k
        for i in range(n):
            total = 0.0
            for k in range(4):
                old = lag_step(&self.past[k], x[0][i])
                if row >= self.past[k].n:
                    rate = 100.0 * (x[0][i] / old - 1.0) if old != 0.0 else 0.0
                    total += (k + 1) * sum_step(&self.means[k], rate) / self.means[k].n
            y[0][i] = total
            if row >= self.wait:
                y[1][i] = sum_step(&self.signal, total) / self.signal.n
            row += 1

    @property
    def kst(self):
        """Weighted sum of the four averages."""
        return self.out[0]

    @property
    def kstsignal(self):
        """Simple average of the sum."""
        return self.out[1]


@cython.final
cdef class FISHER(HighLow):
    """Fisher transform (Ehlers) of the bars' middles: outputs `fisher` and `fishersignal`.

    The signal is the value of the row before. 0 moves where the window has no range. The warm-up is
    `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 9
        Middles in the range, 1 to 100,000.
    """

    cdef Peak high
    cdef Peak low
    cdef double place
    cdef double turned

    def __init__(self, timeperiod=9):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n, ("fisher", "fishersignal"))
        peak_init(&self.high, self.reserve(n), n)
        trough_init(&self.low, self.reserve(n), n)
        self.place = 0.0
        self.turned = 0.0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double middle, high, low
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            middle = 0.5 * (x[0][i] + x[1][i])
            high = peak_step(&self.high, middle)
            low = trough_step(&self.low, middle)
            if row >= self.lookback:
                y[1][i] = self.turned
                middle = (middle - low) / (high - low) - 0.5 if high > low else 0.0
                self.place = 0.66 * middle + 0.67 * self.place
                if self.place > 0.99:
                    self.place = 0.999
                elif self.place < -0.99:
                    self.place = -0.999
                self.turned = 0.5 * (log((1.0 + self.place) / (1.0 - self.place)) + self.turned)
                y[0][i] = self.turned
            row += 1

    @property
    def fisher(self):
        """The transformed place of the middle in its range."""
        return self.out[0]

    @property
    def fishersignal(self):
        """`fisher` of the row before."""
        return self.out[1]


@cython.final
cdef class SQUEEZE(HighLowClose):
    """Squeeze: outputs `momentum` and `squeeze`, 1 while Bollinger's bands lie inside Keltner's.

    Both are about a simple average of closes: Bollinger's `nbdev` standard deviations off it,
    Keltner's `multiplier` averages of true ranges. The momentum is the end of the least-squares
    line through the closes less the mean of that average and the middle of the window's range. The
    warm-up is 2 `timeperiod` - 2 rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Length of all windows, 2 to 100,000.
    nbdev : float, default 2.0
        Bollinger's deviations.
    multiplier : float, default 1.5
        Keltner's true ranges.
    """

    cdef Moments closes
    cdef Sum ranges
    cdef Peak high
    cdef Peak low
    cdef Line line
    cdef double last
    cdef double deviations
    cdef double multiple

    def __init__(self, timeperiod=20, nbdev=2.0, multiplier=1.5):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.deviations = number("nbdev", nbdev, 0.0, 3e37)
        self.multiple = number("multiplier", multiplier, 0.0, 3e37)
        self.begin(
            ("timeperiod", "nbdev", "multiplier"),
            (timeperiod, nbdev, multiplier),
            2 * n - 2,
            ("momentum", "squeeze"),
        )
        moments_init(&self.closes, self.reserve(2 * n), n)
        sum_init(&self.ranges, self.reserve(n), n)
        peak_init(&self.high, self.reserve(n), n)
        trough_init(&self.low, self.reserve(n), n)
        line_init(&self.line, self.reserve(2 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double middle, deviation, spread, length = self.ranges.n
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            middle = 0.5 * (peak_step(&self.high, x[0][i]) + trough_step(&self.low, x[1][i]))
            moments_step(&self.closes, x[2][i])
            if row > 0:
                spread = sum_step(&self.ranges, true_range(x[0][i], x[1][i], self.last)) / length
                deviation = self.closes.variance * self.deviations * self.deviations
                spread *= self.multiple
                y[1][i] = 1.0 if deviation < spread * spread else 0.0
            if row >= self.ranges.n - 1:
                line_step(&self.line, x[2][i] - 0.5 * (middle + self.closes.mean))
                y[0][i] = line_at(&self.line, length - 1.0)
            self.last = x[2][i]
            row += 1

    @property
    def momentum(self):
        """End of the line through the closes' distances."""
        return self.out[0]

    @property
    def squeeze(self):
        """1 while the squeeze is on, else 0."""
        return self.out[1]


@cython.final
cdef class KVO(HighLowCloseVolume):
    """Volume oscillator after Klinger: outputs `kvo` and `kvosignal`.

    Volume takes the sign of the typical price's move (none: 0); fast less slow exponential average
    of it, and an exponential average of the difference. The warm-up is the longer period and
    `signalperiod` - 1 rows.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 34 and 55
        Lengths of the averages, 1 to 100,000.
    signalperiod : int, default 13
        Length of the signal's average, 1 to 100,000.
    """

    cdef Stage fast
    cdef Stage slow
    cdef Stage signal
    cdef double last

    def __init__(self, fastperiod=34, slowperiod=55, signalperiod=13):
        cdef int a = whole("fastperiod", fastperiod, 1), b = whole("slowperiod", slowperiod, 1)
        cdef int m = whole("signalperiod", signalperiod, 1)
        self.begin(
            ("fastperiod", "slowperiod", "signalperiod"),
            (fastperiod, slowperiod, signalperiod),
            max(a, b) + m - 1,
            ("kvo", "kvosignal"),
        )
        stage_ema(&self.fast, a)
        stage_ema(&self.slow, b)
        stage_ema(&self.signal, m)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double price, move, flow
        cdef bint is_slow, is_fast
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            price = (x[0][i] + x[1][i] + x[2][i]) / 3.0
            if row > 0:
                move = price - self.last
                flow = x[3][i] if move > 0.0 else (-x[3][i] if move < 0.0 else 0.0)
                is_fast = stage_step(&self.fast, flow)
                is_slow = stage_step(&self.slow, flow)
                if is_fast and is_slow:
                    y[0][i] = self.fast.y - self.slow.y
                    stage_step(&self.signal, y[0][i])
                    y[1][i] = self.signal.y
            self.last = price
            row += 1

    @property
    def kvo(self):
        """Fast less slow average of signed volume."""
        return self.out[0]

    @property
    def kvosignal(self):
        """Exponential average of `kvo`."""
        return self.out[1]


@cython.final
cdef class PRESSURE(HighLowCloseVolume):
    """Pressure: outputs `pressure`, buying less selling on this bar, and its sum `cumulative`.

    ((close - low) - (high - close)) in average true ranges, times the volume over its average; both
    averages are exponential. 0 where an average is 0. The warm-up is `timeperiod` rows, which do
    not enter the sum.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the averages, 1 to 100,000.
    """

    cdef Stage ranges
    cdef Stage volumes
    cdef Running total
    cdef double last

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n, ("pressure", "cumulative"))
        stage_ema(&self.ranges, n)
        stage_ema(&self.volumes, n)
        self.total = running_zero()

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double lean
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            stage_step(&self.volumes, x[3][i])
            if row > 0:
                stage_step(&self.ranges, true_range(x[0][i], x[1][i], self.last))
            if row >= self.lookback:
                lean = 0.0
                if self.ranges.y > 0.0 and self.volumes.y > 0.0:
                    lean = (x[2][i] - x[1][i]) - (x[0][i] - x[2][i])
                    lean = lean / self.ranges.y * (x[3][i] / self.volumes.y)
                y[0][i] = lean
                y[1][i] = running_step(&self.total, lean)
            self.last = x[2][i]
            row += 1

    @property
    def pressure(self):
        """Buying less selling pressure on this bar."""
        return self.out[0]

    @property
    def cumulative(self):
        """Sum of the pressure since the warm-up."""
        return self.out[1]
