"""Matching on trades, where nothing shows what rests."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.events cimport Event

@cython.final
cdef class TickMatcher:
    cdef SimVenue venue
    cdef int meet(self, VenueBook book, Event* event, int64_t now) except -1
    cdef int meet_order(self, VenueBook book, VenueOrder order, int64_t before,
                        int64_t price) except -1
    cdef bint trigger(self, VenueOrder order, int64_t price) except -1
