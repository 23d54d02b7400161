# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are the settings' periods, all above 0.
"""The machine behind candlestick patterns; the patterns are in `candles_one` and its siblings."""

from libc.math cimport fabs
from libc.string cimport memcpy, memmove

from pyrt.indicators.base cimport number

cdef enum:
    BODY = 4
    HEIGHT = 5
    SHADOWS = 6

# what each setting measures, over how many bars, and times what: TA-Lib's defaults
cdef int[8] MEASURE = [BODY, BODY, HEIGHT, SHADOWS, HEIGHT, HEIGHT, HEIGHT, HEIGHT]
cdef int[8] PERIOD = [10, 10, 10, 10, 10, 5, 5, 5]
cdef double[8] FACTOR = [1.0, 1.0, 0.1, 0.5, 0.1, 0.2, 0.6, 0.05]


cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif
    /* From a running total, n rows on: the average at each row before its own step, times a factor
       and rounded as TA-Lib rounds it. Returns the total; notes its greatest and least. The
       divisions go on, two at a time where the processor can, while the next sums are made. */
    static double pyrt_averages(
        const double* added, const double* gone, double* out, Py_ssize_t n, double sum,
        double factor, double period, double* greatest, double* least
    ) {
        Py_ssize_t i = 0;
        double most = *greatest, fewest = sum;
    #ifdef __SSE2__
        const __m128d times = _mm_set1_pd(factor), over = _mm_set1_pd(period);
        __m128d high = _mm_set1_pd(most), low = _mm_set1_pd(fewest);
        double ends[2];
        for (; i + 1 < n; i += 2) {
            __m128d step = _mm_sub_pd(_mm_loadu_pd(added + i), _mm_loadu_pd(gone + i));
            double middle = sum + _mm_cvtsd_f64(step);
            __m128d before = _mm_set_pd(middle, sum);
            sum = middle + _mm_cvtsd_f64(_mm_unpackhi_pd(step, step));
            __m128d after = _mm_set_pd(sum, middle);
            high = _mm_max_pd(after, high);
            low = _mm_min_pd(after, low);
            _mm_storeu_pd(out + i, _mm_mul_pd(times, _mm_div_pd(before, over)));
        }
        _mm_storeu_pd(ends, high);
        most = ends[0] > ends[1] ? ends[0] : ends[1];
        _mm_storeu_pd(ends, low);
        fewest = ends[0] < ends[1] ? ends[0] : ends[1];
    #endif
        for (; i < n; i++) {
            out[i] = factor * (sum / period);
            sum += added[i] - gone[i];
            most = sum > most ? sum : most;
            fewest = sum < fewest ? sum : fewest;
        }
        *greatest = most;
        *least = fewest;
        return sum;
    }
    """
    double pyrt_averages(
        const double*, const double*, double*, Py_ssize_t, double, double, double, double*, double*
    ) noexcept nogil


cdef void run_total(
    Total* t, const double* measure, Py_ssize_t start, Py_ssize_t stop, Py_ssize_t warm
) noexcept nogil:
    """Write the averages for the bars in places [start, stop); `warm` of them precede the first."""
    cdef Py_ssize_t i, sum_from = start + warm - t.back - t.period, first = start + max(warm, 0)
    cdef const double* newest = measure + first - t.back
    cdef double sum, least, peak = t.peak
    for i in range(start, min(start + warm, stop)):  # before the first: add up the first window
        if sum_from <= i < sum_from + t.period:
            t.sum += measure[i]
    if first >= stop:
        return
    sum = pyrt_averages(
        newest, newest - t.period, t.average + first, stop - first, t.sum, t.factor, t.period,
        &peak, &least,
    )
    if least < peak * 1e-5:  # somewhere digits may be gone with a spike that left
        run_carefully(t, measure, first, stop)
    else:
        t.sum = sum
        t.peak = peak


cdef void run_carefully(
    Total* t, const double* measure, Py_ssize_t first, Py_ssize_t stop
) noexcept nogil:
    """Write the averages for the bars in places [first, stop), summed afresh after a spike."""
    cdef Py_ssize_t i, j
    cdef double sum = t.sum, peak = t.peak, period = t.period
    for i in range(first, stop):
        t.average[i] = t.factor * (sum / period)
        j = i - t.back
        sum += measure[j] - measure[j - t.period]
        if sum > peak:
            peak = sum
        elif sum < peak * 1e-5:
            sum = 0.0
            for j in range(i - t.back - t.period + 1, i - t.back + 1):
                sum += measure[j]
            peak = sum
    t.sum = sum
    t.peak = peak


cdef void bodies(
    const double* open, const double* close, double* out, Py_ssize_t n
) noexcept nogil:
    """Write the sizes of `n` bodies."""
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = fabs(close[i] - open[i])


cdef void heights(
    const double* high, const double* low, double* out, Py_ssize_t n
) noexcept nogil:
    """Write the ranges of `n` bars."""
    cdef Py_ssize_t i
    for i in range(n):
        out[i] = high[i] - low[i]


cdef class Pattern(OpenHighLowClose):
    """A candlestick pattern: 100 (bullish), -100 (bearish) or 0; 80 and 200 where it says so."""

    def __init__(self):
        self.begin((), (), self.warmup)
        self.clear()

    cdef int clear(self) except -1:
        cdef int k
        for k in range(7):
            self.columns[k] = self.reserve(ROOM) if self.needed[k] else NULL
        for k in range(self.n_totals):
            self.totals[k].sum = 0.0
            self.totals[k].peak = 0.0
            self.totals[k].average = self.reserve(ROOM)
            self.bars.average[k] = self.totals[k].average
        self.bars.open = self.columns[0]
        self.bars.high = self.columns[1]
        self.bars.low = self.columns[2]
        self.bars.close = self.columns[3]
        self.bars.body = self.columns[BODY]
        self.bars.found = -10
        self.bars.result = 0
        self.place = REACH
        return 0

    cdef void shape(self, Py_ssize_t warmup, tuple averages) noexcept:
        """Set the warm-up and the averages wanted, as (setting, bars back)."""
        cdef int k = 0
        self.warmup = warmup
        self.first = warmup
        self.n_totals = len(averages)
        for k in range(BODY + 1):
            self.needed[k] = True
        for k, (setting, back) in enumerate(averages):
            self.totals[k].measure = MEASURE[<int>setting]
            self.totals[k].back = back
            self.totals[k].period = PERIOD[<int>setting]
            self.totals[k].factor = FACTOR[<int>setting]
            self.needed[self.totals[k].measure] = True

    cdef void make_room(self, Py_ssize_t n) noexcept nogil:
        """Move the past to the front when the rows in hand would not fit behind it."""
        cdef int k
        if self.place + n <= ROOM:
            return
        for k in range(7):
            if self.needed[k]:
                memmove(
                    self.columns[k],
                    self.columns[k] + self.place - REACH,
                    REACH * sizeof(double),
                )
        self.place = REACH

    cdef void measure(self, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
        """Fill the columns of bodies, heights and shadows, those that are needed."""
        cdef const double* open = self.columns[0]
        cdef const double* high = self.columns[1]
        cdef const double* low = self.columns[2]
        cdef const double* close = self.columns[3]
        cdef double* out
        cdef Py_ssize_t i
        bodies(open + start, close + start, self.columns[BODY] + start, stop - start)
        if self.needed[HEIGHT]:
            heights(high + start, low + start, self.columns[HEIGHT] + start, stop - start)
        if self.needed[SHADOWS]:
            out = self.columns[SHADOWS]
            for i in range(start, stop):
                out[i] = upper(&self.bars, i) + lower(&self.bars, i)

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        """Write what the pattern is worth at the bars in places [start, stop) to y[start:stop]."""

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t start, stop, warm = max(self.first - self.seen, 0)
        cdef int k
        self.make_room(n)
        start = self.place
        stop = start + n
        if self.bare:
            bodies(x[0], x[3], self.columns[BODY] + start, n)
            heights(x[1], x[2], self.columns[HEIGHT] + start, n)
        else:
            for k in range(4):
                memcpy(self.columns[k] + start, x[k], n * sizeof(double))
            self.measure(start, stop)
        for k in range(self.n_totals):
            run_total(
                &self.totals[k], self.columns[self.totals[k].measure], start, stop, warm
            )
        self.bars.offset = self.seen - start
        if warm < n:
            self.look(&self.bars, start + warm, stop, y[0] - start)
        self.place = stop


cdef class Deep(Pattern):
    """A pattern that has to reach a share `penetration` of the first body into it."""

    def __init__(self, penetration=None):
        if penetration is not None:
            self.bars.depth = number("penetration", penetration, 0.0, 3e37)
        self.begin(("penetration",), (self.bars.depth,), self.warmup)
        self.clear()
