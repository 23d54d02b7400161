# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero where zero can come up.
"""Rates of change: a value beside the one some rows before it."""

cimport cython
from libc.string cimport memcpy

from pyrt.indicators.base cimport CHUNK, Series, whole


cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif
    /* Write n differences; say whether one may be NaN: their sum then is. So it is of infinities of
       both signs, which only raise the question. */
    static int pyrt_differences(const double* x, const double* old, double* y, Py_ssize_t n) {
        Py_ssize_t i = 0;
        double sum = 0.0;
    #ifdef __SSE2__
        __m128d a = _mm_setzero_pd(), b = a, c = a, d = a;
        double parts[2];
        for (; i + 7 < n; i += 8) {
            __m128d p = _mm_sub_pd(_mm_loadu_pd(x + i), _mm_loadu_pd(old + i));
            __m128d q = _mm_sub_pd(_mm_loadu_pd(x + i + 2), _mm_loadu_pd(old + i + 2));
            __m128d r = _mm_sub_pd(_mm_loadu_pd(x + i + 4), _mm_loadu_pd(old + i + 4));
            __m128d s = _mm_sub_pd(_mm_loadu_pd(x + i + 6), _mm_loadu_pd(old + i + 6));
            _mm_storeu_pd(y + i, p);
            _mm_storeu_pd(y + i + 2, q);
            _mm_storeu_pd(y + i + 4, r);
            _mm_storeu_pd(y + i + 6, s);
            a = _mm_add_pd(a, p);
            b = _mm_add_pd(b, q);
            c = _mm_add_pd(c, r);
            d = _mm_add_pd(d, s);
        }
        _mm_storeu_pd(parts, _mm_add_pd(_mm_add_pd(a, b), _mm_add_pd(c, d)));
        sum = parts[0] + parts[1];
    #endif
        for (; i < n; i++) {
            y[i] = x[i] - old[i];
            sum += y[i];
        }
        return sum != sum;
    }
    """
    int pyrt_differences(const double*, const double*, double*, Py_ssize_t) noexcept nogil


cdef class Lagged(Series):
    """Compares a value with the one `timeperiod` rows before it."""

    cdef double* ring
    """The last `reach` values; the oldest at `place`."""
    cdef Py_ssize_t reach
    cdef Py_ssize_t place

    def __init__(self, timeperiod=10):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        self.stretch = 4 * CHUNK
        self.ring = self.reserve(n)
        self.reach = n
        self.place = 0

    cdef void compare(
        self, const double* x, const double* old, double* y, Py_ssize_t n
    ) noexcept nogil:
        """Write what the indicator makes of `n` pairs of a value and its old one."""

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* a = x[0]
        cdef Py_ssize_t done = 0, part
        # the old values lie in the ring up to its end, then from its start, then in `a` itself
        while done < n and done < self.reach:
            part = min(n - done, self.reach - self.place, self.reach - done)
            self.compare(a + done, self.ring + self.place, y[0] + done, part)
            memcpy(self.ring + self.place, a + done, part * sizeof(double))
            self.place = (self.place + part) % self.reach
            done += part
        if done < n:
            self.compare(a + done, a + done - self.reach, y[0] + done, n - done)
            self.refill(a + n)

    cdef void refill(self, const double* following) noexcept nogil:
        """Keep the `reach` values that lie before `following`."""
        memcpy(self.ring, following - self.reach, self.reach * sizeof(double))
        self.place = 0


@cython.final
cdef class MOM(Lagged):
    """Momentum: the value less the one `timeperiod` rows ago.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Distance of the two values, 1 to 100,000 rows.
    """

    cdef void compare(
        self, const double* x, const double* old, double* y, Py_ssize_t n
    ) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            y[i] = x[i] - old[i]

    cdef void sweep(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        # A row costs so little that a look for gaps before it would be a third of the time. The
        # difference with a gap is NaN: a stretch that follows `reach` values is taken at once, and
        # looked through for gaps only where one may have come out.
        cdef const double* a = x[0]
        cdef double* o = y[0]
        cdef Py_ssize_t done = 0, part, clear = 0, k  # `clear`: rows before `done` without a gap
        while done < n:
            part = min(n - done, self.stretch)
            if clear >= self.reach and not pyrt_differences(a, a - self.reach, o, part):
                self.seen = self.seen + part
                self.rows = self.rows + part
                clear += part
            else:
                if clear >= self.reach:
                    self.refill(a)
                Series.sweep(self, &a, &o, part)
                k = part
                while k > 0 and a[k - 1] == a[k - 1]:
                    k -= 1
                clear = part - k if k > 0 else clear + part
            a += part
            o += part
            done += part
        if clear >= self.reach:
            self.refill(a)


@cython.final
cdef class ROC(Lagged):
    """Rate of change in percent: 100 (value / old - 1); 0 where the old value is 0.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Distance of the two values, 1 to 100,000 rows.
    """

    cdef void compare(
        self, const double* x, const double* old, double* y, Py_ssize_t n
    ) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            y[i] = (x[i] / old[i] - 1.0) * 100.0 if old[i] != 0.0 else 0.0


@cython.final
cdef class ROCP(Lagged):
    """Rate of change as a fraction: (value - old) / old; 0 where the old value is 0.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Distance of the two values, 1 to 100,000 rows.
    """

    cdef void compare(
        self, const double* x, const double* old, double* y, Py_ssize_t n
    ) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            y[i] = (x[i] - old[i]) / old[i] if old[i] != 0.0 else 0.0


@cython.final
cdef class ROCR(Lagged):
    """Rate of change as a ratio: value / old; 0 where the old value is 0.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Distance of the two values, 1 to 100,000 rows.
    """

    cdef void compare(
        self, const double* x, const double* old, double* y, Py_ssize_t n
    ) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            y[i] = x[i] / old[i] if old[i] != 0.0 else 0.0


@cython.final
cdef class ROCR100(Lagged):
    """Rate of change as a ratio in percent: 100 value / old; 0 where the old value is 0.

    The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Distance of the two values, 1 to 100,000 rows.
    """

    cdef void compare(
        self, const double* x, const double* old, double* y, Py_ssize_t n
    ) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            y[i] = x[i] / old[i] * 100.0 if old[i] != 0.0 else 0.0
