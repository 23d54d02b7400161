# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Rolling variance, correlation, regression and order statistics."""

cimport cython
from libc.math cimport M_PI, atan, ceil, sqrt
cimport libc.stdint  # for the C text below

from pyrt.indicators.base cimport CHUNK, HighLow, Series, number, whole
from pyrt.indicators.deviation cimport mean_deviation
from pyrt.indicators.moments cimport (
    Joint, Line, Moments, joint_init, joint_step, line_at, line_init, line_step, moments_init,
    moments_step,
)
from pyrt.indicators.ordered cimport Ordered, ordered_init, ordered_step
from pyrt.indicators.window cimport History, history_init, history_join, history_shift


@cython.final
cdef class STDDEV(Series):
    """Standard deviation of the last `timeperiod` values (divided by n), times `nbdev`.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 5
        Length of the window, 1 to 100,000.
    nbdev : float, default 1.0
        Factor of the output.
    """

    cdef Moments moments
    cdef double factor

    def __init__(self, timeperiod=5, nbdev=1.0):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.factor = number("nbdev", nbdev, -3e37, 3e37)
        self.begin(("timeperiod", "nbdev"), (timeperiod, nbdev), n - 1)
        moments_init(&self.moments, self.reserve(2 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Moments s = self.moments
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef double factor = self.factor
        cdef Py_ssize_t i
        for i in range(n):
            moments_step(&s, a[i])
            o[i] = sqrt(s.variance) * factor
        self.moments = s


@cython.final
cdef class VAR(Series):
    """Variance of the last `timeperiod` values, divided by n.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 5
        Length of the window, 1 to 100,000.
    nbdev : float, default 1.0
        Without effect; TA-Lib has it.
    """

    cdef Moments moments

    def __init__(self, timeperiod=5, nbdev=1.0):
        cdef int n = whole("timeperiod", timeperiod, 1)
        number("nbdev", nbdev, -3e37, 3e37)
        self.begin(("timeperiod", "nbdev"), (timeperiod, nbdev), n - 1)
        moments_init(&self.moments, self.reserve(2 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Moments s = self.moments
        cdef Py_ssize_t i
        for i in range(n):
            moments_step(&s, x[0][i])
            y[0][i] = s.variance
        self.moments = s


@cython.final
cdef class AVGDEV(Series):
    """Mean absolute deviation of the last `timeperiod` values from their mean.

    Each update reads the whole window: the mean, and with it every deviation, has moved. The
    warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Length of the window, 1 to 100,000.
    """

    cdef History past

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        history_init(&self.past, self.reserve(n - 1 + CHUNK), n - 1)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* values = self.past.values
        cdef Py_ssize_t length = self.past.keep + 1, i
        history_join(&self.past, x[0], n)
        for i in range(n):
            y[0][i] = mean_deviation(values + i, length, x[0][i], NULL)
        history_shift(&self.past, n)


@cython.final
cdef class CORREL(HighLow):
    """Pearson's correlation of two series over `timeperiod` rows, -1 to 1; 0 if either is flat.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    cdef Joint joint

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        joint_init(&self.joint, self.reserve(5 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Joint s = self.joint
        cdef double below, r
        cdef Py_ssize_t i
        for i in range(n):
            joint_step(&s, x[0][i], x[1][i])
            r = 0.0
            if s.xx > 0.0 and s.yy > 0.0:
                below = sqrt(s.xx) * sqrt(s.yy)
                r = min(max(s.xy / below, -1.0), 1.0)
            y[0][i] = r
        self.joint = s


@cython.final
cdef class BETA(HighLow):
    """Slope of the second series' returns on the first's over `timeperiod` returns.

    A return from 0 counts as 0; 0 if the first series does not move. The warm-up is `timeperiod`
    rows.

    Parameters
    ----------
    timeperiod : int, default 5
        Returns in the window, 1 to 100,000.
    """

    cdef Joint joint
    cdef double last[2]
    cdef bint started

    def __init__(self, timeperiod=5):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        joint_init(&self.joint, self.reserve(5 * n), n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Joint s = self.joint
        cdef double a = self.last[0], b = self.last[1], first, second
        cdef Py_ssize_t i = 0
        if not self.started:
            self.started = True
            a = x[0][0]
            b = x[1][0]
            i = 1
        for i in range(i, n):
            first = (x[0][i] - a) / a if a != 0.0 else 0.0
            second = (x[1][i] - b) / b if b != 0.0 else 0.0
            a = x[0][i]
            b = x[1][i]
            joint_step(&s, first, second)
            y[0][i] = s.xy / s.xx if s.xx > 0.0 else 0.0
        self.joint = s
        self.last[0] = a
        self.last[1] = b


cdef class Regression(Series):
    """A least-squares line through the last `timeperiod` values."""

    cdef Line line

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        line_init(&self.line, self.reserve(2 * n), n)


@cython.final
cdef class LINEARREG(Regression):
    """Height, at the newest row, of the least-squares line through the last values.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Values in the line, 2 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Line s = self.line
        cdef Py_ssize_t i
        for i in range(n):
            line_step(&s, x[0][i])
            y[0][i] = line_at(&s, s.length - 1.0)
        self.line = s


@cython.final
cdef class LINEARREG_SLOPE(Regression):
    """Slope per row of the least-squares line through the last values.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Values in the line, 2 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Line s = self.line
        cdef Py_ssize_t i
        for i in range(n):
            line_step(&s, x[0][i])
            y[0][i] = s.slope
        self.line = s


@cython.final
cdef class LINEARREG_ANGLE(Regression):
    """`LINEARREG_SLOPE` as an angle in degrees, -90 to 90.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Values in the line, 2 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Line s = self.line
        cdef Py_ssize_t i
        for i in range(n):
            line_step(&s, x[0][i])
            y[0][i] = atan(s.slope) * (180.0 / M_PI)
        self.line = s


@cython.final
cdef class LINEARREG_INTERCEPT(Regression):
    """Height, at the oldest row of the window, of the least-squares line through it.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Values in the line, 2 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Line s = self.line
        cdef Py_ssize_t i
        for i in range(n):
            line_step(&s, x[0][i])
            y[0][i] = line_at(&s, 0.0)
        self.line = s


@cython.final
cdef class TSF(Regression):
    """Time series forecast: the least-squares line one row ahead.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Values in the line, 2 to 100,000.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Line s = self.line
        cdef Py_ssize_t i
        for i in range(n):
            line_step(&s, x[0][i])
            y[0][i] = line_at(&s, s.length)
        self.line = s


@cython.final
cdef class FOSC(Series):
    """Forecast oscillator: how far, in percent, the value lies off yesterday's `TSF`.

    0 where the value is 0. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 5
        Values in the line, 2 to 100,000.
    """

    cdef Line line

    def __init__(self, timeperiod=5):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n)
        line_init(&self.line, self.reserve(2 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Line s = self.line
        cdef double miss
        cdef Py_ssize_t i
        for i in range(n):
            miss = x[0][i] - line_at(&s, s.length)
            y[0][i] = 100.0 * miss / x[0][i] if x[0][i] != 0.0 else 0.0
            line_step(&s, x[0][i])
        self.line = s


@cython.final
cdef class PERCENTILE(Series):
    """The value below or at which `percentile` percent of the last values lie (nearest rank).

    An update costs a search of log n and a move of up to n values. The warm-up is
    `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Values in the window, 1 to 100,000.
    percentile : float, default 50.0
        0 to 100.
    """

    cdef Ordered window
    cdef Py_ssize_t rank

    def __init__(self, timeperiod=30, percentile=50.0):
        cdef int n = whole("timeperiod", timeperiod, 1)
        cdef double share = number("percentile", percentile, 0.0, 100.0)
        self.begin(("timeperiod", "percentile"), (timeperiod, percentile), n - 1)
        ordered_init(&self.window, self.reserve(2 * n), n)
        self.rank = min(max(<int>ceil(share * n / 100.0), 1), n) - 1

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Ordered s = self.window
        cdef Py_ssize_t i
        for i in range(n):
            ordered_step(&s, x[0][i])
            y[0][i] = s.ranked[self.rank]
        self.window = s


cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif
    /* How many of n values are less than x; a comparison of two at a time gives -1 for each. */
    static Py_ssize_t pyrt_count_below(const double* values, Py_ssize_t n, double x) {
        Py_ssize_t i = 0, count = 0;
    #ifdef __SSE2__
        const __m128d bound = _mm_set1_pd(x);
        __m128i a = _mm_setzero_si128(), b = a;
        for (; i + 3 < n; i += 4) {
            a = _mm_sub_epi64(a, _mm_castpd_si128(_mm_cmplt_pd(_mm_loadu_pd(values + i), bound)));
            b = _mm_sub_epi64(
                b, _mm_castpd_si128(_mm_cmplt_pd(_mm_loadu_pd(values + i + 2), bound))
            );
        }
        int64_t parts[2];
        _mm_storeu_si128((__m128i*)parts, _mm_add_epi64(a, b));
        count = (Py_ssize_t)(parts[0] + parts[1]);
    #endif
        for (; i < n; i++) count += values[i] < x;
        return count;
    }
    """
    Py_ssize_t pyrt_count_below(const double*, Py_ssize_t, double) noexcept nogil


@cython.final
cdef class PERCENTRANK(Series):
    """Percent of the last `timeperiod` values, this one not among them, that are below this one.

    Each update compares with the whole window, two values at a time. The warm-up is `timeperiod`
    rows.

    Parameters
    ----------
    timeperiod : int, default 100
        Values compared with, 1 to 100,000.
    """

    cdef History past

    def __init__(self, timeperiod=100):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        history_init(&self.past, self.reserve(n + CHUNK), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* values = self.past.values
        cdef Py_ssize_t length = self.past.keep, i
        history_join(&self.past, x[0], n)
        for i in range(n):
            y[0][i] = <double>pyrt_count_below(values + i, length, x[0][i]) / length * 100.0
        history_shift(&self.past, n)
