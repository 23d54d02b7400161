# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""Candlestick patterns of three bars around a gap.

Each gives 100 (bullish), -100 (bearish) or 0. Source: TA-Lib's definitions, after Morris,
Candlestick Charting Explained.
"""

cimport cython
from libc.math cimport fabs

from pyrt.indicators.candles cimport (
    BODY_LONG, BODY_SHORT, EQUAL, NEAR, Bars, Pattern, bottom, color, gaps_down, gaps_up, top,
    within,
)


cdef int gapsidesidewhite_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    cdef bint up = gaps_up(b, i - 1, i - 2) and gaps_up(b, i, i - 2)
    if (
        (up or (gaps_down(b, i - 1, i - 2) and gaps_down(b, i, i - 2)))
        and color(b, i - 1) == 1
        and color(b, i) == 1
        and within(b.body[i], b.body[i - 1], b.average[0][i])
        and within(b.open[i], b.open[i - 1], b.average[1][i])
    ):
        return 100 if up else -100
    return 0


@cython.final
cdef class CDLGAPSIDESIDEWHITE(Pattern):
    """Side-by-side white lines: two like white bars, both gapped off the first bar.

    The warm-up is 7 rows.
    """

    def __cinit__(self):
        self.shape(7, ((NEAR, 1), (EQUAL, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = gapsidesidewhite_shape(&s, i)


cdef int tasukigap_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    cdef bint alike = fabs(b.body[i - 1] - b.body[i]) < b.average[0][i]
    cdef bint above = gaps_up(b, i - 1, i - 2), below = gaps_down(b, i - 1, i - 2)
    if not alike & (above | below) & (color(b, i - 1) != color(b, i)):
        return 0
    if above and color(b, i - 1) == 1:
        if (
            b.open[i - 1] < b.open[i] < b.close[i - 1]
            and top(b, i - 2) < b.close[i] < b.open[i - 1]
        ):
            return 100
    elif below and color(b, i - 1) == -1:
        if (
            b.close[i - 1] < b.open[i] < b.open[i - 1]
            and b.open[i - 1] < b.close[i] < bottom(b, i - 2)
        ):
            return -100
    return 0


@cython.final
cdef class CDLTASUKIGAP(Pattern):
    """Tasuki gap: a gap, and a bar of about the same size back into it without closing it.

    The warm-up is 7 rows.
    """

    def __cinit__(self):
        self.shape(7, ((NEAR, 1),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = tasukigap_shape(&s, i)


cdef int upsidegap2crows_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 2) == 1
        and b.body[i - 2] > b.average[0][i]
        and color(b, i - 1) == -1
        and b.body[i - 1] <= b.average[1][i]
        and gaps_up(b, i - 1, i - 2)
        and color(b, i) == -1
        and b.open[i] > b.open[i - 1]
        and b.close[i - 2] < b.close[i] < b.close[i - 1]
    ):
        return -100
    return 0


@cython.final
cdef class CDLUPSIDEGAP2CROWS(Pattern):
    """Upside gap two crows.

    A gap up from a long white bar, two black ones, the second around the first.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_LONG, 2), (BODY_SHORT, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = upsidegap2crows_shape(&s, i)


cdef int xsidegap3methods_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 2) == color(b, i - 1)
        and color(b, i - 1) == -color(b, i)
        and bottom(b, i - 1) < b.open[i] < top(b, i - 1)
        and bottom(b, i - 2) < b.close[i] < top(b, i - 2)
        and (gaps_up(b, i - 1, i - 2) if color(b, i - 2) == 1 else gaps_down(b, i - 1, i - 2))
    ):
        return color(b, i - 2) * 100
    return 0


@cython.final
cdef class CDLXSIDEGAP3METHODS(Pattern):
    """Gap three methods: two bars of a color with a gap, and one of the other that closes it.

    The warm-up is 2 rows.
    """

    def __cinit__(self):
        self.shape(2, ())

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = xsidegap3methods_shape(&s, i)
