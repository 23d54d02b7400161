"""The true range of bars."""

from libc.math cimport fabs


cdef inline double true_range(double high, double low, double close_before) noexcept nogil:
    """Greatest of high - low and the distances of both from the close before (Wilder)."""
    cdef double greatest = high - low, other = fabs(close_before - high)
    greatest = other if other > greatest else greatest
    other = fabs(close_before - low)
    return other if other > greatest else greatest


cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif
    #ifdef __SSE2__
    /* True ranges of bars i and i + 1. maxpd picks as a > b ? a : b does, so both ways give the
       same bits. */
    static inline void pyrt_two_ranges(
        const double* high, const double* low, const double* close, double* out, Py_ssize_t i
    ) {
        const __m128d sign = _mm_set1_pd(-0.0);
        __m128d h = _mm_loadu_pd(high + i), l = _mm_loadu_pd(low + i);
        __m128d c = _mm_loadu_pd(close + i - 1);
        __m128d far = _mm_andnot_pd(sign, _mm_sub_pd(c, h));
        __m128d deep = _mm_andnot_pd(sign, _mm_sub_pd(c, l));
        _mm_storeu_pd(out + i, _mm_max_pd(deep, _mm_max_pd(far, _mm_sub_pd(h, l))));
    }
    #endif
    /* True ranges of the bars [1, n), two at a time where the processor can. */
    static void pyrt_true_ranges(
        const double* high, const double* low, const double* close, double* out, Py_ssize_t n
    ) {
        Py_ssize_t i = 1;
    #ifdef __SSE2__
        for (; i + 3 < n; i += 4) {
            pyrt_two_ranges(high, low, close, out, i);
            pyrt_two_ranges(high, low, close, out, i + 2);
        }
    #endif
        for (; i < n; i++) {
            double most = high[i] - low[i], other = fabs(close[i - 1] - high[i]);
            most = other > most ? other : most;
            other = fabs(close[i - 1] - low[i]);
            out[i] = other > most ? other : most;
        }
    }
    """
    void pyrt_true_ranges(
        const double*, const double*, const double*, double*, Py_ssize_t
    ) noexcept nogil


cdef inline double true_ranges(
    const double* high,
    const double* low,
    const double* close,
    double close_before,
    double* out,
    Py_ssize_t n,
) noexcept nogil:
    """Write the true ranges of `n` bars; return the last close. `out` is none of the columns."""
    if n == 0:
        return close_before
    out[0] = true_range(high[0], low[0], close_before)
    pyrt_true_ranges(high, low, close, out, n)
    return close[n - 1]
