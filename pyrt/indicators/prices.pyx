# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are constants, or are tested against zero.
"""Prices made of a bar's prices."""

cimport cython

from pyrt.indicators.base cimport HighLow, HighLowClose, OpenHighLowClose


@cython.final
cdef class AVGPRICE(OpenHighLowClose):
    """Mean of a bar's four prices. No warm-up."""

    def __init__(self):
        self.begin((), (), 0)
        self.stateless = True

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* open = x[0]
        cdef const double* high = x[1]
        cdef const double* low = x[2]
        cdef const double* close = x[3]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = (high[i] + low[i] + close[i] + open[i]) * 0.25


@cython.final
cdef class MEDPRICE(HighLow):
    """Middle of a bar: (high + low) / 2. No warm-up."""

    def __init__(self):
        self.begin((), (), 0)
        self.stateless = True

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = (high[i] + low[i]) * 0.5


@cython.final
cdef class TYPPRICE(HighLowClose):
    """Typical price: (high + low + close) / 3. No warm-up."""

    def __init__(self):
        self.begin((), (), 0)
        self.stateless = True

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef const double* close = x[2]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = (high[i] + low[i] + close[i]) / 3.0


@cython.final
cdef class WCLPRICE(HighLowClose):
    """Weighted close: (high + low + 2 close) / 4. No warm-up."""

    def __init__(self):
        self.begin((), (), 0)
        self.stateless = True

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef const double* close = x[2]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = (high[i] + low[i] + close[i] * 2.0) * 0.25


@cython.final
cdef class BOP(OpenHighLowClose):
    """Balance of power: (close - open) / (high - low), -1 to 1; 0 for a bar without range.

    No warm-up.
    """

    def __init__(self):
        self.begin((), (), 0)
        self.stateless = True

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* open = x[0]
        cdef const double* high = x[1]
        cdef const double* low = x[2]
        cdef const double* close = x[3]
        cdef double* o = y[0]
        cdef double body, height
        cdef Py_ssize_t i
        for i in range(n):
            body = close[i] - open[i]
            height = high[i] - low[i]
            o[i] = body / height if height > 0.0 else (body + height) * 0.0  # NaN stays NaN


@cython.final
cdef class HA(OpenHighLowClose):
    """Heikin-Ashi bars: outputs `haopen`, `hahigh`, `halow`, `haclose`.

    The close is the mean of the bar's prices; the open the middle of the Heikin-Ashi body before,
    and of the bar's own body at the start. No warm-up.
    """

    cdef double last_open
    cdef double last_close
    cdef bint started

    def __init__(self):
        self.begin((), (), 0, ("haopen", "hahigh", "halow", "haclose"))
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double open = self.last_open, close = self.last_close
        cdef double* high = y[1]
        cdef double* low = y[2]
        cdef Py_ssize_t i
        if not self.started:
            self.started = True
            open = x[0][0]
            close = x[3][0]
        for i in range(n):
            open = (open + close) * 0.5
            close = (x[0][i] + x[1][i] + x[2][i] + x[3][i]) * 0.25
            y[0][i] = open
            y[3][i] = close
            high[i] = max(x[1][i], open, close)
            low[i] = min(x[2][i], open, close)
        self.last_open = open
        self.last_close = close

    @property
    def haopen(self):
        """Heikin-Ashi open."""
        return self.out[0]

    @property
    def hahigh(self):
        """Heikin-Ashi high."""
        return self.out[1]

    @property
    def halow(self):
        """Heikin-Ashi low."""
        return self.out[2]

    @property
    def haclose(self):
        """Heikin-Ashi close."""
        return self.out[3]
