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


cdef class Pattern(OpenHighLowClose):
    """A candlestick pattern: 100 (bullish), -100 (bearish) or 0; 80 and 200 where it says so."""

    def __init__(self):
        self.begin((), (), self.warmup)
        self.clear()

    cdef void clear(self) noexcept:
        cdef int k
        for k in range(self.n_totals):
            self.totals[k].sum = 0.0
            self.totals[k].peak = 0.0
        self.bars.found = -10
        self.bars.result = 0

    cdef void shape(self, Shape match, Py_ssize_t warmup, tuple averages) noexcept:
        """Name the function that knows the pattern, its warm-up, and (setting, bars back) pairs."""
        cdef int k = 0
        self.match = match
        self.warmup = warmup
        self.first = warmup
        self.n_totals = len(averages)
        for setting, back in averages:
            self.totals[k].setting = MEASURE[<int>setting]
            self.totals[k].back = back
            self.totals[k].period = PERIOD[<int>setting]
            self.totals[k].factor = FACTOR[<int>setting]
            k += 1

    cdef void tend(self, Total* t, Py_ssize_t i, Py_ssize_t row) noexcept nogil:
        """Let the bar in column slot `i` into a total, and the one a period before it out."""
        cdef const double* measure = self.columns[t.setting]
        cdef Py_ssize_t j
        if row < self.first:
            if self.first - t.back - t.period <= row < self.first - t.back:
                t.sum += measure[i]
        else:
            i -= t.back
            t.sum += measure[i] - measure[i - t.period]
            if t.sum > t.peak:
                t.peak = t.sum
            elif t.sum < t.peak * 1e-5:  # digits are gone with a spike that left
                t.sum = 0.0
                for j in range(i - t.period + 1, i + 1):
                    t.sum += measure[j]
                t.peak = t.sum

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Bars* b = &self.bars
        cdef Py_ssize_t i, slot, row = self.seen
        cdef int k, count = self.n_totals
        cdef double body
        for k in range(4):
            memcpy(&self.columns[k][REACH], x[k], n * sizeof(double))
        for i in range(n):
            slot = REACH + i
            body = fabs(x[3][i] - x[0][i])
            self.columns[BODY][slot] = body
            self.columns[HEIGHT][slot] = x[1][i] - x[2][i]
            self.columns[SHADOWS][slot] = (
                x[1][i] - (x[3][i] if x[3][i] >= x[0][i] else x[0][i])
            ) + ((x[0][i] if x[3][i] >= x[0][i] else x[3][i]) - x[2][i])
        b.open = self.columns[0]
        b.high = self.columns[1]
        b.low = self.columns[2]
        b.close = self.columns[3]
        b.body = self.columns[BODY]
        for i in range(n):
            slot = REACH + i
            if row >= self.first:
                for k in range(count):
                    b.average[k] = self.totals[k].factor * (
                        self.totals[k].sum / self.totals[k].period
                    )
                b.row = row
                y[0][i] = self.match(b, slot)
            for k in range(count):
                self.tend(&self.totals[k], slot, row)
            row += 1
        for k in range(7):
            memmove(&self.columns[k][0], &self.columns[k][n], REACH * sizeof(double))


cdef class Deep(Pattern):
    """A pattern that has to reach a share `penetration` of the first body into it."""

    def __init__(self, penetration=None):
        if penetration is not None:
            self.bars.depth = number("penetration", penetration, 0.0, 3e37)
        self.begin(("penetration",), (self.bars.depth,), self.warmup)
        self.clear()
