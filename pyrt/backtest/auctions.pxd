"""Auctions: one price at which what waits for them trades."""
from libc.stdint cimport int64_t
from pyrt.backtest.book cimport VenueBook
from pyrt.backtest.venue cimport SimVenue

cdef int meet_auction(SimVenue venue, VenueBook book, int64_t price, int64_t units,
                      int64_t now) except -1
cdef int reopen(SimVenue venue, VenueBook book, int64_t price, int64_t units,
                int64_t now) except -1
