# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero; RVOL's quotient may be infinite.
"""Indicators that weigh prices by volume. What adds up over the whole series is compensated."""

cimport cython
from libc.math cimport fabs

from pyrt.indicators.base cimport (
    CHUNK, CloseVolume, HighLowClose, HighLowCloseVolume, HighLowVolume, Series, whole,
)
from pyrt.indicators.smoothing cimport (
    Ema, Stage, ema_init, ema_pair_run, ema_set, stage_ema, stage_step,
)
from pyrt.indicators.window cimport (
    Running, Sum, running_run, running_zero, sum_init, sum_step, sums_run,
)


cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif
    /* Volumes of bars times the place of the close, two at a time where the processor can. */
    static void pyrt_flows(
        const double* high, const double* low, const double* close, const double* volume,
        double* out, Py_ssize_t n
    ) {
        Py_ssize_t i = 0;
    #ifdef __SSE2__
        const __m128d zero = _mm_setzero_pd();
        for (; i + 1 < n; i += 2) {
            __m128d h = _mm_loadu_pd(high + i), l = _mm_loadu_pd(low + i);
            __m128d c = _mm_loadu_pd(close + i), span = _mm_sub_pd(h, l);
            __m128d lean = _mm_sub_pd(_mm_sub_pd(c, l), _mm_sub_pd(h, c));
            lean = _mm_and_pd(_mm_div_pd(lean, span), _mm_cmpgt_pd(span, zero));
            _mm_storeu_pd(out + i, _mm_mul_pd(lean, _mm_loadu_pd(volume + i)));
        }
    #endif
        for (; i < n; i++) {
            double span = high[i] - low[i];
            double lean = (close[i] - low[i]) - (high[i] - close[i]);
            out[i] = (span > 0.0 ? lean / span : 0.0) * volume[i];
        }
    }
    """
    void pyrt_flows(
        const double*, const double*, const double*, const double*, double*, Py_ssize_t
    ) noexcept nogil


@cython.final
cdef class AD(HighLowCloseVolume):
    """Chaikin's accumulation and distribution line: volume times the close's place in the bar.

    Cumulative; a bar without range adds nothing. No warm-up.
    """

    cdef Running line

    def __init__(self):
        self.begin((), (), 0)
        self.line = running_zero()

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        pyrt_flows(x[0], x[1], x[2], x[3], y[0], n)
        running_run(&self.line, y[0], y[0], n)


@cython.final
cdef class ADOSC(HighLowCloseVolume):
    """Chaikin's oscillator: fast less slow exponential average of `AD`.

    Both averages start at the line's first value. The warm-up is the longer period - 1 rows.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 3 and 10
        Lengths of the averages, 1 to 100,000.
    """

    cdef Running line
    cdef Ema fast
    cdef Ema slow
    cdef bint started

    def __init__(self, fastperiod=3, slowperiod=10):
        cdef int a = whole("fastperiod", fastperiod, 1), b = whole("slowperiod", slowperiod, 1)
        self.begin(("fastperiod", "slowperiod"), (fastperiod, slowperiod), max(a, b) - 1)
        self.line = running_zero()
        ema_init(&self.fast, a, 2.0 / (a + 1))
        ema_init(&self.slow, b, 2.0 / (b + 1))
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double* o = y[0]
        cdef Py_ssize_t first = 0
        pyrt_flows(x[0], x[1], x[2], x[3], o, n)
        running_run(&self.line, o, o, n)
        if not self.started:
            self.started = True
            ema_set(&self.fast, o[0])
            ema_set(&self.slow, o[0])
            o[0] = 0.0
            first = 1
        ema_pair_run(&self.fast, &self.slow, o + first, o + first, n - first)


cdef inline double rises(double price, double before, double volume) noexcept nogil:
    """The volume where the price has risen, else 0."""
    return volume if price > before else 0.0


@cython.final
cdef class OBV(CloseVolume):
    """On-balance volume (Granville): volume added on rises and taken off on falls.

    Starts at the first bar's volume. No warm-up.
    """

    cdef Running line
    cdef double last
    cdef bint started

    def __init__(self):
        self.begin((), (), 0)
        self.line = running_zero()
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* price = x[0]
        cdef const double* volume = x[1]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        o[0] = volume[0]
        if self.started:
            o[0] = rises(price[0], self.last, volume[0]) - rises(self.last, price[0], volume[0])
        self.started = True
        for i in range(1, n):
            o[i] = (
                rises(price[i], price[i - 1], volume[i]) - rises(price[i - 1], price[i], volume[i])
            )
        self.last = price[n - 1]
        running_run(&self.line, o, o, n)


@cython.final
cdef class MFI(HighLowCloseVolume):
    """Money flow index: money moved on rising typical prices in percent of all moved, 0 to 100.

    Money is typical price times volume; 0 if the price never moved. The warm-up is `timeperiod`
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
        cdef double last = self.last, price, money, up, total, still
        cdef Py_ssize_t i = 0
        if not self.started:
            self.started = True
            last = (x[0][0] + x[1][0] + x[2][0]) / 3.0
            i = 1
        for i in range(i, n):
            price = (x[0][i] + x[1][i] + x[2][i]) / 3.0
            money = price * x[3][i]
            still = 1e-14 * (fabs(price) + fabs(last))  # what dividing by 3 may round
            up = sum_step(&a, money if price - last > still else 0.0)
            total = up + sum_step(&b, money if last - price > still else 0.0)
            last = price
            y[0][i] = 100.0 * (up / total) if total != 0.0 else 0.0
        self.up = a
        self.down = b
        self.last = last


