# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Rolling shape, quantiles and joint movement: skewness, kurtosis, covariance, regression."""

cimport cython
from libc.math cimport NAN, floor, sqrt
from libc.string cimport memset

from pyrt.indicators.base cimport HighLow, Series, number, whole
from pyrt.indicators.moments cimport (
    Joint, Line, Moments, joint_init, joint_step, line_init, line_step, moments_init, moments_step,
)
from pyrt.indicators.ordered cimport Ordered, ordered_init, ordered_step
from pyrt.indicators.window cimport Sum, sum_init, sum_step


cdef struct Powers:
    Py_ssize_t n
    Py_ssize_t p
    double shift    # last value of the block before: it lies inside the window, see moments
    double head[4]  # sums of the first four powers of the head's deviations
    double central[4]  # of the window: mean, then central moments 2 to 4, divided by n
    double* block   # 4n doubles: values, then tail sums of the four powers


cdef inline void powers_init(Powers* s, double* block, Py_ssize_t n) noexcept nogil:
    memset(s, 0, sizeof(Powers))
    s.n = n
    s.block = block


cdef inline void powers_add(double* sums, double d) noexcept nogil:
    sums[0] += d
    sums[1] += d * d
    sums[2] += d * d * d
    sums[3] += d * d * (d * d)


cdef inline void powers_step(Powers* s, double x) noexcept nogil:
    """Take `x`; set the mean and the central moments of the last `n` values."""
    cdef double total[4]
    cdef double* slot = s.block + 4 * s.p
    cdef double length = s.n, mean, two, three, four
    cdef Py_ssize_t i
    cdef int k
    slot[0] = x
    s.p += 1
    if s.p < s.n:
        powers_add(s.head, x - s.shift)
        slot += 4
        for k in range(4):
            total[k] = s.head[k] + slot[k]
    else:
        s.shift = x
        for k in range(4):
            total[k] = 0.0
            s.head[k] = 0.0
        for i in range(s.n - 1, -1, -1):
            slot = s.block + 4 * i
            powers_add(total, slot[0] - x)
            for k in range(4):
                slot[k] = total[k]
        s.p = 0
    mean = total[0] / length
    two = total[1] / length
    three = total[2] / length
    four = total[3] / length
    s.central[0] = s.shift + mean
    s.central[1] = two - mean * mean
    s.central[2] = three - 3.0 * mean * two + 2.0 * mean * mean * mean
    s.central[3] = four - 4.0 * mean * three + 6.0 * mean * mean * two - 3.0 * mean * mean * (
        mean * mean
    )
    if s.central[1] <= 1e-14 * two:  # what is left is rounding: nothing varies
        s.central[1] = 0.0


