"""Matching with a market that shows its depth: quotes, books of levels, books of orders."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.feed cimport Cursor
from pyrt.backtest.venue cimport Matcher, SimVenue
from pyrt.core.book_side cimport BookSide
from pyrt.core.events cimport Event

@cython.final
cdef class DepthMatcher(Matcher):
    cdef SimVenue venue
    cdef int64_t bid
    """Best bid of the market being met, 1e-9; 0 where there is none."""
    cdef int64_t ask
    """Best ask of it; INT64_MAX where there is none."""

    cdef int meet_quote(self, VenueBook book, Event* event, int64_t now) except -1
    cdef int meet_batch(self, VenueBook book, Cursor cursor, Event* event, int64_t now) except -1
    cdef int meet_print(self, VenueBook book, Event* event, int64_t now) except -1
    cdef int mark(self, VenueBook book) except -1
    cdef bint look(self, VenueBook book) except -1
    cdef int cross(self, VenueBook book) except -1
    cdef int meet(self, VenueBook book, VenueOrder order) except -1
    cdef int trigger(self, VenueOrder order) except -1
    cdef bint marketable(self, VenueOrder order) noexcept
    cdef int take(self, VenueBook book, VenueOrder order) except -1
    cdef int give(self, VenueBook book, VenueOrder order) except -1
    cdef int walk(self, VenueBook book, VenueOrder order, int64_t price, int liquidity) except -1
    cdef int64_t reachable(self, VenueBook book, VenueOrder order) except? -1
    cdef BookSide facing(self, VenueBook book, VenueOrder order)
    cdef int replay(self, VenueBook book, Py_ssize_t start, Py_ssize_t stop) except -1
    cdef int follow_event(self, VenueBook book, Py_ssize_t i) except -1
    cdef int executed(self, VenueBook book, Py_ssize_t i, int64_t order_id) except -1
    cdef int fill_from(self, VenueBook book, VenueOrder order, int64_t units,
                       int64_t* budget) except -1
