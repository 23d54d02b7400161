# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""Candlestick patterns of two bars.

Each gives 100 (bullish), -100 (bearish) or 0. Source: TA-Lib's definitions, after Morris,
Candlestick Charting Explained.
"""

cimport cython

from pyrt.indicators.candles cimport (
    BODY_DOJI, BODY_LONG, BODY_SHORT, EQUAL, SHADOW_VERY_SHORT, Bars, Deep, Pattern, bottom, color,
    gaps_down, gaps_up, jumps_down, jumps_up, lower, top, upper, within,
)


cdef int inside(const Bars* b, Py_ssize_t i) noexcept nogil:
    """Sign and strength of a body inside the one before."""
    if top(b, i) < top(b, i - 1) and bottom(b, i) > bottom(b, i - 1):
        return -color(b, i - 1) * 100
    if top(b, i) <= top(b, i - 1) and bottom(b, i) >= bottom(b, i - 1):
        return -color(b, i - 1) * 80
    return 0


cdef bint kicks(const Bars* b, Py_ssize_t i) noexcept nogil:
    """Two marubozu of opposite colors, the second gapped away from the first."""
    return (
        color(b, i - 1) == -color(b, i)
        and b.body[i - 1] > b.average[2][i]
        and upper(b, i - 1) < b.average[0][i]
        and lower(b, i - 1) < b.average[0][i]
        and b.body[i] > b.average[3][i]
        and upper(b, i) < b.average[1][i]
        and lower(b, i) < b.average[1][i]
        and (jumps_up(b, i, i - 1) if color(b, i - 1) == -1 else jumps_down(b, i, i - 1))
    )


cdef int counterattack_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 1) == -color(b, i)
        and b.body[i - 1] > b.average[1][i]
        and b.body[i] > b.average[2][i]
        and within(b.close[i], b.close[i - 1], b.average[0][i])
    ):
        return color(b, i) * 100
    return 0


@cython.final
cdef class CDLCOUNTERATTACK(Pattern):
    """Counterattack: two long bodies of opposite colors that close at one price.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((EQUAL, 1), (BODY_LONG, 1), (BODY_LONG, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = counterattack_shape(&s, i)


cdef int darkcloudcover_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 1) == 1
        and b.body[i - 1] > b.average[0][i]
        and color(b, i) == -1
        and b.open[i] > b.high[i - 1]
        and b.close[i] > b.open[i - 1]
        and b.close[i] < b.close[i - 1] - b.body[i - 1] * b.depth
    ):
        return -100
    return 0


@cython.final
cdef class CDLDARKCLOUDCOVER(Deep):
    """Dark cloud cover.

    After a long white bar, an open above its high, a close deep in its body.

    The warm-up is 11 rows.

    Parameters
    ----------
    penetration : float, default 0.5
        Share of the first body to be reached into.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_LONG, 1),))
        self.bars.depth = 0.5

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = darkcloudcover_shape(&s, i)


cdef int dojistar_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if b.body[i - 1] > b.average[0][i] and b.body[i] <= b.average[1][i] and (
        gaps_up(b, i, i - 1) if color(b, i - 1) == 1 else gaps_down(b, i, i - 1)
    ):
        return -color(b, i - 1) * 100
    return 0


@cython.final
cdef class CDLDOJISTAR(Pattern):
    """Doji star: a doji that gaps away from a long body, in its direction.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_LONG, 1), (BODY_DOJI, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = dojistar_shape(&s, i)


cdef int engulfing_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    cdef double sign = color(b, i)
    cdef double above, below
    if color(b, i - 1) == color(b, i):
        return 0
    above = (b.close[i] - b.open[i - 1]) * sign
    below = (b.close[i - 1] - b.open[i]) * sign
    if above < 0.0 or below < 0.0 or (above == 0.0 and below == 0.0):
        return 0
    return color(b, i) * (100 if above != 0.0 and below != 0.0 else 80)


@cython.final
cdef class CDLENGULFING(Pattern):
    """Engulfing.

    A body that covers the one before, of the other color; 80 if one end only matches.

    The warm-up is 2 rows.
    """

    def __cinit__(self):
        self.shape(2, ())

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = engulfing_shape(&s, i)


cdef int harami_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if b.body[i - 1] > b.average[0][i] and b.body[i] <= b.average[1][i]:
        return inside(b, i)
    return 0


@cython.final
cdef class CDLHARAMI(Pattern):
    """Harami: a short body inside a long one; 80 where an end of the bodies matches.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_LONG, 1), (BODY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = harami_shape(&s, i)


@cython.final
cdef class CDLHARAMICROSS(Pattern):
    """Harami cross: a doji inside a long body; 80 where an end of the bodies matches.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_LONG, 1), (BODY_DOJI, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = harami_shape(&s, i)


cdef int homingpigeon_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 1) == -1
        and color(b, i) == -1
        and b.body[i - 1] > b.average[0][i]
        and b.body[i] <= b.average[1][i]
        and b.open[i] < b.open[i - 1]
        and b.close[i] > b.close[i - 1]
    ):
        return 100
    return 0


