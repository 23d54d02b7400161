"""Orders that hang together at a simulated venue: exits of an entry, pairs, and their ends."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.means cimport Means
from pyrt.backtest.voice cimport VenueVoice

cpdef enum ChildRule:
    """When the children of a limit or stop entry begin to work.

    `REST_OF_BAR`: at once, on the rest of the path. `NEXT_BAR`: with the bar after, save for a
    target beyond a stop entry in a bar that does not reach the stop-loss. Those of a market order,
    which is filled at an open or a close, work at once under both.
    """
    REST_OF_BAR = 0
    NEXT_BAR = 1

cdef bint target_is_certain(VenueBook book, VenueOrder order) noexcept

cdef class VenueFamilies(VenueVoice):
    cdef Means means
    cdef readonly list books
    cdef readonly int child_rule
    cdef dict live
    """Number → VenueOrder, for all that are not done."""
    cdef int64_t arrivals
    """Orders that have come so far."""
    cdef readonly dict waiting
    """Indexes of the instruments with working orders, as keys."""

    @cython.final
    cdef int enroll(self, VenueOrder order) except -1

    @cython.final
    cdef int hold(self, VenueOrder parent) except -1

    @cython.final
    cdef int activate(self, VenueOrder order, int64_t price) except -1

    @cython.final
    cdef int watch(self, int32_t index) except -1

    @cython.final
    cdef int after_fill(self, VenueBook book, VenueOrder order, int64_t quantity,
                        int64_t net) except -1

    @cython.final
    cdef int wake_children(self, VenueBook book, VenueOrder order, int64_t quantity) except -1

    @cython.final
    cdef int end_exits(self, VenueBook book, int32_t owner, int64_t held) except -1
    cdef int finish(self, VenueOrder order, int kind, str reason) except -1

    @cython.final
    cdef int settle_children(self, VenueOrder order) except -1