@cython.final
cdef class SKEW(Series):
    """Skewness of the last `timeperiod` values, adjusted for bias (Fisher and Pearson).

    0 where nothing varies. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Values in the window, 3 to 100,000.
    """

    cdef Powers powers

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 3)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        powers_init(&self.powers, self.reserve(4 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Powers s = self.powers
        cdef double length = s.n, factor = sqrt(length * (length - 1.0)) / (length - 2.0)
        cdef Py_ssize_t i
        for i in range(n):
            powers_step(&s, x[0][i])
            y[0][i] = 0.0
            if s.central[1] > 0.0:
                y[0][i] = factor * s.central[2] / (s.central[1] * sqrt(s.central[1]))
        self.powers = s


@cython.final
cdef class KURT(Series):
    """Excess kurtosis of the last `timeperiod` values, adjusted for bias: 0 for a normal variable.

    -3 where nothing varies. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Values in the window, 4 to 100,000.
    """

    cdef Powers powers

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 4)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        powers_init(&self.powers, self.reserve(4 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Powers s = self.powers
        cdef double m = s.n, factor = (m - 1.0) / ((m - 2.0) * (m - 3.0)), ratio
        cdef Py_ssize_t i
        for i in range(n):
            powers_step(&s, x[0][i])
            y[0][i] = -3.0
            if s.central[1] > 0.0:
                ratio = s.central[3] / (s.central[1] * s.central[1])
                y[0][i] = factor * ((m + 1.0) * ratio - 3.0 * (m - 1.0))
        self.powers = s


@cython.final
cdef class QUANTILE(Series):
    """The value below which a share `q` of the last values lies, interpolated between two of them.

    An update costs a search of log n and a move of up to n values. The warm-up is
    `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Values in the window, 1 to 100,000.
    q : float, default 0.5
        0 (the least) to 1 (the greatest); 0.5 is the median.
    """

    cdef Ordered window
    cdef Py_ssize_t rank
    cdef double part

    def __init__(self, timeperiod=30, q=0.5):
        cdef int n = whole("timeperiod", timeperiod, 1)
        cdef double place = number("q", q, 0.0, 1.0) * (n - 1)
        self.begin(("timeperiod", "q"), (timeperiod, q), n - 1)
        ordered_init(&self.window, self.reserve(2 * n), n)
        self.rank = <Py_ssize_t>floor(place)
        self.part = place - self.rank

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Ordered s = self.window
        cdef double low, high
        cdef Py_ssize_t i
        for i in range(n):
            ordered_step(&s, x[0][i])
            low = s.ranked[self.rank]
            y[0][i] = low
            if self.part > 0.0:
                high = s.ranked[self.rank + 1]
                y[0][i] = low + (high - low) * self.part
        self.window = s


@cython.final
cdef class COV(HighLow):
    """Covariance of two series over `timeperiod` rows, divided by n - 1.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 2 to 100,000.
    """

    cdef Joint joint

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        joint_init(&self.joint, self.reserve(5 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Joint s = self.joint
        cdef double below = <double>s.n * (s.n - 1)
        cdef Py_ssize_t i
        for i in range(n):
            joint_step(&s, x[0][i], x[1][i])
            y[0][i] = s.xy / below
        self.joint = s


@cython.final
cdef class REGRESSION(HighLow):
    """Least-squares line of the second series on the first over `timeperiod` rows.

    Outputs `slope`, `intercept`, `rsquared` (0 to 1) and `residual`, how far the newest second
    value lies above the line: the hedge ratio and the spread of a pair. Slope and rsquared are 0
    where the first series does not vary. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 2 to 100,000.
    """

    cdef Joint joint
    cdef Sum first
    cdef Sum second

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(
            ("timeperiod",), (timeperiod,), n - 1, ("slope", "intercept", "rsquared", "residual")
        )
        joint_init(&self.joint, self.reserve(5 * n), n)
        sum_init(&self.first, self.reserve(n), n)
        sum_init(&self.second, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Joint s = self.joint
        cdef Sum a = self.first, b = self.second
        cdef double slope, mean, middle, share
        cdef Py_ssize_t i
        for i in range(n):
            joint_step(&s, x[0][i], x[1][i])
            mean = sum_step(&a, x[0][i]) / s.n
            middle = sum_step(&b, x[1][i]) / s.n
            slope = s.xy / s.xx if s.xx > 0.0 else 0.0
            share = 0.0
            if s.xx > 0.0 and s.yy > 0.0:
                share = slope * s.xy / s.yy
                share = share if share < 1.0 else 1.0
            y[0][i] = slope
            y[1][i] = middle - slope * mean
            y[2][i] = share
            y[3][i] = (x[1][i] - middle) - slope * (x[0][i] - mean)
        self.joint = s
        self.first = a
        self.second = b

    @property
    def slope(self):
        """Change of the second series per unit of the first."""
        return self.out[0]

    @property
    def intercept(self):
        """Height of the line where the first series is 0."""
        return self.out[1]

    @property
    def rsquared(self):
        """Share of the second series' variance that the line explains."""
        return self.out[2]

    @property
    def residual(self):
        """Newest value of the second series less the line."""
        return self.out[3]


@cython.final
cdef class LINEARREG_R2(Series):
    """Share of the variance of the last values that their least-squares line explains, 0 to 1.

    0 where nothing varies. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Values in the line, 2 to 100,000.
    """

    cdef Line line
    cdef Moments moments

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        line_init(&self.line, self.reserve(2 * n), n)
        moments_init(&self.moments, self.reserve(2 * n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Line line = self.line
        cdef Moments s = self.moments
        cdef double share, spread = (line.length * line.length - 1.0) / 12.0
        cdef Py_ssize_t i
        for i in range(n):
            line_step(&line, x[0][i])
            moments_step(&s, x[0][i])
            share = 0.0
            if s.variance > 0.0:
                share = line.slope * line.slope * spread / s.variance
            y[0][i] = share if share < 1.0 else 1.0
        self.line = line
        self.moments = s


cdef class Fading(HighLow):
    """Weighted sums whose weights fade by a factor a row; never recomputed, never subtracted."""

    cdef double keep
    cdef double weight
    """Sum of the weights ..."""
    cdef double weight2
    """... and of their squares."""
    cdef double mean[2]
    cdef double product
    """Weighted sum of the products of deviations."""

    cdef double fade(self, double first, double second) noexcept nogil:
        """Take a pair; return the covariance, adjusted for bias; NaN of one pair."""
        cdef double old = self.weight * self.keep, a = first - self.mean[0], b, below
        self.weight = old + 1.0
        self.weight2 = self.weight2 * self.keep * self.keep + 1.0
        self.mean[0] = self.mean[0] + a / self.weight
        b = second - self.mean[1]
        self.mean[1] = self.mean[1] + b / self.weight
        self.product = self.product * self.keep + a * b * (old / self.weight)
        below = self.weight - self.weight2 / self.weight
        return self.product / below if below > 0.0 else NAN

    cdef int start(self, object timeperiod) except -1:
        """Check the span and begin."""
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        self.keep = 1.0 - 2.0 / (n + 1)
        self.weight = self.weight2 = self.product = 0.0
        self.mean[0] = self.mean[1] = 0.0
        return 0


@cython.final
cdef class EWMCOV(Fading):
    """Exponentially weighted covariance of two series, adjusted for bias.

    Weights fade by 1 - 2 / (`timeperiod` + 1) a row, over all rows. The warm-up is
    `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Span of the weights, 2 to 100,000.
    """

    def __init__(self, timeperiod=30):
        self.start(timeperiod)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            y[0][i] = self.fade(x[0][i], x[1][i])


@cython.final
cdef class EWMVAR(Series):
    """Exponentially weighted variance, adjusted for bias.

    Weights fade by 1 - 2 / (`timeperiod` + 1) a row, over all rows. The warm-up is
    `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Span of the weights, 2 to 100,000.
    """

    cdef Fading sums

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        self.sums = EWMCOV(timeperiod)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            y[0][i] = self.sums.fade(x[0][i], x[0][i])
