"""Recursive smoothing steps: exponential averages as TA-Lib starts them.

Each average starts from the plain mean of its first `n` values (unstable period 0).

`Ema` folds four rows at a time: y[t+4] = keep^4 y[t] + (k keep^3 x[t+1] + ... + k x[t+4]), where
the bracket does not wait for y[t], so the chain of dependent operations is a quarter as long as row
by row. The rows between are made of the same bracket as far as it has grown.
"""


cdef struct Ema:
    Py_ssize_t n     # values in the starting mean
    Py_ssize_t count  # values taken, up to n
    double k         # weight of a new value
    double keep[4]   # weights of the average 1 to 4 rows old: powers of 1 - k
    double y
    double base      # the average before the rows in hand
    double part      # what the rows in hand add to it
    int rows         # rows in hand, 0 to 3


cdef inline void ema_init(Ema* s, Py_ssize_t n, double k) noexcept nogil:
    s.n = n
    s.count = 0
    s.keep[0] = 1.0 - k
    s.k = 1.0 - s.keep[0]  # so that the two add up to 1 exactly and a constant stays one
    s.keep[1] = s.keep[0] * s.keep[0]
    s.keep[2] = s.keep[1] * s.keep[0]
    s.keep[3] = s.keep[1] * s.keep[1]
    s.y = 0.0
    s.base = 0.0
    s.part = 0.0
    s.rows = 0


cdef inline void ema_fold(Ema* s, double x) noexcept nogil:
    """Take `x` once the average has started."""
    s.part = s.part * s.keep[0] + x * s.k
    s.y = s.base * s.keep[s.rows] + s.part
    s.rows += 1
    if s.rows == 4:
        s.base = s.y
        s.part = 0.0
        s.rows = 0


cdef inline void ema_run(Ema* s, const double* x, double* y, Py_ssize_t n) noexcept nogil:
    """Take `n` values once the average has started; write it after each. `y` may be `x`."""
    cdef double base, k = s.k, k1 = s.keep[0], k2 = s.keep[1], k3 = s.keep[2], k4 = s.keep[3]
    cdef double a, b, c, d
    cdef Py_ssize_t i = 0
    while i < n and s.rows != 0:
        ema_fold(s, x[i])
        y[i] = s.y
        i += 1
    base = s.base
    if i + 3 < n:
        while i + 3 < n:
            a = x[i] * k
            b = a * k1 + x[i + 1] * k
            c = b * k1 + x[i + 2] * k
            d = c * k1 + x[i + 3] * k
            y[i] = base * k1 + a
            y[i + 1] = base * k2 + b
            y[i + 2] = base * k3 + c
            base = base * k4 + d
            y[i + 3] = base
            i += 4
        s.base = base
        s.y = base
    while i < n:
        ema_fold(s, x[i])
        y[i] = s.y
        i += 1


cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif
    /* Two averages of n values, n a multiple of four, one less the other: what `ema_run` does with
       each, operation by operation, the two side by side where the processor can. `keep` holds the
       powers of both in turn. */
    static inline void pyrt_ema_pair(
        double* base, const double* k, const double* keep, const double* x, double* y, Py_ssize_t n
    ) {
        Py_ssize_t i;
    #ifdef __SSE2__
        const __m128d w = _mm_loadu_pd(k), k1 = _mm_loadu_pd(keep), k2 = _mm_loadu_pd(keep + 2);
        const __m128d k3 = _mm_loadu_pd(keep + 4), k4 = _mm_loadu_pd(keep + 6);
        __m128d now = _mm_loadu_pd(base);
        for (i = 0; i < n; i += 4) {
            __m128d a = _mm_mul_pd(_mm_set1_pd(x[i]), w);
            __m128d b = _mm_add_pd(_mm_mul_pd(a, k1), _mm_mul_pd(_mm_set1_pd(x[i + 1]), w));
            __m128d c = _mm_add_pd(_mm_mul_pd(b, k1), _mm_mul_pd(_mm_set1_pd(x[i + 2]), w));
            __m128d d = _mm_add_pd(_mm_mul_pd(c, k1), _mm_mul_pd(_mm_set1_pd(x[i + 3]), w));
            a = _mm_add_pd(_mm_mul_pd(now, k1), a);
            b = _mm_add_pd(_mm_mul_pd(now, k2), b);
            c = _mm_add_pd(_mm_mul_pd(now, k3), c);
            now = _mm_add_pd(_mm_mul_pd(now, k4), d);
            _mm_storeu_pd(y + i, _mm_sub_pd(_mm_unpacklo_pd(a, b), _mm_unpackhi_pd(a, b)));
            _mm_storeu_pd(
                y + i + 2, _mm_sub_pd(_mm_unpacklo_pd(c, now), _mm_unpackhi_pd(c, now))
            );
        }
        _mm_storeu_pd(base, now);
    #else
        for (i = 0; i < n; i += 4) {
            double part[2], given[4] = {x[i], x[i + 1], x[i + 2], x[i + 3]};
            part[0] = part[1] = 0.0;
            for (int j = 0; j < 4; j++) {
                double out[2];
                for (int m = 0; m < 2; m++) {
                    part[m] = j ? part[m] * keep[m] + given[j] * k[m] : given[j] * k[m];
                    out[m] = base[m] * keep[2 * j + m] + part[m];
                }
                y[i + j] = out[0] - out[1];
                if (j == 3) { base[0] = out[0]; base[1] = out[1]; }
            }
        }
    #endif
    }
    """
    void pyrt_ema_pair(
        double*, const double*, const double*, const double*, double*, Py_ssize_t
    ) noexcept nogil


cdef inline void ema_set(Ema* s, double y) noexcept nogil:
    """Start the average at `y` instead of a mean."""
    s.count = s.n
    s.y = y
    s.base = y
    s.part = 0.0
    s.rows = 0


cdef inline void ema_pair_run(
    Ema* s, Ema* t, const double* x, double* y, Py_ssize_t n
) noexcept nogil:
    """Take `n` values into two averages that started together; write `s` less `t` after each.

    `y` may be `x`.
    """
    cdef double[2] base
    cdef double[2] k = [s.k, t.k]
    cdef double[8] keep
    cdef Py_ssize_t i = 0, many
    cdef int j
    while i < n and s.rows != 0:
        ema_fold(s, x[i])
        ema_fold(t, x[i])
        y[i] = s.y - t.y
        i += 1
    many = (n - i) // 4 * 4
    if many:
        for j in range(4):
            keep[2 * j] = s.keep[j]
            keep[2 * j + 1] = t.keep[j]
        base = [s.base, t.base]
        pyrt_ema_pair(base, k, keep, x + i, y + i, many)
        s.y = s.base = base[0]
        t.y = t.base = base[1]
        i += many
    while i < n:
        ema_fold(s, x[i])
        ema_fold(t, x[i])
        y[i] = s.y - t.y
        i += 1


cdef inline bint ema_step(Ema* s, double x) noexcept nogil:
    """Take `x`; true once `s.y` is defined."""
    if s.count >= s.n:
        ema_fold(s, x)
        return True
    s.count += 1
    s.y += x
    if s.count < s.n:
        return False
    s.y = s.y / s.n
    s.base = s.y
    return True


cdef struct Stage:
    Py_ssize_t n     # values in the starting mean
    Py_ssize_t count  # values taken, up to n
    double k
    double keep
    double y


cdef inline void stage_init(Stage* s, Py_ssize_t n, double k) noexcept nogil:
    s.n = n
    s.count = 0
    s.keep = 1.0 - k
    s.k = 1.0 - s.keep  # so that the two add up to 1 exactly and a constant stays one
    s.y = 0.0


cdef inline void stage_ema(Stage* s, Py_ssize_t n) noexcept nogil:
    """An exponential average of length `n`: weight 2 / (n + 1), rounded as TA-Lib rounds it."""
    stage_init(s, n, 1.0 - <double>(n - 1) / <double>(n + 1))


cdef inline void stage_fold(Stage* s, double x) noexcept nogil:
    """Take `x` once the average has started; row by row, for chains whose links overlap anyway."""
    s.y = x * s.k + s.y * s.keep


cdef inline bint stage_step(Stage* s, double x) noexcept nogil:
    """Take `x`; true once `s.y` is defined."""
    if s.count >= s.n:
        stage_fold(s, x)
        return True
    s.count += 1
    s.y += x
    if s.count < s.n:
        return False
    s.y = s.y / s.n
    return True