@cython.final
cdef class CDLHOMINGPIGEON(Pattern):
    """Homing pigeon: a short black body inside a long black one.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_LONG, 1), (BODY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = homingpigeon_shape(&s, i)


cdef int inneck_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 1) == -1
        and b.body[i - 1] > b.average[1][i]
        and color(b, i) == 1
        and b.open[i] < b.low[i - 1]
        and b.close[i] <= b.close[i - 1] + b.average[0][i]
        and b.close[i] >= b.close[i - 1]
    ):
        return -100
    return 0


@cython.final
cdef class CDLINNECK(Pattern):
    """In-neck.

    After a long black bar, an open below its low, a close at or just over its close.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((EQUAL, 1), (BODY_LONG, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = inneck_shape(&s, i)


cdef int onneck_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 1) == -1
        and b.body[i - 1] > b.average[1][i]
        and color(b, i) == 1
        and b.open[i] < b.low[i - 1]
        and b.close[i] <= b.low[i - 1] + b.average[0][i]
        and b.close[i] >= b.low[i - 1] - b.average[0][i]
    ):
        return -100
    return 0


@cython.final
cdef class CDLONNECK(Pattern):
    """On-neck: after a long black bar, an open below its low, a close at its low.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((EQUAL, 1), (BODY_LONG, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = onneck_shape(&s, i)


cdef int thrusting_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 1) == -1
        and b.body[i - 1] > b.average[1][i]
        and color(b, i) == 1
        and b.open[i] < b.low[i - 1]
        and b.close[i] <= b.close[i - 1] + b.body[i - 1] * 0.5
        and b.close[i] > b.close[i - 1] + b.average[0][i]
    ):
        return -100
    return 0


@cython.final
cdef class CDLTHRUSTING(Pattern):
    """Thrusting: after a long black bar, an open below its low, a close below its middle.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((EQUAL, 1), (BODY_LONG, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = thrusting_shape(&s, i)


cdef int kicking_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    return color(b, i) * 100 if kicks(b, i) else 0


@cython.final
cdef class CDLKICKING(Pattern):
    """Kicking: two marubozu of opposite colors with a gap between.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(
            11,
            (
                (SHADOW_VERY_SHORT, 1),
                (SHADOW_VERY_SHORT, 0),
                (BODY_LONG, 1),
                (BODY_LONG, 0),
            ),
        )

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = kicking_shape(&s, i)


cdef int kickingbylength_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if kicks(b, i):
        return color(b, i if b.body[i] > b.body[i - 1] else i - 1) * 100
    return 0


@cython.final
cdef class CDLKICKINGBYLENGTH(Pattern):
    """Kicking, with the sign of the longer of the two marubozu.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(
            11,
            (
                (SHADOW_VERY_SHORT, 1),
                (SHADOW_VERY_SHORT, 0),
                (BODY_LONG, 1),
                (BODY_LONG, 0),
            ),
        )

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = kickingbylength_shape(&s, i)


cdef int matchinglow_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 1) == -1
        and color(b, i) == -1
        and within(b.close[i], b.close[i - 1], b.average[0][i])
    ):
        return 100
    return 0


@cython.final
cdef class CDLMATCHINGLOW(Pattern):
    """Matching low: two black bars that close at one price.

    The warm-up is 6 rows.
    """

    def __cinit__(self):
        self.shape(6, ((EQUAL, 1),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = matchinglow_shape(&s, i)


cdef int piercing_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 1) == -1
        and b.body[i - 1] > b.average[0][i]
        and color(b, i) == 1
        and b.body[i] > b.average[1][i]
        and b.open[i] < b.low[i - 1]
        and b.close[i] < b.open[i - 1]
        and b.close[i] > b.close[i - 1] + b.body[i - 1] * 0.5
    ):
        return 100
    return 0


@cython.final
cdef class CDLPIERCING(Pattern):
    """Piercing: after a long black bar, an open below its low, a close above its middle.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((BODY_LONG, 1), (BODY_LONG, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = piercing_shape(&s, i)


cdef int separatinglines_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 1) == -color(b, i)
        and within(b.open[i], b.open[i - 1], b.average[2][i])
        and b.body[i] > b.average[1][i]
        and (lower(b, i) < b.average[0][i] if color(b, i) == 1 else upper(b, i) < b.average[0][i])
    ):
        return color(b, i) * 100
    return 0


@cython.final
cdef class CDLSEPARATINGLINES(Pattern):
    """Separating lines: opposite colors from one open, the second a belt hold.

    The warm-up is 11 rows.
    """

    def __cinit__(self):
        self.shape(11, ((SHADOW_VERY_SHORT, 0), (BODY_LONG, 0), (EQUAL, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = separatinglines_shape(&s, i)
