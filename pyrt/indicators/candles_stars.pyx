# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""Candlestick patterns of three bars with a star: a short body between two others.

Each gives 100 (bullish), -100 (bearish) or 0. Source: TA-Lib's definitions, after Morris,
Candlestick Charting Explained.
"""

cimport cython

from pyrt.indicators.candles cimport (
    BODY_DOJI, BODY_LONG, BODY_SHORT, Bars, Deep, Pattern, bottom, color, gaps_down, gaps_up,
    jumps_down, jumps_up, top,
)


cdef int abandonedbaby_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        b.body[i - 2] > b.average[0][i]
        and b.body[i - 1] <= b.average[1][i]
        and b.body[i] > b.average[2][i]
    ):
        if color(b, i - 2) == 1 and color(b, i) == -1:
            if (
                b.close[i] < b.close[i - 2] - b.body[i - 2] * b.depth
                and jumps_up(b, i - 1, i - 2)
                and jumps_down(b, i, i - 1)
            ):
                return -100
        elif color(b, i - 2) == -1 and color(b, i) == 1:
            if (
                b.close[i] > b.close[i - 2] + b.body[i - 2] * b.depth
                and jumps_down(b, i - 1, i - 2)
                and jumps_up(b, i, i - 1)
            ):
                return 100
    return 0


@cython.final
cdef class CDLABANDONEDBABY(Deep):
    """Abandoned baby: a doji beyond gaps on both sides, after a long body and before one back.

    The warm-up is 12 rows.

    Parameters
    ----------
    penetration : float, default 0.3
        Share of the first body to be reached into.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_LONG, 2), (BODY_DOJI, 1), (BODY_SHORT, 0)))
        self.bars.depth = 0.3

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = abandonedbaby_shape(&s, i)


cdef int eveningstar_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        (b.body[i - 2] > b.average[0][i])
        & (color(b, i - 2) == 1)
        & (b.body[i - 1] <= b.average[1][i])
        & gaps_up(b, i - 1, i - 2)
        and b.body[i] > b.average[2][i]
        and color(b, i) == -1
        and b.close[i] < b.close[i - 2] - b.body[i - 2] * b.depth
    ):
        return -100
    return 0


@cython.final
cdef class CDLEVENINGDOJISTAR(Deep):
    """Evening doji star: a doji gapped over a long white bar, then a black one back into it.

    The warm-up is 12 rows.

    Parameters
    ----------
    penetration : float, default 0.3
        Share of the first body to be reached into.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_LONG, 2), (BODY_DOJI, 1), (BODY_SHORT, 0)))
        self.bars.depth = 0.3

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = eveningstar_shape(&s, i)


@cython.final
cdef class CDLEVENINGSTAR(Deep):
    """Evening star: a short body gapped over a long white bar, then a black one back into it.

    The warm-up is 12 rows.

    Parameters
    ----------
    penetration : float, default 0.3
        Share of the first body to be reached into.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_LONG, 2), (BODY_SHORT, 1), (BODY_SHORT, 0)))
        self.bars.depth = 0.3

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = eveningstar_shape(&s, i)


cdef int morningstar_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        (b.body[i - 2] > b.average[0][i])
        & (color(b, i - 2) == -1)
        & (b.body[i - 1] <= b.average[1][i])
        & gaps_down(b, i - 1, i - 2)
        and b.body[i] > b.average[2][i]
        and color(b, i) == 1
        and b.close[i] > b.close[i - 2] + b.body[i - 2] * b.depth
    ):
        return 100
    return 0


@cython.final
cdef class CDLMORNINGDOJISTAR(Deep):
    """Morning doji star: a doji gapped under a long black bar, then a white one back into it.

    The warm-up is 12 rows.

    Parameters
    ----------
    penetration : float, default 0.3
        Share of the first body to be reached into.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_LONG, 2), (BODY_DOJI, 1), (BODY_SHORT, 0)))
        self.bars.depth = 0.3

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = morningstar_shape(&s, i)


@cython.final
cdef class CDLMORNINGSTAR(Deep):
    """Morning star: a short body gapped under a long black bar, then a white one back into it.

    The warm-up is 12 rows.

    Parameters
    ----------
    penetration : float, default 0.3
        Share of the first body to be reached into.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_LONG, 2), (BODY_SHORT, 1), (BODY_SHORT, 0)))
        self.bars.depth = 0.3

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = morningstar_shape(&s, i)


cdef int tristar_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        b.body[i - 2] <= b.average[0][i]
        and b.body[i - 1] <= b.average[0][i]
        and b.body[i] <= b.average[0][i]
    ):
        if gaps_up(b, i - 1, i - 2) and top(b, i) < top(b, i - 1):
            return -100
        if gaps_down(b, i - 1, i - 2) and bottom(b, i) > bottom(b, i - 1):
            return 100
    return 0


@cython.final
cdef class CDLTRISTAR(Pattern):
    """Tristar: three doji, the middle one gapped away.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_DOJI, 2),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = tristar_shape(&s, i)
