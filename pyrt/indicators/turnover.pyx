# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are tested against zero.
"""Lines that add up the price's relative moves, chosen or weighed by volume."""

cimport cython

from pyrt.indicators.base cimport CloseVolume
from pyrt.indicators.window cimport Running, running_run, running_zero


cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif
    /* Volumes times the relative moves of the price, rows [1, n); a move from 0 counts as none. */
    static void pyrt_turnovers(
        const double* price, const double* volume, double* out, Py_ssize_t n
    ) {
        Py_ssize_t i = 1;
    #ifdef __SSE2__
        const __m128d zero = _mm_setzero_pd();
        for (; i + 1 < n; i += 2) {
            __m128d old = _mm_loadu_pd(price + i - 1);
            __m128d move = _mm_div_pd(_mm_sub_pd(_mm_loadu_pd(price + i), old), old);
            move = _mm_mul_pd(_mm_loadu_pd(volume + i), move);
            _mm_storeu_pd(out + i, _mm_and_pd(move, _mm_cmpneq_pd(old, zero)));
        }
    #endif
        for (; i < n; i++) {
            double old = price[i - 1];
            out[i] = old != 0.0 ? volume[i] * ((price[i] - old) / old) : 0.0;
        }
    }
    """
    void pyrt_turnovers(const double*, const double*, double*, Py_ssize_t) noexcept nogil


cdef class Turnover(CloseVolume):
    """A line that follows the price on the rows whose volume moved one way."""

    cdef double line
    cdef double last[2]
    cdef bint started

    def __init__(self):
        self.begin((), (), 0)
        self.started = False
        self.line = 1000.0

    cdef void follow(
        self, const double* price, const double* volume, double* y, Py_ssize_t n, double direction
    ) noexcept nogil:
        """Write the line; rows count where the volume rose (`direction` 1) or fell (-1)."""
        cdef double line = self.line
        cdef Py_ssize_t i
        y[0] = 0.0
        if self.started:
            y[0] = move(price[0], self.last[0], direction * (volume[0] - self.last[1]))
        for i in range(1, n):
            y[i] = move(price[i], price[i - 1], direction * (volume[i] - volume[i - 1]))
        for i in range(n):
            line += line * y[i]
            y[i] = line
        self.started = True
        self.line = line
        self.last[0] = price[n - 1]
        self.last[1] = volume[n - 1]


cdef inline double move(double price, double before, double counts) noexcept nogil:
    """The price's relative move, where `counts` is above 0 and there is a price to move from."""
    cdef double share = (price - before) / before
    share = share if before != 0.0 else 0.0
    return share if counts > 0.0 else 0.0


@cython.final
cdef class NVI(Turnover):
    """Negative volume index: follows the price on rows whose volume fell; 1000 at first.

    No warm-up.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        self.follow(x[0], x[1], y[0], n, -1.0)


@cython.final
cdef class PVI(Turnover):
    """Positive volume index: follows the price on rows whose volume rose; 1000 at first.

    No warm-up.
    """

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        self.follow(x[0], x[1], y[0], n, 1.0)


@cython.final
cdef class PVT(CloseVolume):
    """Price volume trend: volume times the price's relative move, added up.

    0 at first; a move from 0 adds nothing. No warm-up.
    """

    cdef Running line
    cdef double last
    cdef bint started

    def __init__(self):
        self.begin((), (), 0)
        self.line = running_zero()
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* price = x[0]
        cdef const double* volume = x[1]
        cdef double* o = y[0]
        cdef double last = self.last if self.started else 0.0
        o[0] = volume[0] * ((price[0] - last) / last) if last != 0.0 else 0.0
        pyrt_turnovers(price, volume, o, n)
        running_run(&self.line, o, o, n)
        self.started = True
        self.last = price[n - 1]
