# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""Candlestick patterns of one bar.

Each gives 100 (bullish), -100 (bearish) or 0. Source: TA-Lib's definitions, after Morris,
Candlestick Charting Explained.
"""

cimport cython

from pyrt.indicators.candles cimport (
    BODY_DOJI, BODY_LONG, BODY_SHORT, NEAR, SHADOW_SHORT, SHADOW_VERY_SHORT, Bars, Pattern, bottom,
    color, lower, top, upper,
)


cdef int belthold_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if b.body[i] > b.average[0][i] and (
        lower(b, i) < b.average[1][i] if color(b, i) == 1 else upper(b, i) < b.average[1][i]
    ):
        return color(b, i) * 100
    return 0


@cython.final
cdef class CDLBELTHOLD(Pattern):
    """Belt hold: a long body without a shadow at its open.

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_LONG, 0), (SHADOW_VERY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = belthold_shape(&s, i)


cdef int closinglong_body_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if b.body[i] > b.average[0][i] and (
        upper(b, i) < b.average[1][i] if color(b, i) == 1 else lower(b, i) < b.average[1][i]
    ):
        return color(b, i) * 100
    return 0


@cython.final
cdef class CDLCLOSINGMARUBOZU(Pattern):
    """Closing marubozu: a long body without a shadow at its close.

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_LONG, 0), (SHADOW_VERY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = closinglong_body_shape(&s, i)


@cython.final
cdef class CDLDOJI(Pattern):
    """Doji: open and close at about one price (always 100).

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_DOJI, 0),))
        self.bare = True

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = 100.0 if s.body[i] <= s.average[0][i] else 0.0


cdef int dragonflydoji_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (b.body[i] <= b.average[0][i] and upper(b, i) < b.average[1][i]
            and lower(b, i) > b.average[1][i]):
        return 100
    return 0


@cython.final
cdef class CDLDRAGONFLYDOJI(Pattern):
    """Dragonfly doji: a doji at its high with a shadow below (always 100).

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_DOJI, 0), (SHADOW_VERY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = dragonflydoji_shape(&s, i)


cdef int gravestonedoji_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (b.body[i] <= b.average[0][i] and lower(b, i) < b.average[1][i]
            and upper(b, i) > b.average[1][i]):
        return 100
    return 0


@cython.final
cdef class CDLGRAVESTONEDOJI(Pattern):
    """Gravestone doji: a doji at its low with a shadow above (always 100).

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_DOJI, 0), (SHADOW_VERY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = gravestonedoji_shape(&s, i)


cdef int highwave_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    cdef double reach = 2.0 * b.body[i]
    if b.body[i] < b.average[0][i] and upper(b, i) > reach and lower(b, i) > reach:
        return color(b, i) * 100
    return 0


@cython.final
cdef class CDLHIGHWAVE(Pattern):
    """High wave: a short body between two very long shadows.

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_SHORT, 0),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = highwave_shape(&s, i)


cdef int longleggeddoji_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if b.body[i] <= b.average[0][i] and (lower(b, i) > b.body[i] or upper(b, i) > b.body[i]):
        return 100
    return 0


@cython.final
cdef class CDLLONGLEGGEDDOJI(Pattern):
    """Long-legged doji: a doji with a shadow longer than its body (always 100).

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_DOJI, 0),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = longleggeddoji_shape(&s, i)


cdef int long_body_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (b.body[i] > b.average[0][i] and upper(b, i) < b.average[1][i]
            and lower(b, i) < b.average[1][i]):
        return color(b, i) * 100
    return 0


@cython.final
cdef class CDLLONGLINE(Pattern):
    """Long line: a long body with short shadows.

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_LONG, 0), (SHADOW_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = long_body_shape(&s, i)


@cython.final
cdef class CDLMARUBOZU(Pattern):
    """Marubozu: a long body without shadows.

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_LONG, 0), (SHADOW_VERY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = long_body_shape(&s, i)


cdef int rickshawman_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    cdef double middle = b.low[i] + (b.high[i] - b.low[i]) / 2.0
    if (
        b.body[i] <= b.average[0][i]
        and lower(b, i) > b.body[i]
        and upper(b, i) > b.body[i]
        and bottom(b, i) <= middle + b.average[1][i]
        and top(b, i) >= middle - b.average[1][i]
    ):
        return 100
    return 0


@cython.final
cdef class CDLRICKSHAWMAN(Pattern):
    """Rickshaw man: a doji near the middle of two long shadows (always 100).

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_DOJI, 0), (NEAR, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = rickshawman_shape(&s, i)


cdef int shortline_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (b.body[i] < b.average[0][i] and upper(b, i) < b.average[1][i]
            and lower(b, i) < b.average[1][i]):
        return color(b, i) * 100
    return 0


@cython.final
cdef class CDLSHORTLINE(Pattern):
    """Short line: a short body with short shadows.

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_SHORT, 0), (SHADOW_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = shortline_shape(&s, i)


cdef int spinningtop_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if b.body[i] < b.average[0][i] and upper(b, i) > b.body[i] and lower(b, i) > b.body[i]:
        return color(b, i) * 100
    return 0


@cython.final
cdef class CDLSPINNINGTOP(Pattern):
    """Spinning top: a short body between longer shadows.

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_SHORT, 0),))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = spinningtop_shape(&s, i)


cdef int takuri_shape(Bars* b, Py_ssize_t i) noexcept nogil:
    if (
        b.body[i] <= b.average[0][i]
        and upper(b, i) < b.average[1][i]
        and lower(b, i) > 2.0 * b.body[i]
    ):
        return 100
    return 0


@cython.final
cdef class CDLTAKURI(Pattern):
    """Takuri: a dragonfly doji with a very long shadow below (always 100).

    The warm-up is 10 rows.
    """

    def __cinit__(self):
        self.shape(10, ((BODY_DOJI, 0), (SHADOW_VERY_SHORT, 0)))

    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil:
        cdef Bars s = b[0]  # no write to y can change it: it stays in registers
        cdef Py_ssize_t i
        for i in range(start, stop):
            y[i] = takuri_shape(&s, i)
