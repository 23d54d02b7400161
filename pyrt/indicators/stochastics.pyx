# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Where the close stands in the range of the last bars."""

cimport cython

from pyrt.indicators.base cimport CHUNK, HighLowClose, Native, Series, whole
from pyrt.indicators.choice cimport average, kind
from pyrt.indicators.deviation cimport mean_deviation
from pyrt.indicators.momentum import RSI
from pyrt.indicators.smoothing cimport Stage, stage_ema, stage_step
from pyrt.indicators.window cimport (
    History, Peak, Twin, history_init, history_shift, peak_init, peak_step, trough_init,
    trough_step, twin_init, twin_step,
)
from pyrt.indicators.ranges cimport true_ranges


@cython.final
cdef class WILLR(HighLowClose):
    """Williams' %R: the close below the highest high in percent of the range, -100 to 0.

    0 where the range is 0. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Bars in the range, 1 to 100,000.
    """

    cdef Peak peak
    cdef Peak trough

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        peak_init(&self.peak, self.reserve(n), n)
        trough_init(&self.trough, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Peak a = self.peak, b = self.trough
        cdef double high, span
        cdef Py_ssize_t i
        for i in range(n):
            high = peak_step(&a, x[0][i])
            span = high - trough_step(&b, x[1][i])
            span = -100.0 * ((high - x[2][i]) / span) if span != 0.0 else 0.0
            y[0][i] = min(max(span, -100.0), 0.0)  # a close beyond its own bar, as in TA-Lib
        self.peak = a
        self.trough = b


cdef class Stochastic(HighLowClose):
    """Raw %K: the close above the lowest low in percent of the range."""

    cdef Peak peak
    cdef Peak trough

    cdef int watch(self, int n) except -1:
        peak_init(&self.peak, self.reserve(n), n)
        trough_init(&self.trough, self.reserve(n), n)
        return 0

    cdef void raw(self, const double* const* x, double* k, Py_ssize_t n) noexcept nogil:
        cdef Peak a = self.peak, b = self.trough
        cdef double low, span
        cdef Py_ssize_t i
        for i in range(n):
            low = trough_step(&b, x[1][i])
            span = peak_step(&a, x[0][i]) - low
            k[i] = 100.0 * ((x[2][i] - low) / span) if span != 0.0 else 0.0
        self.peak = a
        self.trough = b


@cython.final
cdef class STOCHF(Stochastic):
    """Fast stochastic: outputs `fastk` (raw, 0 to 100) and `fastd`, its average.

    0 where the range is 0. The warm-up is `fastk_period - 1` rows and then the average's.

    Parameters
    ----------
    fastk_period : int, default 5
        Bars in the range, 1 to 100,000.
    fastd_period, fastd_matype : int, default 3 and 0
        Length and kind (as in `MA`) of the average.
    """

    cdef Native smooth
    cdef Py_ssize_t wait

    def __init__(self, fastk_period=5, fastd_period=3, fastd_matype=0):
        cdef int n = whole("fastk_period", fastk_period, 1)
        self.smooth = average(
            kind("fastd_matype", fastd_matype), whole("fastd_period", fastd_period, 1)
        )
        self.wait = n - 1
        self.begin(
            ("fastk_period", "fastd_period", "fastd_matype"),
            (fastk_period, fastd_period, fastd_matype),
            n - 1 + self.smooth.lookback,
            ("fastk", "fastd"),
        )
        self.watch(n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t late = min(self.wait, n)
        self.raw(x, y[0], n)
        self.wait = self.wait - late
        self.smooth.flow(y[0] + late, y[1] + late, n - late)

    @property
    def fastk(self):
        """The close's place in the range, 0 to 100."""
        return self.out[0]

    @property
    def fastd(self):
        """Average of `fastk`."""
        return self.out[1]


cdef class Slow(Stochastic):
    """%K smoothed once for the first output and twice for the second."""

    cdef Native first
    cdef Native second
    cdef Py_ssize_t wait

    cdef int arrange(
        self, tuple names, tuple arguments, tuple outputs
    ) except -1:
        cdef int n = whole(names[0], arguments[0], 1)
        self.first = average(kind(names[2], arguments[2]), whole(names[1], arguments[1], 1))
        self.second = average(kind(names[4], arguments[4]), whole(names[3], arguments[3], 1))
        self.wait = n - 1
        self.begin(
            names, arguments, n - 1 + self.first.lookback + self.second.lookback, outputs
        )
        self.watch(n)
        return 0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double raw[CHUNK]
        cdef Py_ssize_t late = min(self.wait, n), i
        self.raw(x, raw, n)
        self.wait = self.wait - late
        late += self.first.flow(raw + late, y[0] + late, n - late)
        self.second.flow(y[0] + late, y[1] + late, n - late)
        if self.n_out == 3:
            for i in range(late, n):
                y[2][i] = 3.0 * y[0][i] - 2.0 * y[1][i]


@cython.final
cdef class STOCH(Slow):
    """Slow stochastic: outputs `slowk` (%K averaged) and `slowd` (averaged again), 0 to 100.

    %K is 0 where the range is 0. The warm-up is `fastk_period - 1` rows and then the averages'.

    Parameters
    ----------
    fastk_period : int, default 5
        Bars in the range, 1 to 100,000.
    slowk_period, slowk_matype : int, default 3 and 0
        Length and kind (as in `MA`) of the first average.
    slowd_period, slowd_matype : int, default 3 and 0
        Length and kind of the second.
    """

    def __init__(
        self, fastk_period=5, slowk_period=3, slowk_matype=0, slowd_period=3, slowd_matype=0
    ):
        self.arrange(
            ("fastk_period", "slowk_period", "slowk_matype", "slowd_period", "slowd_matype"),
            (fastk_period, slowk_period, slowk_matype, slowd_period, slowd_matype),
            ("slowk", "slowd"),
        )

    @property
    def slowk(self):
        """%K averaged."""
        return self.out[0]

    @property
    def slowd(self):
        """`slowk` averaged."""
        return self.out[1]


@cython.final
cdef class KDJ(Slow):
    """KDJ: outputs `k` and `d`, a slow stochastic in Wilder's averages, and `j` = 3 k - 2 d.

    `j` may leave 0 to 100. The warm-up is `fastk_period - 1` rows and then the averages'.

    Parameters
    ----------
    fastk_period : int, default 9
        Bars in the range, 1 to 100,000.
    slowk_period, slowk_matype : int, default 3 and 13
        Length and kind (as in `MA`) of the first average.
    slowd_period, slowd_matype : int, default 3 and 13
        Length and kind of the second.
    """

    def __init__(
        self, fastk_period=9, slowk_period=3, slowk_matype=13, slowd_period=3, slowd_matype=13
    ):
        self.arrange(
            ("fastk_period", "slowk_period", "slowk_matype", "slowd_period", "slowd_matype"),
            (fastk_period, slowk_period, slowk_matype, slowd_period, slowd_matype),
            ("k", "d", "j"),
        )

    @property
    def k(self):
        """%K averaged."""
        return self.out[0]

    @property
    def d(self):
        """`k` averaged."""
        return self.out[1]

    @property
    def j(self):
        """3 k - 2 d."""
        return self.out[2]


@cython.final
cdef class STOCHRSI(Series):
    """Fast stochastic of `RSI`: outputs `fastk` and `fastd`, 0 to 100.

    0 where the index did not move. The warm-up is `timeperiod` + `fastk_period` - 1 rows and then
    the average's.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the index, 1 to 100,000.
    fastk_period : int, default 5
        Values in the range, 1 to 100,000.
    fastd_period, fastd_matype : int, default 3 and 0
        Length and kind (as in `MA`) of the average.
    """

    cdef Native strength
    cdef Native stochastic

    def __init__(self, timeperiod=14, fastk_period=5, fastd_period=3, fastd_matype=0):
        self.strength = RSI(timeperiod)
        self.stochastic = STOCHF(fastk_period, fastd_period, fastd_matype)
        self.begin(
            ("timeperiod", "fastk_period", "fastd_period", "fastd_matype"),
            (timeperiod, fastk_period, fastd_period, fastd_matype),
            self.strength.lookback + self.stochastic.lookback,
            ("fastk", "fastd"),
        )

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double index[CHUNK]
        cdef const double* columns[3]
        cdef double* outputs[2]
        cdef Py_ssize_t late = self.strength.flow(x[0], index, n)
        cdef int k
        for k in range(3):
            columns[k] = index + late
        outputs[0] = y[0] + late
        outputs[1] = y[1] + late
        if late < n:
            self.stochastic.run(columns, outputs, n - late)

    @property
    def fastk(self):
        """The index's place in its range."""
        return self.out[0]

    @property
    def fastd(self):
        """Average of `fastk`."""
        return self.out[1]


@cython.final
cdef class SMI(HighLowClose):
    """Stochastic momentum index (Blau): outputs `smi`, -100 to 100, and `smisignal`.

    The close off the middle of the range, smoothed twice, over half the range, smoothed twice; 0
    where that is 0. The warm-up is the sum of the periods less 4.

    Parameters
    ----------
    timeperiod : int, default 13
        Bars in the range, 1 to 100,000.
    fastperiod, slowperiod : int, default 2 and 25
        Lengths of the second and the first exponential average.
    signalperiod : int, default 9
        Length of the signal's.
    """

    cdef Peak peak
    cdef Peak trough
    cdef Stage off1
    cdef Stage off2
    cdef Stage span1
    cdef Stage span2
    cdef Stage signal
    cdef Py_ssize_t wait

    def __init__(self, timeperiod=13, fastperiod=2, slowperiod=25, signalperiod=9):
        cdef int n = whole("timeperiod", timeperiod, 1), a = whole("slowperiod", slowperiod, 1)
        cdef int b = whole("fastperiod", fastperiod, 1), c = whole("signalperiod", signalperiod, 1)
        self.begin(
            ("timeperiod", "fastperiod", "slowperiod", "signalperiod"),
            (timeperiod, fastperiod, slowperiod, signalperiod),
            n + a + b + c - 4,
            ("smi", "smisignal"),
        )
        peak_init(&self.peak, self.reserve(n), n)
        trough_init(&self.trough, self.reserve(n), n)
        stage_ema(&self.off1, a)
        stage_ema(&self.span1, a)
        stage_ema(&self.off2, b)
        stage_ema(&self.span2, b)
        stage_ema(&self.signal, c)
        self.wait = n - 1

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Peak a = self.peak, b = self.trough
        cdef Stage off1 = self.off1, off2 = self.off2, span1 = self.span1, span2 = self.span2
        cdef Stage signal = self.signal
        cdef double high, low, index
        cdef Py_ssize_t i
        for i in range(n):
            high = peak_step(&a, x[0][i])
            low = trough_step(&b, x[1][i])
            if self.wait > 0:
                self.wait = self.wait - 1
                continue
            stage_step(&span1, high - low)
            if stage_step(&off1, x[2][i] - (high + low) * 0.5):
                stage_step(&span2, span1.y)
                if stage_step(&off2, off1.y):
                    index = 100.0 * off2.y / (0.5 * span2.y) if span2.y > 0.0 else 0.0
                    stage_step(&signal, index)
                    y[0][i] = index
                    y[1][i] = signal.y
        self.peak = a
        self.trough = b
        self.off1 = off1
        self.off2 = off2
        self.span1 = span1
        self.span2 = span2
        self.signal = signal

    @property
    def smi(self):
        """The index."""
        return self.out[0]

    @property
    def smisignal(self):
        """Exponential average of `smi`."""
        return self.out[1]


@cython.final
cdef class CCI(HighLowClose):
    """Commodity channel index (Lambert): typical price off its mean, in 0.015 mean deviations.

    0 where nothing deviates. Each update reads the whole window. The warm-up is `timeperiod - 1`
    rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Bars in the window, 1 to 100,000.
    """

    cdef History past

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        history_init(&self.past, self.reserve(n - 1 + CHUNK), n - 1)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double* values = self.past.values
        cdef Py_ssize_t past = self.past.keep, i
        cdef double deviation, mean = 0.0
        for i in range(n):
            values[past + i] = (x[0][i] + x[1][i] + x[2][i]) / 3.0
        for i in range(n):
            deviation = mean_deviation(values + i, past + 1, values[past + i], &mean)
            y[0][i] = -mean / (0.015 * deviation) if deviation != 0.0 else 0.0
        history_shift(&self.past, n)


@cython.final
cdef class ULTOSC(HighLowClose):
    """Ultimate oscillator (Williams): buying pressure over three spans, weighted 4, 2, 1.

    From 0 to 100; a span without range counts as 0. The warm-up is the longest period.

    Parameters
    ----------
    timeperiod1, timeperiod2, timeperiod3 : int, default 7, 14 and 28
        The spans, 1 to 100,000; the shortest has the greatest weight, in whatever order given.
    """

    cdef Twin span[3]
    """Buying pressure and true range."""
    cdef double last
    cdef bint started

    def __init__(self, timeperiod1=7, timeperiod2=14, timeperiod3=28):
        cdef int k, n
        periods = sorted(
            (
                whole("timeperiod1", timeperiod1, 1),
                whole("timeperiod2", timeperiod2, 1),
                whole("timeperiod3", timeperiod3, 1),
            )
        )
        self.begin(
            ("timeperiod1", "timeperiod2", "timeperiod3"),
            (timeperiod1, timeperiod2, timeperiod3),
            periods[2],
        )
        for k in range(3):
            n = periods[k]
            twin_init(&self.span[k], self.reserve(2 * n), n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Twin span[3]
        cdef double height[CHUNK]
        cdef double sums[2]
        cdef const double* low = x[1]
        cdef const double* close = x[2]
        cdef double* o = y[0]
        cdef double last = self.last, bought, total
        cdef Py_ssize_t i = 0
        cdef int k
        self.last = true_ranges(x[0], low, close, last, height, n)
        for k in range(3):
            span[k] = self.span[k]
        if not self.started:
            self.started = True
            last = close[0]
            i = 1
        for i in range(i, n):
            bought = close[i] - (low[i] if low[i] < last else last)
            last = close[i]
            twin_step(&span[0], bought, height[i], sums)
            total = 4.0 * (sums[0] / sums[1]) if sums[1] != 0.0 else 0.0
            twin_step(&span[1], bought, height[i], sums)
            total += 2.0 * (sums[0] / sums[1]) if sums[1] != 0.0 else 0.0
            twin_step(&span[2], bought, height[i], sums)
            total += sums[0] / sums[1] if sums[1] != 0.0 else 0.0
            o[i] = 100.0 * (total / 7.0)
        for k in range(3):
            self.span[k] = span[k]
