# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""Candlestick patterns of a short body with one long shadow, after a bar that places it.

Each gives 100 (bullish), -100 (bearish) or 0. Source: TA-Lib's definitions, after Morris,
Candlestick Charting Explained.
"""

cimport cython

from pyrt.indicators.candles cimport (
    BODY_SHORT, NEAR, SHADOW_VERY_SHORT, Bars, Pattern, bottom, gaps_down, gaps_up, lower, upper,
)


cdef int hammer_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        b.body[i] < b.average[0][i]
        and lower(b, i) > b.body[i]
        and upper(b, i) < b.average[1][i]
        and bottom(b, i) <= b.low[i - 1] + b.average[2][i]
    ):
        return 100
    return 0


@cython.final
cdef class CDLHAMMER(Pattern):
    """Hammer: a short body over a long shadow, near or below the low before.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_SHORT, 0), (SHADOW_VERY_SHORT, 0), (NEAR, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = hammer_shape(&s, i)


cdef int hangingman_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        b.body[i] < b.average[0][i]
        and lower(b, i) > b.body[i]
        and upper(b, i) < b.average[1][i]
        and bottom(b, i) >= b.high[i - 1] - b.average[2][i]
    ):
        return -100
    return 0


@cython.final
cdef class CDLHANGINGMAN(Pattern):
    """Hanging man: a short body over a long shadow, near or above the high before.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_SHORT, 0), (SHADOW_VERY_SHORT, 0), (NEAR, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = hangingman_shape(&s, i)


cdef int invertedhammer_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        (b.body[i] < b.average[0][i])
        & (upper(b, i) > b.body[i])
        & (lower(b, i) < b.average[1][i])
        & gaps_down(b, i, i - 1)
    ):
        return 100
    return 0


@cython.final
cdef class CDLINVERTEDHAMMER(Pattern):
    """Inverted hammer: a short body under a long shadow, gapped down.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_SHORT, 0), (SHADOW_VERY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = invertedhammer_shape(&s, i)


cdef int shootingstar_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        (b.body[i] < b.average[0][i])
        & (upper(b, i) > b.body[i])
        & (lower(b, i) < b.average[1][i])
        & gaps_up(b, i, i - 1)
    ):
        return -100
    return 0


@cython.final
cdef class CDLSHOOTINGSTAR(Pattern):
    """Shooting star: a short body under a long shadow, gapped up.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_SHORT, 0), (SHADOW_VERY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = shootingstar_shape(&s, i)
