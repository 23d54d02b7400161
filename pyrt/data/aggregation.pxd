"""Bars made from trades, quotes or smaller bars: the base of all aggregators and their output."""
cimport cython
from libc.math cimport NAN
from libc.stdint cimport int64_t


cdef struct BarRow:
    int64_t ts_open   # start of the interval, or stamp of the first event folded in; ns UTC
    int64_t ts_close  # end of the interval, or stamp of the event that completed the bar; ns UTC
    double open
    double high
    double low
    double close
    double volume
    double vwap       # volume-weighted average price; sum of price x size until completed
    int64_t count     # trades, quotes or smaller bars folded in


@cython.final
cdef class BarRows:
    """A growable run of BarRow; pointers into it hold until the next `append`."""
    cdef BarRow* at
    cdef Py_ssize_t n
    cdef Py_ssize_t _capacity

    cdef BarRow* append(self) except NULL
    cdef int extend(self, BarRows other) except -1
    cdef int drop_first(self) except -1
    cdef object to_array(self)


cdef class Aggregator:
    cdef BarRows completed
    """Bars completed by the last call, oldest first; the next call overwrites them."""
    cdef readonly int64_t late
    """Events left out because their interval was completed before."""
    cdef readonly int64_t outside
    """Events left out because they lie outside all sessions."""
    cdef readonly int64_t next_due
    """Earliest time at which `advance` may complete a bar, ns UTC; 2**63 - 1 for none."""
    cdef int _quote_price
    """-1 bid, 0 mid, 1 ask."""

    cdef int add_bar(
        self, int64_t ts_open, int64_t ts_close,
        double o, double h, double l, double c, double v,
    ) except -1
    cdef int add_trade(self, int64_t ts, double price, double size, int aggressor) except -1
    cdef int add_quote(self, int64_t ts, double bid, double ask) except -1
    cdef int advance(self, int64_t ts) except -1
    cdef int finish(self) except -1


cdef inline void clear(BarRow* bar, int64_t ts_open, int64_t ts_close) noexcept:
    """Make an empty bar; `fold` sets its prices."""
    bar.ts_open = ts_open
    bar.ts_close = ts_close
    bar.open = bar.high = bar.low = bar.close = NAN
    bar.volume = bar.vwap = 0.0
    bar.count = 0


cdef inline void fold(
    BarRow* bar, double o, double h, double l, double c, double volume, double value
) noexcept:
    """Add a bar, or a trade as a bar of one price; `value` is its price x size."""
    if bar.count == 0:
        bar.open = o
        bar.high = h
        bar.low = l
    else:
        if h > bar.high:
            bar.high = h
        if l < bar.low:
            bar.low = l
    bar.close = c
    bar.volume += volume
    bar.vwap += value
    bar.count += 1


cdef inline void settle_vwap(BarRow* bar) noexcept:
    """Turn the sum of price x size into the average, NaN where nothing was traded."""
    if bar.volume > 0.0:
        bar.vwap /= bar.volume
    else:
        bar.vwap = NAN


cdef inline double typical_value(double h, double l, double c, double volume) noexcept:
    """Value of a bar whose trades are unknown: typical price (h + l + c) / 3 times volume."""
    return (h + l + c) / 3.0 * volume
