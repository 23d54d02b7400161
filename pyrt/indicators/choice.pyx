# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
"""Moving averages chosen by number (`matype`), and the one whose period is a series."""

cimport cython

from libc.string cimport memcpy

from pyrt.errors import ConfigError
from pyrt.indicators.adaptive import KAMA
from pyrt.indicators.averages import DEMA, EMA, HMA, RMA, SMA, T3, TEMA, TRIMA, WMA, ZLEMA
from pyrt.indicators.base cimport CHUNK, Native, Series, whole
from pyrt.indicators.cycles import MAMA

cdef enum:
    IDENTITY = 10
    OWN_DEFAULT = 11

# in the order of TA-Lib's MA_Type
KINDS = (SMA, EMA, WMA, DEMA, TEMA, TRIMA, KAMA, MAMA, T3, HMA, None, None, ZLEMA, RMA)


@cython.final
cdef class Same(Series):
    """The value itself: the average of length 1."""

    def __init__(self):
        self.begin((), (), 0)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        memcpy(y[0], x[0], n * sizeof(double))


@cython.final
cdef class FirstOutput(Series):
    """The first output of an indicator with two (`MAMA`)."""

    cdef Native inner

    def __init__(self, Native inner):
        self.inner = inner
        self.begin((), (), inner.lookback)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double spare[CHUNK]
        cdef double* outputs[2]
        outputs[0] = y[0]
        outputs[1] = spare
        self.inner.run(x, outputs, n)


cdef int kind(str name, object value) except -1:
    """Check a `matype` parameter."""
    cdef int number = whole(name, value, 0)
    if number >= len(KINDS) or number == OWN_DEFAULT:
        raise ConfigError(
            f"{name} is {value}; expected 0 to 10, 12 or 13 (TA-Lib's MA_Type)",
            name=name,
            value=value,
        )
    return number


cdef Native average(int matype, int timeperiod):
    """Make the average; of length 1, or of type 10, it is the value itself."""
    if timeperiod == 1 or matype == IDENTITY:
        return Same()
    if matype == 7:  # MAMA finds its own length
        return FirstOutput(MAMA())
    return KINDS[matype](timeperiod)


@cython.final
cdef class MA(Series):
    """Moving average of the kind `matype` names.

    0 `SMA`, 1 `EMA`, 2 `WMA`, 3 `DEMA`, 4 `TEMA`, 5 `TRIMA`, 6 `KAMA`, 7 `MAMA` (which has no
    period), 8 `T3`, 9 `HMA`, 10 none, 12 `ZLEMA`, 13 `RMA`. The warm-up is that average's.

    Parameters
    ----------
    timeperiod : int, default 30
        Length, 1 (the value itself) to 100,000.
    matype : int, default 0
        The kind of average.
    """

    cdef Native inner

    def __init__(self, timeperiod=30, matype=0):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.inner = average(kind("matype", matype), n)
        self.begin(("timeperiod", "matype"), (timeperiod, matype), self.inner.lookback)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        self.inner.run(x, y, n)


@cython.final
cdef class MAVP(Native):
    """Moving average whose period is read from a second series.

    Each row takes the average of its own period, rounded down and held within `minperiod` and
    `maxperiod`; every average starts where the longest one's warm-up ends. One average is kept for
    each length, so an update costs as many steps as there are lengths.

    Parameters
    ----------
    minperiod, maxperiod : int, default 2 and 30
        Range of the periods, 2 to 100,000.
    matype : int, default 0
        The kind of average, as in `MA`.
    """

    cdef list averages
    cdef int* rows_of
    """First row in hand that asks for each length; -1 where none does."""
    cdef int shortest
    cdef Py_ssize_t row

    def __cinit__(self):
        self.inputs = ("value", "periods")

    def __init__(self, minperiod=2, maxperiod=30, matype=0):
        cdef int low = whole("minperiod", minperiod, 2), high = whole("maxperiod", maxperiod, 2)
        cdef int which = kind("matype", matype)
        if low > high:
            raise ConfigError(f"minperiod {low} is above maxperiod {high}")
        self.averages = [average(which, n) for n in range(low, high + 1)]
        self.shortest = low
        self.row = 0
        self.begin(
            ("minperiod", "maxperiod", "matype"),
            (minperiod, maxperiod, matype),
            max(a.lookback for a in self.averages),
        )
        self.rows_of = <int*>self.reserve(high - low + 1)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        self.choose(x, y, n)
        self.row = self.row + n

    cdef void choose(
        self, const double* const* x, double* const* y, Py_ssize_t n
    ) noexcept with gil:
        """Run every average over the rows and take from each those that ask for its length."""
        cdef double averaged[CHUNK]
        cdef int asked[CHUNK]
        cdef int following[CHUNK]
        cdef double* output = averaged
        cdef const double* column
        cdef Py_ssize_t i, skip, count = len(self.averages)
        cdef int which, row
        cdef double most = self.shortest + count - 1
        cdef Native one
        for which in range(<int>count):
            self.rows_of[which] = -1
        for i in range(n - 1, -1, -1):  # rows that ask for the same length, chained in order
            asked[i] = <int>min(max(x[1][i], <double>self.shortest), most) - self.shortest
            following[i] = self.rows_of[asked[i]]
            self.rows_of[asked[i]] = <int>i
        for which in range(<int>count):
            one = self.averages[which]
            skip = min(max(self.lookback - one.lookback - self.row, 0), n)
            column = x[0] + skip
            if skip < n:
                one.run(&column, &output, n - skip)
            row = self.rows_of[which]
            while row >= 0:
                if row >= skip:
                    y[0][row] = averaged[row - skip]
                row = following[row]

    def update(self, double value, double periods):
        """Take one row; NaN in it is a gap."""
        cdef double[2] x = [value, periods]
        self.feed(x)

    def batch(self, value, periods):
        """Compute the output for whole columns; see `Series.batch`."""
        return self.compute((value, periods))
