# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""Candlestick patterns of three bars.

Each gives 100 (bullish), -100 (bearish) or 0. Source: TA-Lib's definitions, after Morris,
Candlestick Charting Explained.
"""

cimport cython

from pyrt.indicators.candles cimport (
    BODY_LONG, BODY_SHORT, EQUAL, FAR, NEAR, SHADOW_SHORT, SHADOW_VERY_SHORT, Bars, Pattern, bottom,
    color, gaps_up, lower, top, upper, within,
)


cdef int two_crows_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 2) == 1
        and b.body[i - 2] > b.average[0][i]
        and color(b, i - 1) == -1
        and gaps_up(b, i - 1, i - 2)
        and color(b, i) == -1
        and b.close[i - 1] < b.open[i] < b.open[i - 1]
        and b.open[i - 2] < b.close[i] < b.close[i - 2]
    ):
        return -100
    return 0


@cython.final
cdef class CDL2CROWS(Pattern):
    """Two crows.

    A long white bar, a black one gapped up, a black one back into the first body.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_LONG, 2),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = two_crows_shape(&s, i)


cdef int three_inside_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        b.body[i - 2] > b.average[0][i]
        and b.body[i - 1] <= b.average[1][i]
        and top(b, i - 1) < top(b, i - 2)
        and bottom(b, i - 1) > bottom(b, i - 2)
        and color(b, i) == -color(b, i - 2)
        and (
            b.close[i] < b.open[i - 2] if color(b, i - 2) == 1 else b.close[i] > b.open[i - 2]
        )
    ):
        return -color(b, i - 2) * 100
    return 0


@cython.final
cdef class CDL3INSIDE(Pattern):
    """Three inside: a harami, and a close beyond the first open.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_LONG, 2), (BODY_SHORT, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = three_inside_shape(&s, i)


cdef int three_outside_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if color(b, i - 1) == 1 and color(b, i - 2) == -1:
        if (
            b.close[i - 1] > b.open[i - 2]
            and b.open[i - 1] < b.close[i - 2]
            and b.close[i] > b.close[i - 1]
        ):
            return 100
    elif color(b, i - 1) == -1 and color(b, i - 2) == 1:
        if (
            b.open[i - 1] > b.close[i - 2]
            and b.close[i - 1] < b.open[i - 2]
            and b.close[i] < b.close[i - 1]
        ):
            return -100
    return 0


@cython.final
cdef class CDL3OUTSIDE(Pattern):
    """Three outside: an engulfing, and a close beyond its close.

    The warm-up is 3 rows.
    """

    def __cinit__(self):
        self.shape(3, ())

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = three_outside_shape(&s, i)


cdef int three_stars_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 2) == -1
        and color(b, i - 1) == -1
        and color(b, i) == -1
        and b.body[i - 2] > b.average[0][i]
        and lower(b, i - 2) > b.body[i - 2]
        and b.body[i - 1] < b.body[i - 2]
        and b.close[i - 2] < b.open[i - 1] <= b.high[i - 2]
        and b.low[i - 2] <= b.low[i - 1] < b.close[i - 2]
        and lower(b, i - 1) > b.average[1][i]
        and b.body[i] < b.average[3][i]
        and lower(b, i) < b.average[2][i]
        and upper(b, i) < b.average[2][i]
        and b.low[i] > b.low[i - 1]
        and b.high[i] < b.high[i - 1]
    ):
        return 100
    return 0


@cython.final
cdef class CDL3STARSINSOUTH(Pattern):
    """Three stars in the south: three black bars, each smaller than and inside the one before.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(
            12,
            (
                (BODY_LONG, 2),
                (SHADOW_VERY_SHORT, 1),
                (SHADOW_VERY_SHORT, 0),
                (BODY_SHORT, 0),
            ),
        )

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = three_stars_shape(&s, i)


cdef int three_soldiers_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 2) == 1
        and upper(b, i - 2) < b.average[0][i]
        and color(b, i - 1) == 1
        and upper(b, i - 1) < b.average[1][i]
        and color(b, i) == 1
        and upper(b, i) < b.average[2][i]
        and b.close[i] > b.close[i - 1] > b.close[i - 2]
        and b.open[i - 2] < b.open[i - 1] <= b.close[i - 2] + b.average[3][i]
        and b.open[i - 1] < b.open[i] <= b.close[i - 1] + b.average[4][i]
        and b.body[i - 1] > b.body[i - 2] - b.average[5][i]
        and b.body[i] > b.body[i - 1] - b.average[6][i]
        and b.body[i] > b.average[7][i]
    ):
        return 100
    return 0


