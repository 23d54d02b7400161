"""Fixed point: prices in 1e-9, quantities in instrument units, money in 1e-18 of a currency."""
cimport cython
from libc.stdint cimport int64_t, uint64_t
from pyrt.core.int128 cimport int128

cdef extern from *:
    """
    #ifndef PYRT_NUMBERS
    #define PYRT_NUMBERS
    #include <math.h>
    static int64_t pyrt_no_price(void) {
        PyErr_SetString(PyExc_OverflowError, "price is not a finite number within 9.2e9");
        return -1;
    }
    /* x * 1e9 rounded to nearest even, exactly: mantissa times 1e9 fits in 83 bits */
    static int64_t pyrt_nano_exact(double x) {
        int e;
        double m = frexp(fabs(x), &e);              /* x = m * 2^e, m in [0.5, 1) */
        __int128 v = (__int128)(int64_t)ldexp(m, 53) * 1000000000;
        e -= 53;
        if (e >= 0) {
            if (e > 10) return pyrt_no_price();
            v <<= e;
        } else if (e < -120) {
            v = 0;
        } else {
            __int128 one = (__int128)1 << -e, low = v & (one - 1), half = one >> 1;
            v >>= -e;
            if (low > half || (low == half && (v & 1))) v += 1;
        }
        if (v > INT64_MAX) return pyrt_no_price();
        return x < 0 ? -(int64_t)v : (int64_t)v;
    }
    static inline int64_t pyrt_nano(double x) {
        double p = x * 1e9, r = rint(p);
        /* below 2^43 the product is off by at most 2^-10, so away from a tie rint is right */
        if (__builtin_expect(fabs(p) < 8796093022208.0 && fabs(p - r) < 0.49, 1)) return (int64_t)r;
        if (!(fabs(x) < 9.3e9)) return pyrt_no_price();
        return pyrt_nano_exact(x);
    }
    #endif
    """
    int64_t nano_from_double "pyrt_nano" (double x) except? -1
    # The nearest multiple of 1e-9 (ties to even), exactly; OverflowError beyond 9.2e9 and for NaN.

cdef inline double nano_to_double(int64_t raw) noexcept:
    return <double>raw / 1e9

cdef int64_t[19] POWERS_OF_TEN

cdef int64_t nano_from_object(object value) except? -1
cdef int64_t units_from_object(object value, int decimals) except? -1
cdef object decimal_from_scaled(object raw, int exponent)
cdef int128 money_from_object(object value) except? -1

@cython.final
cdef class Money:
    cdef int128 raw
    """Amount in 1e-18 of `currency`."""
    cdef readonly str currency
    """ISO code or asset symbol such as "USD" or "BTC"."""
    @staticmethod
    cdef Money new(int128 raw, str currency)
    cdef Money same(self, object other)
