"""Checked 128-bit arithmetic: the one place where raw prices, quantities and money are multiplied.

Every function raises OverflowError instead of wrapping; nothing is changed then. A plain
`int128 x = a * b` on int64 operands wraps silently, which is why bare products of raw values are
forbidden elsewhere (held by a test).
"""
from libc.stdint cimport int64_t, uint64_t

cdef extern from *:
    """
    #ifndef PYRT_INT128
    #define PYRT_INT128
    typedef __int128 pyrt_i128;
    typedef unsigned __int128 pyrt_u128;

    static int pyrt_overflow(const char *what) {
        PyErr_SetString(PyExc_OverflowError, what);
        return -1;
    }
    static inline pyrt_i128 i128_add(pyrt_i128 a, pyrt_i128 b) {
        pyrt_i128 r;
        if (__builtin_expect(__builtin_add_overflow(a, b, &r), 0))
            return pyrt_overflow("money sum leaves the 128-bit range");
        return r;
    }
    static inline pyrt_i128 i128_sub(pyrt_i128 a, pyrt_i128 b) {
        pyrt_i128 r;
        if (__builtin_expect(__builtin_sub_overflow(a, b, &r), 0))
            return pyrt_overflow("money difference leaves the 128-bit range");
        return r;
    }
    static inline pyrt_i128 i128_neg(pyrt_i128 a) { return i128_sub(0, a); }
    static inline pyrt_i128 i128_mul(pyrt_i128 a, pyrt_i128 b) {
        pyrt_i128 r;
        if (__builtin_expect(__builtin_mul_overflow(a, b, &r), 0))
            return pyrt_overflow("money product leaves the 128-bit range");
        return r;
    }
    /* price (1e-9) x quantity (units) x factor (money per price step and unit); exact in 1e-18 */
    static inline pyrt_i128 i128_notional(int64_t price, int64_t quantity, int64_t factor) {
        return i128_mul((pyrt_i128)price * (pyrt_i128)quantity, (pyrt_i128)factor);
    }
    static inline pyrt_u128 pyrt_abs128(pyrt_i128 a) {
        return a < 0 ? (pyrt_u128)0 - (pyrt_u128)a : (pyrt_u128)a;
    }
    /* q, r of (a x b) / d on unsigned 128-bit operands through a 256-bit product; 0 on success */
    static int pyrt_muldiv_u(pyrt_u128 a, pyrt_u128 b, pyrt_u128 d, pyrt_u128 *q, pyrt_u128 *r) {
        pyrt_u128 p;
        if (!__builtin_mul_overflow(a, b, &p)) { *q = p / d; *r = p % d; return 0; }
        pyrt_u128 mask = (pyrt_u128)0xFFFFFFFFFFFFFFFFULL;
        pyrt_u128 al = a & mask, ah = a >> 64, bl = b & mask, bh = b >> 64;
        pyrt_u128 ll = al * bl, lh = al * bh, hl = ah * bl, hh = ah * bh;
        pyrt_u128 mid = (ll >> 64) + (lh & mask) + (hl & mask);
        pyrt_u128 lo = (ll & mask) | (mid << 64);
        pyrt_u128 hi = hh + (lh >> 64) + (hl >> 64) + (mid >> 64);
        if (hi >= d) return -1;
        pyrt_u128 quo = 0;
        for (int i = 0; i < 128; i++) {
            int carry = (int)(hi >> 127);
            hi = (hi << 1) | (lo >> 127);
            lo <<= 1;
            quo <<= 1;
            if (carry || hi >= d) { hi -= d; quo |= 1; }
        }
        *q = quo; *r = hi;
        return 0;
    }
    /* a x b / d, rounded: 0 half to even, 1 toward zero, 2 away from zero, 3 floor, 4 ceiling */
    static pyrt_i128 i128_muldiv(pyrt_i128 a, pyrt_i128 b, pyrt_i128 d, int mode) {
        if (d == 0) {
            PyErr_SetString(PyExc_ZeroDivisionError, "money divided by zero");
            return -1;
        }
        int negative = ((a < 0) != (b < 0)) != (d < 0);
        pyrt_u128 q, r, ud = pyrt_abs128(d);
        if (pyrt_muldiv_u(pyrt_abs128(a), pyrt_abs128(b), ud, &q, &r))
            return pyrt_overflow("money quotient leaves the 128-bit range");
        int up = 0;
        if (r != 0) {
            pyrt_u128 rest = ud - r;
            if (mode == 0) up = r > rest || (r == rest && (q & 1));
            else if (mode == 2) up = 1;
            else if (mode == 3) up = negative;
            else if (mode == 4) up = !negative;
        }
        if (up) q += 1;
        if (q > (((pyrt_u128)1) << 127) - 1)
            return pyrt_overflow("money quotient leaves the 128-bit range");
        return negative ? -(pyrt_i128)q : (pyrt_i128)q;
    }
    static inline int64_t i128_to_i64(pyrt_i128 a) {
        if (__builtin_expect(a != (pyrt_i128)(int64_t)a, 0))
            return pyrt_overflow("value leaves the 64-bit range");
        return (int64_t)a;
    }
    /* 64 bits of mantissa where there are any: whole amounts come out whole */
    static inline double i128_to_double(pyrt_i128 a) {
        long double whole = (long double)(int64_t)(a >> 64) * 18446744073709551616.0L;
        return (double)((whole + (long double)(uint64_t)a) / 1e18L);
    }
    static inline int64_t i128_high(pyrt_i128 a) { return (int64_t)(a >> 64); }
    static inline uint64_t i128_low(pyrt_i128 a) { return (uint64_t)a; }
    static inline pyrt_i128 i128_join(int64_t high, uint64_t low) {
        return (pyrt_i128)(((pyrt_u128)(uint64_t)high << 64) | (pyrt_u128)low);
    }
    #endif
    """
    ctypedef long long int128 "pyrt_i128"
    int128 i128_add(int128 a, int128 b) except? -1
    int128 i128_sub(int128 a, int128 b) except? -1
    int128 i128_neg(int128 a) except? -1
    int128 i128_mul(int128 a, int128 b) except? -1
    int128 i128_notional(int64_t price, int64_t quantity, int64_t factor) except? -1
    int128 i128_muldiv(int128 a, int128 b, int128 d, int mode) except? -1
    int64_t i128_to_i64(int128 a) except? -1
    double i128_to_double(int128 a) noexcept
    int64_t i128_high(int128 a) noexcept
    uint64_t i128_low(int128 a) noexcept
    int128 i128_join(int64_t high, uint64_t low) noexcept

cpdef enum Rounding:
    HALF_EVEN = 0
    TOWARD_ZERO = 1
    AWAY_FROM_ZERO = 2
    FLOOR = 3
    CEILING = 4

cdef inline object i128_to_int(int128 a):
    """Return the raw value as a Python int (Cython itself would truncate it to 64 bits)."""
    return (int(i128_high(a)) << 64) | int(i128_low(a))

cdef inline int128 i128_from_int(object value) except? -1:
    """Read a Python int; OverflowError outside the 128-bit range."""
    if not -(1 << 127) <= value < (1 << 127):
        raise OverflowError(f"{value} leaves the 128-bit range")
    return i128_join(value >> 64, value & 0xFFFFFFFFFFFFFFFF)