@cython.final
cdef class CMF(HighLowCloseVolume):
    """Chaikin's money flow: volume by the close's place in the bar, over volume, -1 to 1.

    0 over a window without volume. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Bars in the window, 1 to 100,000.
    """

    cdef Sum flow_sum
    cdef Sum volume

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.flow_sum, self.reserve(n), n)
        sum_init(&self.volume, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double volume[CHUNK]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        pyrt_flows(x[0], x[1], x[2], x[3], o, n)
        sums_run(&self.flow_sum, &self.volume, o, x[3], o, volume, n)
        for i in range(n):
            o[i] = o[i] / volume[i] if volume[i] != 0.0 else 0.0


@cython.final
cdef class EFI(CloseVolume):
    """Elder's force index: exponential average of the move times the volume.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 13
        Length of the average, 1 to 100,000.
    """

    cdef Stage average
    cdef double last
    cdef bint started

    def __init__(self, timeperiod=13):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        stage_ema(&self.average, n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage s = self.average
        cdef double last = self.last
        cdef Py_ssize_t i = 0
        if not self.started:
            self.started = True
            last = x[0][0]
            i = 1
        for i in range(i, n):
            stage_step(&s, (x[0][i] - last) * x[1][i])
            last = x[0][i]
            y[0][i] = s.y
        self.average = s
        self.last = last


@cython.final
cdef class ERI(HighLowClose):
    """Elder ray: outputs `bullpower` and `bearpower`, high and low less an average close.

    The average is exponential; the warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 13
        Length of the average, 1 to 100,000.
    """

    cdef Stage average

    def __init__(self, timeperiod=13):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1, ("bullpower", "bearpower"))
        stage_ema(&self.average, n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage s = self.average
        cdef Py_ssize_t i
        for i in range(n):
            stage_step(&s, x[2][i])
            y[0][i] = x[0][i] - s.y
            y[1][i] = x[1][i] - s.y
        self.average = s

    @property
    def bullpower(self):
        """High less the average."""
        return self.out[0]

    @property
    def bearpower(self):
        """Low less the average."""
        return self.out[1]


@cython.final
cdef class MARKETFI(HighLowVolume):
    """Market facilitation index (Williams): range per unit of volume; 0 without volume.

    No warm-up.
    """

    def __init__(self):
        self.begin((), (), 0)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            y[0][i] = (x[0][i] - x[1][i]) / x[2][i] if x[2][i] != 0.0 else 0.0


@cython.final
cdef class RVOL(Series):
    """Relative volume: the volume over the simple average of those before it.

    Infinite, or NaN without volume, where that average is 0. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Volumes in the average, this one not among them, 1 to 100,000.
    """

    cdef Sum window
    cdef double average

    def __cinit__(self):
        self.inputs = ("volume",)

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.window, self.reserve(n), n)
        self.average = 0.0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double average = self.average, scale = 1.0 / s.n
        cdef Py_ssize_t i
        for i in range(n):
            y[0][i] = x[0][i] / average
            average = sum_step(&s, x[0][i]) * scale
        self.window = s
        self.average = average


@cython.final
cdef class VWAP(HighLowCloseVolume):
    """Volume-weighted average price since the first bar (or `reset()`, at a session's start).

    The price is the typical one; 0 until there is volume, as in TA-Lib. No warm-up.
    """

    cdef Running money
    cdef Running volume

    def __init__(self):
        self.begin((), (), 0)
        self.money = running_zero()
        self.volume = running_zero()

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef const double* close = x[2]
        cdef const double* traded = x[3]
        cdef double volume[CHUNK]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = (high[i] + low[i] + close[i]) / 3.0 * traded[i]
        running_run(&self.money, o, o, n)
        running_run(&self.volume, traded, volume, n)
        for i in range(n):
            o[i] = o[i] / volume[i] if volume[i] != 0.0 else 0.0


cdef inline double distance(double high, double low, double close, double last) noexcept nogil:
    """How far the close lies from the true low on a rise, from the true high on a fall."""
    cdef double below = low if low < last else last, above = high if high > last else last
    cdef double part = close - below if close > last else 0.0
    return close - above if close < last else part


@cython.final
cdef class WAD(HighLowClose):
    """Williams' accumulation and distribution: distance of the close from the true low or high.

    On a rise the true low counts, on a fall the true high; added up, 0 at first. No warm-up.
    """

    cdef Running line
    cdef double last
    cdef bint started

    def __init__(self):
        self.begin((), (), 0)
        self.line = running_zero()
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef const double* close = x[2]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        o[0] = distance(high[0], low[0], close[0], self.last) if self.started else 0.0
        self.started = True
        for i in range(1, n):
            o[i] = distance(high[i], low[i], close[i], close[i - 1])
        self.last = close[n - 1]
        running_run(&self.line, o, o, n)
