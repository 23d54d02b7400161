# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# IEEE division is what is wanted: x / 0 is an infinity, 0 / 0 NaN.
"""Arithmetic on series: operators, elementary functions, sums."""

cimport cython
from libc.math cimport (
    acos, asin, atan, cos, cosh, exp, log, log10, sin, sinh, sqrt, tan, tanh,
)

from pyrt.indicators.base cimport HighLow, Series, whole
from pyrt.indicators.window cimport (
    Running, Sum, running_run, running_zero, sum_grow, sum_init, sum_step,
)

cdef extern from *:
    """
    /* Whole numbers by adding and taking off 2^52, which leaves no room for a fraction: libm's own
       need a call a value on processors of the first 64-bit generation. From 2^52 on there are no
       fractions. The sign of 0 is that of x. */
    static double pyrt_whole(double x) {
        const double big = copysign(4503599627370496.0, x);
        return fabs(x) < 4503599627370496.0 ? (x + big) - big : x;
    }
    static void pyrt_ceil(const double* x, double* y, Py_ssize_t n) {
        for (Py_ssize_t i = 0; i < n; i++) {
            double near = pyrt_whole(x[i]);
            y[i] = copysign(near + (near < x[i] ? 1.0 : 0.0), x[i]);
        }
    }
    static void pyrt_floor(const double* x, double* y, Py_ssize_t n) {
        for (Py_ssize_t i = 0; i < n; i++) {
            double near = pyrt_whole(x[i]);
            y[i] = copysign(near - (near > x[i] ? 1.0 : 0.0), x[i]);
        }
    }
    """
    void pyrt_ceil(const double*, double*, Py_ssize_t) noexcept nogil
    void pyrt_floor(const double*, double*, Py_ssize_t) noexcept nogil

ctypedef double (*Function)(double) noexcept nogil


cdef class Operator(HighLow):
    """An operation on two series, row by row; NaN in gives NaN out."""

    def __init__(self):
        self.begin((), (), 0)
        self.stateless = True


@cython.final
cdef class ADD(Operator):
    """Sum of two series, row by row. No warm-up."""

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* a = x[0]
        cdef const double* b = x[1]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = a[i] + b[i]


@cython.final
cdef class SUB(Operator):
    """Difference of two series, row by row. No warm-up."""

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* a = x[0]
        cdef const double* b = x[1]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = a[i] - b[i]


@cython.final
cdef class MULT(Operator):
    """Product of two series, row by row. No warm-up."""

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* a = x[0]
        cdef const double* b = x[1]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = a[i] * b[i]


@cython.final
cdef class DIV(Operator):
    """Quotient of two series, row by row; an infinity or NaN over 0. No warm-up."""

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* a = x[0]
        cdef const double* b = x[1]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = a[i] / b[i]


cdef class Elementary(Series):
    """A function of each value; NaN in gives NaN out."""

    cdef Function function

    cdef void apply(self, Function function) noexcept:
        self.stateless = True
        self.function = function

    def __init__(self):
        self.begin((), (), 0)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef Function function = self.function
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = function(a[i])


@cython.final
cdef class ACOS(Elementary):
    """Arc cosine in radians; NaN outside [-1, 1]. No warm-up."""

    def __cinit__(self):
        self.apply(acos)


@cython.final
cdef class ASIN(Elementary):
    """Arc sine in radians; NaN outside [-1, 1]. No warm-up."""

    def __cinit__(self):
        self.apply(asin)


@cython.final
cdef class ATAN(Elementary):
    """Arc tangent in radians. No warm-up."""

    def __cinit__(self):
        self.apply(atan)


@cython.final
cdef class CEIL(Elementary):
    """Least whole number not below the value. No warm-up."""

    def __cinit__(self):
        self.stateless = True

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        pyrt_ceil(x[0], y[0], n)


@cython.final
cdef class COS(Elementary):
    """Cosine of radians. No warm-up."""

    def __cinit__(self):
        self.apply(cos)


@cython.final
cdef class COSH(Elementary):
    """Hyperbolic cosine. No warm-up."""

    def __cinit__(self):
        self.apply(cosh)


@cython.final
cdef class EXP(Elementary):
    """Exponential function. No warm-up."""

    def __cinit__(self):
        self.apply(exp)


@cython.final
cdef class FLOOR(Elementary):
    """Greatest whole number not above the value. No warm-up."""

    def __cinit__(self):
        self.stateless = True

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        pyrt_floor(x[0], y[0], n)


@cython.final
cdef class LN(Elementary):
    """Natural logarithm; NaN below 0. No warm-up."""

    def __cinit__(self):
        self.apply(log)


@cython.final
cdef class LOG10(Elementary):
    """Logarithm to base 10; NaN below 0. No warm-up."""

    def __cinit__(self):
        self.apply(log10)


@cython.final
cdef class SIN(Elementary):
    """Sine of radians. No warm-up."""

    def __cinit__(self):
        self.apply(sin)


@cython.final
cdef class SINH(Elementary):
    """Hyperbolic sine. No warm-up."""

    def __cinit__(self):
        self.apply(sinh)


@cython.final
cdef class SQRT(Elementary):
    """Square root; NaN below 0. No warm-up."""

    def __cinit__(self):
        self.apply(sqrt)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):  # one instruction here, not a call as through the pointer
            o[i] = sqrt(a[i])


@cython.final
cdef class TAN(Elementary):
    """Tangent of radians. No warm-up."""

    def __cinit__(self):
        self.apply(tan)


@cython.final
cdef class TANH(Elementary):
    """Hyperbolic tangent. No warm-up."""

    def __cinit__(self):
        self.apply(tanh)


@cython.final
cdef class CUMSUM(Series):
    """Sum of all values so far; a second double keeps what the first rounds off. No warm-up."""

    cdef Running total

    def __init__(self):
        self.begin((), (), 0)
        self.total = running_zero()

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Running s = self.total
        running_run(&s, x[0], y[0], n)
        self.total = s


@cython.final
cdef class SUM(Series):
    """Sum of the last `timeperiod` values, each window afresh (see `SMA`).

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 30
        Length of the window, 1 to 100,000.
    """

    cdef Sum window

    def __init__(self, timeperiod=30):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef Py_ssize_t i = 0, stop
        while i < n:
            stop = min(n, i + s.n - 1 - s.p)
            while i < stop:
                o[i] = sum_grow(&s, a[i])
                i += 1
            if i < n:
                o[i] = sum_step(&s, a[i])
                i += 1
        self.window = s
