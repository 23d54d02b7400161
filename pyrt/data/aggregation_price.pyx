"""Bars by price: range, Renko and Heikin-Ashi.

Prices are compared as integers of 1e-9, so that 100.3 - 100.2 reaches a range of 0.1.
"""
cimport cython
from libc.math cimport NAN, fmax, fmin, isnan
from libc.stdint cimport int64_t

from pyrt.core.numbers cimport nano_from_double, nano_to_double
from pyrt.data.aggregation cimport BarRow, clear, fold, settle_vwap, typical_value

from pyrt.data.aggregation import check_positive
from pyrt.errors import ConfigError


cdef int64_t _nano_step(str name, double value) except -1:
    """A positive distance in price on the 1e-9 grid."""
    cdef int64_t raw = nano_from_double(check_positive(name, value))
    if raw == 0:
        raise ConfigError(f"{name} is {value!r}, below the price grid of 1e-9", **{name: value})
    return raw


@cython.final
cdef class RangeBars(ActivityBars):
    """A bar as soon as its high is at least `size` above its low.

    The trade that reaches the range belongs to the bar, and no empty bars stand for a price jump:
    after one the bar is higher than `size` (the form without phantom bars of V. Nicolellis's
    range bars, in which every trade lies in the bar that it completes).

    Parameters
    ----------
    size : float
        Above 0, in the quote currency.
    quote_price : {"mid", "bid", "ask"}, optional
        The price of a quote that counts.

    Raises
    ------
    ConfigError
        If `size` is not positive.
    OverflowError
        By an update, if a price is beyond 9.2e9; nothing is changed.
    """

    def __init__(self, double size, *, str quote_price not None="mid"):
        super().__init__(quote_price=quote_price)
        self._range = _nano_step("size", size)

    cdef int add_trade(self, int64_t ts, double price, double size, int aggressor) except -1:
        nano_from_double(price)  # refuse it before anything changes
        self._begin_event(ts, ts)
        fold(&self._bar, price, price, price, price, size, price * size)
        if nano_from_double(self._bar.high) - nano_from_double(self._bar.low) >= self._range:
            self._complete()
        return self.completed.n


@cython.final
cdef class RenkoBars(ActivityBars):
    """Bricks of one height, laid when the price passes the last one by a full brick.

    From a last brick [bottom, top] an up brick is laid for each brick height that the price is at
    or above top + size, a down brick for each that it is at or below bottom - size: a turn takes
    two heights. Before the first brick bottom and top are the first price (S. Nison, Beyond
    Candlesticks, 1994, chapter 8, with trades in place of closes). A jump lays several bricks at
    once; the first has all volume and count since the brick before, the others 0 and no VWAP. A
    brick has no wicks. It is stamped with the first event after the brick before and with the one
    that laid it.

    Parameters
    ----------
    size : float
        Height of a brick, above 0, in the quote currency.
    quote_price : {"mid", "bid", "ask"}, optional
        The price of a quote that counts.

    Raises
    ------
    ConfigError
        If `size` is not positive.
    OverflowError
        By an update, if a price is beyond 9.2e9; nothing is changed.

    Notes
    -----
    Made from bars, each counts at its close. `update_end` lays nothing: an unfinished brick is
    dropped, as its end would not be at a brick's edge.
    """

    def __init__(self, double size, *, str quote_price not None="mid"):
        super().__init__(quote_price=quote_price)
        self._brick = _nano_step("size", size)

    cdef int add_trade(self, int64_t ts, double price, double size, int aggressor) except -1:
        cdef int64_t raw = nano_from_double(price)
        self._begin_event(ts, ts)
        fold(&self._bar, price, price, price, price, size, price * size)
        return self._lay_bricks(raw)

    cdef int add_bar(
        self, int64_t ts_open, int64_t ts_close,
        double o, double h, double l, double c, double v,
    ) except -1:
        cdef int64_t raw = nano_from_double(c)
        self._begin_event(ts_open, ts_close)
        fold(&self._bar, o, h, l, c, v, typical_value(h, l, c, v))
        return self._lay_bricks(raw)

    cdef int finish(self) except -1:
        self.completed.n = 0
        return 0

    cdef int _start_at(self, int64_t raw) except -1:
        self._bottom = self._top = raw
        self._has_price = True
        return 0

    cdef int _lay_bricks(self, int64_t raw) except -1:
        if not self._has_price:
            self._start_at(raw)
        while raw - self._top >= self._brick:
            self._lay(True)
        while self._bottom - raw >= self._brick:
            self._lay(False)
        return self.completed.n

    cdef int _lay(self, bint up) except -1:
        cdef BarRow* row
        if up:
            self._bottom = self._top
            self._top += self._brick
        else:
            self._top = self._bottom
            self._bottom -= self._brick
        cdef double bottom = nano_to_double(self._bottom), top = nano_to_double(self._top)
        self._complete()
        row = &self.completed.at[self.completed.n - 1]
        row.open, row.close = (bottom, top) if up else (top, bottom)
        row.high, row.low = top, bottom
        clear(&self._bar, row.ts_close, row.ts_close)
        return 0


@cython.final
cdef class HeikinAshiBars(Aggregator):
    """One smoothed bar for each bar given.

    close = (open + high + low + close) / 4; open = mean of the smoothed open and close of the bar
    before, (open + close) / 2 in the first; high and low take in both (D. Valcu, "Using The
    Heikin-Ashi Technique", Stocks & Commodities 22:2, 2004). Times, volume and count (1) are those
    of the bar given; VWAP is its typical price. These are not prices anyone traded at.

    Examples
    --------
    >>> bars = HeikinAshiBars()
    >>> bars.update_bar(0, 60, 10.0, 14.0, 8.0, 12.0, 5.0)
    1
    >>> bars.bars[["open", "high", "low", "close"]].tolist()
    [(11.0, 14.0, 8.0, 11.0)]
    """

    def __cinit__(self):
        self._open = NAN

    cdef int add_bar(
        self, int64_t ts_open, int64_t ts_close,
        double o, double h, double l, double c, double v,
    ) except -1:
        cdef BarRow* row
        self._open = 0.5 * (o + c) if isnan(self._open) else 0.5 * (self._open + self._close)
        self._close = 0.25 * (o + h + l + c)
        self.completed.n = 0
        row = self.completed.append()
        clear(row, ts_open, ts_close)
        fold(
            row, self._open, fmax(h, fmax(self._open, self._close)),
            fmin(l, fmin(self._open, self._close)), self._close, v, typical_value(h, l, c, v),
        )
        settle_vwap(row)
        return 1