@cython.final
cdef class CDL3WHITESOLDIERS(Pattern):
    """Three white soldiers: three white bars up, each open in or near the body before.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(
            12,
            (
                (SHADOW_VERY_SHORT, 2),
                (SHADOW_VERY_SHORT, 1),
                (SHADOW_VERY_SHORT, 0),
                (NEAR, 2),
                (NEAR, 1),
                (FAR, 2),
                (FAR, 1),
                (BODY_SHORT, 0),
            ),
        )

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = three_soldiers_shape(&s, i)


cdef int advanceblock_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if not (
        color(b, i - 2) == 1
        and color(b, i - 1) == 1
        and color(b, i) == 1
        and b.close[i] > b.close[i - 1] > b.close[i - 2]
        and b.open[i - 2] < b.open[i - 1] <= b.close[i - 2] + b.average[3][i]
        and b.open[i - 1] < b.open[i] <= b.close[i - 1] + b.average[4][i]
        and b.body[i - 2] > b.average[7][i]
        and upper(b, i - 2) < b.average[0][i]
    ):
        return 0
    if (b.body[i - 1] < b.body[i - 2] - b.average[5][i]
            and b.body[i] < b.body[i - 1] + b.average[4][i]):
        return -100
    if b.body[i] < b.body[i - 1] - b.average[6][i]:
        return -100
    if b.body[i] < b.body[i - 1]:
        if b.body[i - 1] < b.body[i - 2] and (
            upper(b, i) > b.average[2][i] or upper(b, i - 1) > b.average[1][i]
        ):
            return -100
        if upper(b, i) > b.body[i]:
            return -100
    return 0


@cython.final
cdef class CDLADVANCEBLOCK(Pattern):
    """Advance block: three white bars up that weaken, in body or in shadow.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(
            12,
            (
                (SHADOW_SHORT, 2),
                (SHADOW_SHORT, 1),
                (SHADOW_SHORT, 0),
                (NEAR, 2),
                (NEAR, 1),
                (FAR, 2),
                (FAR, 1),
                (BODY_LONG, 2),
            ),
        )

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = advanceblock_shape(&s, i)


cdef int identical3crows_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 2) == -1
        and lower(b, i - 2) < b.average[0][i]
        and color(b, i - 1) == -1
        and lower(b, i - 1) < b.average[1][i]
        and color(b, i) == -1
        and lower(b, i) < b.average[2][i]
        and b.close[i - 2] > b.close[i - 1] > b.close[i]
        and within(b.open[i - 1], b.close[i - 2], b.average[3][i])
        and within(b.open[i], b.close[i - 1], b.average[4][i])
    ):
        return -100
    return 0


@cython.final
cdef class CDLIDENTICAL3CROWS(Pattern):
    """Identical three crows: three black bars down, each open at the close before.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(
            12,
            (
                (SHADOW_VERY_SHORT, 2),
                (SHADOW_VERY_SHORT, 1),
                (SHADOW_VERY_SHORT, 0),
                (EQUAL, 2),
                (EQUAL, 1),
            ),
        )

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = identical3crows_shape(&s, i)


cdef int stalledpattern_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 2) == 1
        and color(b, i - 1) == 1
        and color(b, i) == 1
        and b.close[i] > b.close[i - 1] > b.close[i - 2]
        and b.body[i - 2] > b.average[0][i]
        and b.body[i - 1] > b.average[1][i]
        and upper(b, i - 1) < b.average[3][i]
        and b.open[i - 2] < b.open[i - 1] <= b.close[i - 2] + b.average[4][i]
        and b.body[i] < b.average[2][i]
        and b.open[i] >= b.close[i - 1] - b.body[i] - b.average[5][i]
    ):
        return -100
    return 0


@cython.final
cdef class CDLSTALLEDPATTERN(Pattern):
    """Stalled pattern: two long white bars, then a short one at the second's close.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(
            12,
            (
                (BODY_LONG, 2),
                (BODY_LONG, 1),
                (BODY_SHORT, 0),
                (SHADOW_VERY_SHORT, 1),
                (NEAR, 2),
                (NEAR, 1),
            ),
        )

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = stalledpattern_shape(&s, i)


cdef int sticksandwich_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 2) == -1
        and color(b, i - 1) == 1
        and color(b, i) == -1
        and b.low[i - 1] > b.close[i - 2]
        and within(b.close[i], b.close[i - 2], b.average[0][i])
    ):
        return 100
    return 0


@cython.final
cdef class CDLSTICKSANDWICH(Pattern):
    """Stick sandwich: black, white above it, black; the black ones close at one price.

    The warm-up is 7 rows.
    """

    def __cinit__(self):
        self.shape(7, ((EQUAL, 2),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = sticksandwich_shape(&s, i)


cdef int unique3river_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        (b.body[i - 2] > b.average[0][i])
        & (color(b, i - 2) == -1)
        & (color(b, i - 1) == -1)
        & (b.close[i - 1] > b.close[i - 2])
        & (b.open[i - 1] <= b.open[i - 2])
        & (b.low[i - 1] < b.low[i - 2])
        and b.body[i] < b.average[1][i]
        and color(b, i) == 1
        and b.open[i] > b.low[i - 1]
    ):
        return 100
    return 0


@cython.final
cdef class CDLUNIQUE3RIVER(Pattern):
    """Unique three river: a long black bar, a black harami with a new low, a short white bar.

    The warm-up is 12 rows.
    """

    def __cinit__(self):
        self.shape(12, ((BODY_LONG, 2), (BODY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = unique3river_shape(&s, i)
