"""Matching on bars: a bar is two moments, its open and the path to its close."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.venue cimport SimVenue

@cython.final
cdef class BarMatcher:
    cdef SimVenue venue
    cdef int64_t ts_open
    """Of the bar being matched."""
    cdef int64_t ts_close
    cdef int64_t ts
    """Time of the moment being matched: that bar's open, or its close with the path to it."""
    cdef bint doubted
    """The bar is counted as ambiguous for the owner being walked."""
    cdef int take_bar(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                      const double* prices) except -1
    cdef int turn_to(self, VenueBook book, int64_t ts) except -1
    cdef int begin_open(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                        const double* prices) except -1
    cdef int end_open(self, VenueBook book) except -1
    cdef int open(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                  const double* prices) except -1
    cdef int close(self, VenueBook book, int64_t ts_open, int64_t ts_close,
                   const double* prices) except -1
    cdef inline int pass_by(
        self, VenueBook book, int32_t index, int64_t ts_close, double close
    ) except -1:
        """A bar that no order waits for: only the mark of what is held needs its close now."""
        book.unread_close = close
        book.last_ts = ts_close
        if self.venue.account.holdings[index].units != 0:
            book.read_close()
            self.venue.account.set_mark(index, book.last_price)
        return 0
    cdef int note_price(self, VenueBook book, int64_t price, int64_t ts) except -1
    cdef bint takes_part(self, VenueBook book, VenueOrder order) except -1
    cdef int let_trail(self, VenueBook book, int64_t price) except -1
    cdef int meet_open(self, VenueBook book, VenueOrder order) except -1
    cdef bint reaches(self, VenueOrder order, int64_t price) noexcept
    cdef int64_t stamp(self, VenueOrder order) noexcept
    cdef int64_t span(self) noexcept
    cdef int take(self, VenueBook book, VenueOrder order, int64_t price) except -1
    cdef int walk(self, VenueBook book, int32_t owner) except -1
    cdef bint high_first(self, VenueBook book, int32_t owner) except -1
    cdef int64_t segment(self, VenueBook book, int32_t owner, int64_t start, int64_t end,
                         bint may_turn) except? -1
    cdef VenueOrder nearest(self, VenueBook book, int32_t owner, int64_t start, int64_t end)
    cdef int64_t trigger(self, VenueOrder order, int64_t start, int64_t end) except? -1
    cdef int meet(self, VenueBook book, VenueOrder order, int64_t price) except -1
    cdef int note_doubt(self, VenueBook book, int32_t owner) except -1
    cdef int note_doubt_after(self, VenueBook book, int32_t owner, int64_t at, bint up) except -1
    cdef int meet_close(self, VenueBook book) except -1

cdef list in_order_of_arrival(list books)
