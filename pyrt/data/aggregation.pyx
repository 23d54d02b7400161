"""Bars made from trades, quotes or smaller bars: the base of all aggregators and their output.

An aggregator takes one event per call and says how many bars it completed. The batch forms loop
over the same calls, so a table and a stream give the same bits, and a table cut in two gives the
same bars as the whole. Nothing here looks ahead: a bar depends on events up to its completion.
"""
cimport cython
from libc.stdint cimport INT64_MAX
from libc.string cimport memcpy, memmove
from cpython.mem cimport PyMem_Free, PyMem_Realloc

import numpy as np

from pyrt.errors import ConfigError

_QUOTE_PRICES = {"bid": -1, "mid": 0, "ask": 1}

BAR_DTYPE = np.dtype(
    [("ts_open", np.int64), ("ts_close", np.int64)]
    + [(name, np.float64) for name in ("open", "high", "low", "close", "volume", "vwap")]
    + [("count", np.int64)]
)
"""Row of the arrays given back; field for field the C struct `BarRow`."""
assert BAR_DTYPE.itemsize == sizeof(BarRow)


@cython.final
cdef class BarRows:
    def __dealloc__(self):
        PyMem_Free(self.at)

    cdef BarRow* append(self) except NULL:
        """Add a row with unset fields and return its place."""
        if self.n == self._capacity:
            self._reserve(max(4, 2 * self._capacity))
        self.n += 1
        return &self.at[self.n - 1]

    cdef int extend(self, BarRows other) except -1:
        if self.n + other.n > self._capacity:
            self._reserve(max(2 * self._capacity, self.n + other.n))
        if other.n:
            memcpy(&self.at[self.n], other.at, other.n * sizeof(BarRow))
            self.n += other.n
        return 0

    cdef int drop_first(self) except -1:
        if self.n == 0:
            raise IndexError("no first row")
        self.n -= 1
        memmove(self.at, &self.at[1], self.n * sizeof(BarRow))
        return 0

    cdef object to_array(self):
        """Copy into an array of BAR_DTYPE, shape (n,)."""
        cdef unsigned char[::1] data
        rows = np.empty(self.n, BAR_DTYPE)
        if self.n:
            data = rows.view(np.uint8)
            memcpy(&data[0], self.at, self.n * sizeof(BarRow))
        return rows

    def _reserve(self, Py_ssize_t capacity):
        cdef void* memory = PyMem_Realloc(self.at, capacity * sizeof(BarRow))
        if memory == NULL:
            raise MemoryError
        self.at = <BarRow*> memory
        self._capacity = capacity


def _columns(*columns):
    """Contiguous arrays of one length: int64 where the name says ts, float64 otherwise."""
    arrays = [np.ascontiguousarray(column, dtype) for column, dtype in columns]
    lengths = {len(array) for array in arrays}
    if len(lengths) > 1:
        raise ConfigError(
            f"Columns differ in length: {[len(array) for array in arrays]}",
            remedy="Give columns of one table",
        )
    return arrays


