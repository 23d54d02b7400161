# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""Candlestick patterns of four and five bars, and the hikkake, which looks ahead of itself.

Each gives 100 (bullish), -100 (bearish) or 0. Source: TA-Lib's definitions, after Morris,
Candlestick Charting Explained.
"""

cimport cython

from pyrt.indicators.candles cimport (
    BODY_LONG, BODY_SHORT, NEAR, SHADOW_VERY_SHORT, Bars, Deep, Pattern, bottom, color, gaps_down,
    gaps_up, lower, top, upper,
)


cdef int breaks(const Bars* b, Py_ssize_t i) noexcept nogil:
    """1 if the bar breaks below the one before (falsely, so bullish), -1 above, 0 neither."""
    cdef int below = (b.high[i] < b.high[i - 1]) & (b.low[i] < b.low[i - 1])
    cdef int above = (b.high[i] > b.high[i - 1]) & (b.low[i] > b.low[i - 1])
    return below - above


cdef int found(Bars* b, Py_ssize_t i, int side) noexcept nogil:
    """Remember a hikkake at this bar."""
    b.result = 100 * side
    b.found = b.offset + i
    return b.result


cdef int confirmed(Bars* b, Py_ssize_t i) noexcept nogil:
    """A close beyond the inside bar of a hikkake at most three bars old, once."""
    cdef Py_ssize_t inside = b.found - b.offset - 1
    cdef int result = b.result
    if b.offset + i > b.found + 3:
        return 0
    if (result > 0 and b.close[i] > b.high[inside]) or (
        result < 0 and b.close[i] < b.low[inside]
    ):
        b.found = -10
        return 2 * result
    return 0


cdef int three_crows_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        (color(b, i - 3) == 1)
        & (color(b, i - 2) == -1)
        & (color(b, i - 1) == -1)
        & (color(b, i) == -1)
        and lower(b, i - 2) < b.average[0][i]
        and lower(b, i - 1) < b.average[1][i]
        and lower(b, i) < b.average[2][i]
        and b.close[i - 2] < b.open[i - 1] < b.open[i - 2]
        and b.close[i - 1] < b.open[i] < b.open[i - 1]
        and b.high[i - 3] > b.close[i - 2]
        and b.close[i - 2] > b.close[i - 1] > b.close[i]
    ):
        return -100
    return 0


@cython.final
cdef class CDL3BLACKCROWS(Pattern):
    """Three black crows.

    After a white bar, three black ones down, each open in the body before.

    The warm-up is 13 rows.
    """

    def __cinit__(self):
        self.shape(13, ((SHADOW_VERY_SHORT, 2), (SHADOW_VERY_SHORT, 1), (SHADOW_VERY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = three_crows_shape(&s, i)


cdef int line_strike_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    cdef int side = color(b, i - 1)
    if not (
        color(b, i - 3) == side
        and color(b, i - 2) == side
        and color(b, i) == -side
        and b.open[i - 2] >= bottom(b, i - 3) - b.average[0][i]
        and b.open[i - 2] <= top(b, i - 3) + b.average[0][i]
        and b.open[i - 1] >= bottom(b, i - 2) - b.average[1][i]
        and b.open[i - 1] <= top(b, i - 2) + b.average[1][i]
    ):
        return 0
    if side == 1:
        if (
            b.close[i - 1] > b.close[i - 2] > b.close[i - 3]
            and b.open[i] > b.close[i - 1]
            and b.close[i] < b.open[i - 3]
        ):
            return 100
    elif (
        b.close[i - 1] < b.close[i - 2] < b.close[i - 3]
        and b.open[i] < b.close[i - 1]
        and b.close[i] > b.open[i - 3]
    ):
        return -100
    return 0


@cython.final
cdef class CDL3LINESTRIKE(Pattern):
    """Three-line strike: three bars one way, and one that takes it all back.

    The warm-up is 8 rows.
    """

    def __cinit__(self):
        self.shape(8, ((NEAR, 3), (NEAR, 2)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = line_strike_shape(&s, i)


cdef int breakaway_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if not (
        (b.body[i - 4] > b.average[0][i])
        & (color(b, i - 4) == color(b, i - 3))
        & (color(b, i - 3) == color(b, i - 1))
        & (color(b, i - 1) == -color(b, i))
    ):
        return 0
    if color(b, i - 4) == -1:
        if (
            gaps_down(b, i - 3, i - 4)
            and b.high[i - 1] < b.high[i - 2] < b.high[i - 3]
            and b.low[i - 1] < b.low[i - 2] < b.low[i - 3]
            and b.open[i - 3] < b.close[i] < b.close[i - 4]
        ):
            return 100
    elif (
        gaps_up(b, i - 3, i - 4)
        and b.high[i - 1] > b.high[i - 2] > b.high[i - 3]
        and b.low[i - 1] > b.low[i - 2] > b.low[i - 3]
        and b.close[i - 4] < b.close[i] < b.open[i - 3]
    ):
        return -100
    return 0


@cython.final
cdef class CDLBREAKAWAY(Pattern):
    """Breakaway: a gap, three bars on in its direction, and one back into the gap.

    The warm-up is 14 rows.
    """

    def __cinit__(self):
        self.shape(14, ((BODY_LONG, 4),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = breakaway_shape(&s, i)


cdef int concealbabyswall_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 3) == -1
        and color(b, i - 2) == -1
        and color(b, i - 1) == -1
        and color(b, i) == -1
        and lower(b, i - 3) < b.average[0][i]
        and upper(b, i - 3) < b.average[0][i]
        and lower(b, i - 2) < b.average[1][i]
        and upper(b, i - 2) < b.average[1][i]
        and gaps_down(b, i - 1, i - 2)
        and upper(b, i - 1) > b.average[2][i]
        and b.high[i - 1] > b.close[i - 2]
        and b.high[i] > b.high[i - 1]
        and b.low[i] < b.low[i - 1]
    ):
        return 100
    return 0


@cython.final
cdef class CDLCONCEALBABYSWALL(Pattern):
    """Concealing baby swallow.

    Two black marubozu, a black bar with a shadow into them, one around it.

    The warm-up is 13 rows.
    """

    def __cinit__(self):
        self.shape(13, ((SHADOW_VERY_SHORT, 3), (SHADOW_VERY_SHORT, 2), (SHADOW_VERY_SHORT, 1)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = concealbabyswall_shape(&s, i)


cdef int ladderbottom_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        color(b, i - 4) == -1
        and color(b, i - 3) == -1
        and color(b, i - 2) == -1
        and b.open[i - 4] > b.open[i - 3] > b.open[i - 2]
        and b.close[i - 4] > b.close[i - 3] > b.close[i - 2]
        and color(b, i - 1) == -1
        and upper(b, i - 1) > b.average[0][i]
        and color(b, i) == 1
        and b.open[i] > b.open[i - 1]
        and b.close[i] > b.high[i - 1]
    ):
        return 100
    return 0


@cython.final
cdef class CDLLADDERBOTTOM(Pattern):
    """Ladder bottom.

    Three black bars down, a black one with an upper shadow, a white one over it.

    The warm-up is 14 rows.
    """

    def __cinit__(self):
        self.shape(14, ((SHADOW_VERY_SHORT, 1),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = ladderbottom_shape(&s, i)


cdef int mathold_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    cdef double floor = b.close[i - 4] - b.body[i - 4] * b.depth
    if (
        b.body[i - 4] > b.average[0][i]
        and b.body[i - 3] < b.average[1][i]
        and b.body[i - 2] < b.average[2][i]
        and b.body[i - 1] < b.average[3][i]
        and color(b, i - 4) == 1
        and color(b, i - 3) == -1
        and color(b, i) == 1
        and gaps_up(b, i - 3, i - 4)
        and floor < bottom(b, i - 2) < b.close[i - 4]
        and floor < bottom(b, i - 1) < b.close[i - 4]
        and top(b, i - 2) < b.open[i - 3]
        and top(b, i - 1) < top(b, i - 2)
        and b.open[i] > b.close[i - 1]
        and b.close[i] > max(b.high[i - 3], b.high[i - 2], b.high[i - 1])
    ):
        return 100
    return 0


@cython.final
cdef class CDLMATHOLD(Deep):
    """Mat hold.

    A long white bar, three short ones held above its body, a white one to a new high.

    The warm-up is 14 rows.

    Parameters
    ----------
    penetration : float, default 0.5
        Share of the first body to be reached into.
    """

    def __cinit__(self):
        self.shape(14, ((BODY_LONG, 4), (BODY_SHORT, 3), (BODY_SHORT, 2), (BODY_SHORT, 1)))
        self.bars.depth = 0.5

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = mathold_shape(&s, i)


cdef int risefall3methods_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    cdef int side = color(b, i - 4), k
    if not (
        b.body[i - 4] > b.average[0][i]
        and b.body[i - 3] < b.average[1][i]
        and b.body[i - 2] < b.average[2][i]
        and b.body[i - 1] < b.average[3][i]
        and b.body[i] > b.average[4][i]
        and color(b, i) == side
    ):
        return 0
    for k in range(1, 4):
        if (
            color(b, i - k) != -side
            or bottom(b, i - k) >= b.high[i - 4]
            or top(b, i - k) <= b.low[i - 4]
        ):
            return 0
    if (
        b.close[i - 2] * side < b.close[i - 3] * side
        and b.close[i - 1] * side < b.close[i - 2] * side
        and b.open[i] * side > b.close[i - 1] * side
        and b.close[i] * side > b.close[i - 4] * side
    ):
        return 100 * side
    return 0


@cython.final
cdef class CDLRISEFALL3METHODS(Pattern):
    """Rising or falling three methods.

    Three short bars back inside a long one, and a long one on.

    The warm-up is 14 rows.
    """

    def __cinit__(self):
        self.shape(
            14,
            (
                (BODY_LONG, 4),
                (BODY_SHORT, 3),
                (BODY_SHORT, 2),
                (BODY_SHORT, 1),
                (BODY_LONG, 0),
            ),
        )

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = risefall3methods_shape(&s, i)


cdef int hikkake_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    # Each comparison is a coin's throw to the processor: all are made, and one branch taken.
    cdef int side = breaks(b, i)
    if (b.high[i - 1] < b.high[i - 2]) & (b.low[i - 1] > b.low[i - 2]) & (side != 0):
        return found(b, i, side)
    return confirmed(b, i)


@cython.final
cdef class CDLHIKKAKE(Pattern):
    """Hikkake.

    An inside bar broken falsely (100, -100), and its confirmation within three bars (200, -200).

    The warm-up is 5 rows.
    """

    def __cinit__(self):
        self.shape(5, ())
        self.first = 2

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = hikkake_shape(b, i)


cdef int hikkakemod_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    cdef int side = breaks(b, i)
    if (
        (b.high[i - 1] < b.high[i - 2])
        & (b.high[i - 2] < b.high[i - 3])
        & (b.low[i - 1] > b.low[i - 2])
        & (b.low[i - 2] > b.low[i - 3])
    ) and (
        (side == 1 and b.close[i - 2] <= b.low[i - 2] + b.average[0][i])
        or (side == -1 and b.close[i - 2] >= b.high[i - 2] - b.average[0][i])
    ):
        return found(b, i, side)
    return confirmed(b, i)


@cython.final
cdef class CDLHIKKAKEMOD(Pattern):
    """Modified hikkake: two inside bars, the outer one closing near its end, broken falsely.

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((NEAR, 2),))
        self.first = 7

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = hikkakemod_shape(b, i)
