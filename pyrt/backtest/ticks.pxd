"""Matching on quotes and trades."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.events cimport Event

@cython.final
cdef class TickMatcher:
    cdef SimVenue venue
    cdef int meet(self, VenueBook book, Event* event, int64_t now) except -1
    cdef int meet_quote(self, VenueBook book, Event* event) except -1
    cdef int meet_trade(self, VenueBook book, Event* event) except -1
    cdef int try_at(self, VenueBook book, VenueOrder order, int64_t bid, int64_t ask) except -1
    cdef int trigger(self, VenueOrder order, int64_t bid, int64_t ask) except -1
