"""Slippage: how much worse than the reference price an order that takes liquidity fills."""
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument

cdef class Slippage:
    cdef int64_t ticks
    cdef int64_t tick
    """Of instruments that state none; 0 for none."""
    cdef int64_t rate
    """In 1e-9 of the price."""
    cdef int64_t range_share
    """In 1e-9 of the bar's high minus low."""
    cdef double root
    """Share of the price at which an order as large as the volume fills worse, by its root ..."""
    cdef double linear
    """... in proportion to its share of the volume ..."""
    cdef double square
    """... and with the square of that share."""
    cdef readonly object model
    cdef int64_t apply(self, Instrument instrument, int side, int64_t price, int64_t quantity,
                       int64_t spread, double volume) except? -1
