"""Slippage: how much worse than the reference price an order that takes liquidity fills."""
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument

cdef class Slippage:
    cdef int64_t ticks
    cdef int64_t rate
    """In 1e-9 of the price."""
    cdef int64_t range_share
    """In 1e-9 of the bar's high minus low."""
    cdef readonly object model
    cdef int64_t apply(self, Instrument instrument, int side, int64_t price, int64_t quantity,
                       int64_t spread) except? -1