cdef class Aggregator:
    """Base of the aggregators.

    Parameters
    ----------
    quote_price : {"mid", "bid", "ask"}, optional
        Which price of a quote the bars are made of. A quote has no volume: such bars count quotes,
        have volume 0 and no VWAP (NaN). A quote without the price asked for only moves time.

    Notes
    -----
    Events come in the order in which they became known. In the engine, what ends at an instant
    (smaller bars) is given before `update_time` with that instant, and both before trades at it.
    """

    def __cinit__(self):
        self.completed = BarRows()
        self.next_due = INT64_MAX

    def __init__(self, str quote_price not None="mid"):
        if quote_price not in _QUOTE_PRICES:
            raise ConfigError(
                f"quote_price is {quote_price!r}; expected one of {sorted(_QUOTE_PRICES)}",
                quote_price=quote_price,
            )
        self._quote_price = _QUOTE_PRICES[quote_price]

    cdef int add_bar(
        self, int64_t ts_open, int64_t ts_close,
        double o, double h, double l, double c, double v,
    ) except -1:
        """Take a smaller bar [ts_open, ts_close); return the number of bars completed."""
        raise TypeError(f"{type(self).__name__} is not made from bars")

    cdef int add_trade(self, int64_t ts, double price, double size, int aggressor) except -1:
        """Take a trade; `aggressor` is 1 buyer, -1 seller, 0 unknown."""
        raise TypeError(f"{type(self).__name__} is not made from trades")

    cdef int add_quote(self, int64_t ts, double bid, double ask) except -1:
        """Take a quote as a trade of size 0 at the chosen price; NaN is a missing side."""
        cdef double price = bid if self._quote_price < 0 else ask
        if self._quote_price == 0:
            price = 0.5 * (bid + ask)
        if price != price:
            return self.advance(ts)
        return self.add_trade(ts, price, 0.0, 0)

    cdef int advance(self, int64_t ts) except -1:
        """Say that it is `ts`; completes what is over by then."""
        self.completed.n = 0
        return 0

    cdef int finish(self) except -1:
        """Complete what is under way, as at the end of the data."""
        self.completed.n = 0
        return 0

    # One event

    def update_bar(
        self, int64_t ts_open, int64_t ts_close,
        double open, double high, double low, double close, double volume=0.0,
    ) -> int:
        """Take one smaller bar over [ts_open, ts_close), ns UTC.

        Returns
        -------
        int
            Number of bars completed; `bars` has them.

        Raises
        ------
        TypeError
            If this kind of bar is not made from bars.
        """
        return self.add_bar(ts_open, ts_close, open, high, low, close, volume)

    def update_trade(self, int64_t ts, double price, double size, int aggressor=0) -> int:
        """Take one trade; return the number of bars completed.

        `aggressor` is 1 for a buyer, -1 for a seller, 0 where unknown.
        """
        return self.add_trade(ts, price, size, aggressor)

    def update_quote(self, int64_t ts, double bid, double ask) -> int:
        """Take one quote (NaN: no such side); return the number of bars completed."""
        return self.add_quote(ts, bid, ask)

    def update_time(self, int64_t ts) -> int:
        """Say that it is `ts` though nothing came; return the number of bars completed."""
        return self.advance(ts)

    def update_end(self) -> int:
        """Complete the bar under way; return the number of bars completed."""
        return self.finish()

    @property
    def bars(self):
        """Bars completed by the last update, array of BAR_DTYPE, oldest first."""
        return self.completed.to_array()

    # Whole tables

    def batch_bars(
        self, ts_open, ts_close, open, high, low, close, volume, *, bint finish=False
    ):
        """Take a table of smaller bars, as `update_bar` row by row.

        Parameters
        ----------
        ts_open, ts_close : array of int64, shape (n,)
            The intervals, ns UTC, in order.
        open, high, low, close, volume : array of float64, shape (n,)
        finish : bool, optional
            Complete the bar under way after the last row.

        Returns
        -------
        ndarray of BAR_DTYPE, shape (n_bars,)
            All bars completed, oldest first.

        Raises
        ------
        ConfigError
            If the columns differ in length; nothing is taken.
        TypeError
            If this kind of bar is not made from bars.
        """
        cdef const int64_t[::1] starts, ends
        cdef const double[::1] o, h, l, c, v
        cdef Py_ssize_t i
        cdef BarRows rows = BarRows()
        starts, ends, o, h, l, c, v = _columns(
            (ts_open, np.int64), (ts_close, np.int64), (open, np.float64), (high, np.float64),
            (low, np.float64), (close, np.float64), (volume, np.float64),
        )
        for i in range(len(starts)):
            if self.add_bar(starts[i], ends[i], o[i], h[i], l[i], c[i], v[i]):
                rows.extend(self.completed)
        return self._all(rows, finish)

    def batch_trades(self, ts, price, size, aggressor=None, *, bint finish=False):
        """Take a table of trades, as `update_trade` row by row.

        Parameters
        ----------
        ts : array of int64, shape (n,)
            ns UTC.
        price, size : array of float64, shape (n,)
        aggressor : array of int, shape (n,), optional
            1 buyer, -1 seller, 0 unknown; without it all are unknown.
        finish : bool, optional
            Complete the bar under way after the last row.

        Returns
        -------
        ndarray of BAR_DTYPE, shape (n_bars,)
            All bars completed, oldest first.

        Raises
        ------
        ConfigError
            If the columns differ in length; nothing is taken.
        TypeError
            If this kind of bar is not made from trades.
        """
        cdef const int64_t[::1] stamps
        cdef const double[::1] prices, sizes
        cdef const signed char[::1] signs
        cdef Py_ssize_t i
        cdef BarRows rows = BarRows()
        if aggressor is None:
            aggressor = np.zeros(len(ts), np.int8)
        stamps, prices, sizes, signs = _columns(
            (ts, np.int64), (price, np.float64), (size, np.float64), (aggressor, np.int8)
        )
        for i in range(len(stamps)):
            if self.add_trade(stamps[i], prices[i], sizes[i], signs[i]):
                rows.extend(self.completed)
        return self._all(rows, finish)

    def batch_quotes(self, ts, bid, ask, *, bint finish=False):
        """Take a table of quotes, as `update_quote` row by row.

        Parameters
        ----------
        ts : array of int64, shape (n,)
            ns UTC.
        bid, ask : array of float64, shape (n,)
            NaN where a side is missing.
        finish : bool, optional
            Complete the bar under way after the last row.

        Returns
        -------
        ndarray of BAR_DTYPE, shape (n_bars,)
            All bars completed, oldest first.

        Raises
        ------
        ConfigError
            If the columns differ in length; nothing is taken.
        """
        cdef const int64_t[::1] stamps
        cdef const double[::1] bids, asks
        cdef Py_ssize_t i
        cdef BarRows rows = BarRows()
        stamps, bids, asks = _columns((ts, np.int64), (bid, np.float64), (ask, np.float64))
        for i in range(len(stamps)):
            if self.add_quote(stamps[i], bids[i], asks[i]):
                rows.extend(self.completed)
        return self._all(rows, finish)

    def _all(self, BarRows rows, bint finish):
        if finish and self.finish():
            rows.extend(self.completed)
        return rows.to_array()


def check_positive(str name, value):
    """Refuse a size, threshold or count that is not a finite number above zero."""
    if not (np.isfinite(value) and value > 0):
        raise ConfigError(
            f"{name} is {value!r}; expected a finite number above 0", **{name: value}
        )
    return value
