"""Market data as handlers see it: immutable views made one per event."""
cimport cython
from libc.stdint cimport int64_t

@cython.final
@cython.no_gc
cdef class Bar:
    cdef readonly str symbol
    cdef readonly str timeframe
    cdef readonly double open
    cdef readonly double high
    cdef readonly double low
    cdef readonly double close
    cdef readonly double volume
    cdef readonly int64_t ts_open
    """Start of the interval, ns UTC."""
    cdef readonly int64_t ts_event
    """End of the interval: a bar is stamped at its close, ns UTC."""
    cdef readonly int64_t ts_init
    """When it reached us, ns UTC."""

@cython.final
@cython.no_gc
cdef class Quote:
    cdef readonly str symbol
    cdef readonly double bid_price
    cdef readonly double bid_size
    cdef readonly double ask_price
    cdef readonly double ask_size
    cdef readonly int64_t ts_event
    cdef readonly int64_t ts_init

@cython.final
@cython.no_gc
cdef class Trade:
    cdef readonly str symbol
    cdef readonly double price
    cdef readonly double size
    cdef readonly int aggressor
    """1 buyer, -1 seller, 0 unknown."""
    cdef readonly int64_t ts_event
    cdef readonly int64_t ts_init

@cython.final
@cython.no_gc
cdef class BookDelta:
    cdef readonly str symbol
    cdef readonly str action
    cdef readonly str side
    """"B" or "A"."""
    cdef readonly double price
    cdef readonly double size
    cdef readonly int64_t order_id
    cdef readonly int flags
    """1 snapshot, 2 last of its message."""
    cdef readonly int64_t sequence
    cdef readonly int64_t ts_event
    cdef readonly int64_t ts_init

@cython.final
@cython.no_gc
cdef class Status:
    cdef readonly str symbol
    cdef readonly str status
    """"trading", "halted", "paused", "closed"."""
    cdef readonly str reason
    cdef readonly int64_t ts_event
    cdef readonly int64_t ts_init

@cython.final
@cython.no_gc
cdef class CorporateAction:
    cdef readonly str symbol
    cdef readonly str kind
    """"split" or "dividend"."""
    cdef readonly int64_t numerator
    """New shares ..."""
    cdef readonly int64_t denominator
    """... for this many old ones; 1 for 1 where it is no split."""
    cdef readonly double amount
    """Cash per share in the quote currency, 0.0 for a split."""
    cdef readonly int64_t ts_event
    """When it takes effect: before the first trade of the ex-date."""
    cdef readonly int64_t ts_init

@cython.final
cdef class CustomData:
    cdef readonly str name
    cdef readonly object value
    cdef readonly int64_t ts_event
    cdef readonly int64_t ts_init

@cython.final
@cython.no_gc
cdef class Signal:
    cdef readonly str symbol
    cdef readonly str side
    cdef readonly double quantity
    cdef readonly double confidence
    """0 to 1."""
    cdef readonly int64_t ts_event
