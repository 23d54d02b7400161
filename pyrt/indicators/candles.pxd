"""What candlestick patterns share: bars side by side, and what counts as long, short or near.

A pattern is a function of a few bars and of averages over the bars before each of them. A class
names the averages it needs, as (setting, bars back); everything else is here. The totals behind the
averages run on as TA-Lib's do, addition by addition, because on a price grid a body often equals
its average and then the last bit decides; they are summed afresh once they have lost digits.
"""

from libc.math cimport fabs

from pyrt.indicators.base cimport CHUNK, OpenHighLowClose

cdef enum:
    REACH = 16       # rows of the past a pattern may look at, its averages included
    MAX_TOTALS = 8
    ROOM = 1024      # REACH + CHUNK, and as much again before the past has to be moved

cdef enum Setting:
    BODY_LONG
    BODY_SHORT
    BODY_DOJI
    SHADOW_SHORT
    SHADOW_VERY_SHORT
    NEAR
    FAR
    EQUAL


cdef struct Bars:
    const double* open
    const double* high
    const double* low
    const double* close
    const double* body      # |close - open|
    const double* average[MAX_TOTALS]
    double depth            # how far into the first body a pattern has to reach
    Py_ssize_t offset       # row, counted from the first bar, less place in the columns
    Py_ssize_t found        # row of the last hikkake
    int result              # its sign


cdef struct Total:
    int measure
    Py_ssize_t back         # bars between the present one and the one the average is for
    Py_ssize_t period
    double factor
    double sum
    double peak             # greatest sum since it was last summed afresh
    double* average         # a column: the average for the bar `back` before each bar


cdef class Pattern(OpenHighLowClose):
    cdef Bars bars
    cdef Total totals[MAX_TOTALS]
    cdef int n_totals
    cdef Py_ssize_t first
    """Row of the first bar the pattern is looked for at."""
    cdef Py_ssize_t warmup
    cdef Py_ssize_t place
    """Where the next bar goes in the columns."""
    cdef double* columns[7]
    """The past and the rows in hand: prices, bodies, heights and shadows."""
    cdef bint needed[7]
    cdef bint bare
    """It looks at bodies and heights only, and averages both: prices need not be kept."""

    cdef int clear(self) except -1
    cdef void shape(self, Py_ssize_t warmup, tuple averages) noexcept
    cdef void make_room(self, Py_ssize_t n) noexcept nogil
    cdef void measure(self, Py_ssize_t start, Py_ssize_t stop) noexcept nogil
    cdef void look(self, Bars* b, Py_ssize_t start, Py_ssize_t stop, double* y) noexcept nogil


cdef class Deep(Pattern):
    pass


cdef inline int color(const Bars* b, Py_ssize_t i) noexcept nogil:
    """1 for a bar that did not close below its open, else -1."""
    return 1 if b.close[i] >= b.open[i] else -1


cdef inline double top(const Bars* b, Py_ssize_t i) noexcept nogil:
    return b.close[i] if b.close[i] > b.open[i] else b.open[i]


cdef inline double bottom(const Bars* b, Py_ssize_t i) noexcept nogil:
    return b.close[i] if b.close[i] < b.open[i] else b.open[i]


cdef inline double upper(const Bars* b, Py_ssize_t i) noexcept nogil:
    """Upper shadow."""
    return b.high[i] - top(b, i)


cdef inline double lower(const Bars* b, Py_ssize_t i) noexcept nogil:
    """Lower shadow."""
    return bottom(b, i) - b.low[i]


cdef inline bint gaps_up(const Bars* b, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    """The body of bar `i` lies above that of bar `j`."""
    return bottom(b, i) > top(b, j)


cdef inline bint gaps_down(const Bars* b, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    return top(b, i) < bottom(b, j)


cdef inline bint jumps_up(const Bars* b, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    """Bar `i`, shadows included, lies above bar `j`."""
    return b.low[i] > b.high[j]


cdef inline bint jumps_down(const Bars* b, Py_ssize_t i, Py_ssize_t j) noexcept nogil:
    return b.high[i] < b.low[j]


cdef inline bint within(double x, double center, double reach) noexcept nogil:
    return x <= center + reach and x >= center - reach
