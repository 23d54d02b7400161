"""The kernel's way to the simulated venue: orders become venue orders, in memory."""
cimport cython
from pyrt.backtest.book cimport VenueOrder
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Venue

cdef VenueOrder venue_order(Order order)
cdef VenueOrder with_exits(Order order)

@cython.final
cdef class BacktestVenue(Venue):
    cdef readonly SimVenue sim

    cdef int place(self, VenueOrder copy, Order order) except -1
