"""The kernel's way to the simulated venue: orders become venue orders, in memory."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.backtest.book cimport VenueOrder
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Venue

cdef VenueOrder venue_order(Order order)

@cython.final
cdef class BacktestVenue(Venue):
    cdef readonly SimVenue sim
