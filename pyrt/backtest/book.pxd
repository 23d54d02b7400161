"""What a simulated venue knows of one order and of one instrument."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128

@cython.final
cdef class VenueOrder:
    cdef int32_t number
    """The sender's number of the order; its events carry it."""
    cdef int32_t owner
    """Whose order: one owner's orders in an instrument share a position and a path."""
    cdef int32_t index
    """Dense index of the instrument."""
    cdef Instrument instrument
    cdef int side
    cdef int ordered
    """Its type as it was sent."""
    cdef int type
    """What it is now: a triggered stop is a market order, a triggered stop-limit a limit order."""
    cdef int tif
    cdef int64_t units
    cdef int64_t filled
    cdef int64_t limit_price
    cdef int64_t stop_price
    cdef int64_t trail_amount
    cdef int64_t trail_percent
    cdef int64_t limit_offset
    """Trailing stop-limit: limit minus stop, kept while the stop trails."""
    cdef int64_t best
    """Trailing orders: best price seen since activation; 0 before."""
    cdef int128 notional
    cdef int64_t room
    """Children: units that the parent has filled and the pair has not left yet; INT64_MAX without
    a parent."""
    cdef int64_t issued
    cdef int64_t arrival
    """`issued` plus latency."""
    cdef int64_t effective
    """When the sender's last command about it takes effect; nothing is stamped before."""
    cdef int64_t woken
    """Children: when their entry's first fill set them to work; INT64_MIN before."""
    cdef int64_t skips
    """ts_open of a bar it takes no part in; INT64_MIN for none."""
    cdef int64_t misses
    """ts_open of a bar whose open was over when it came; INT64_MIN for none."""
    cdef int64_t expires
    """When a day, gtd, opg or cls order ends; INT64_MAX for none."""
    cdef int64_t ends
    """When it ends, where the rules of the venue say so; 0 where the time in force does."""
    cdef int64_t not_before
    """Opening orders: the session open they are for."""
    cdef bint post_only
    cdef bint reduce_only
    cdef bint extended_hours
    cdef bint resizes
    cdef bint held
    cdef bint done
    cdef bint fresh
    """Just active at the price of the moment: it may take liquidity there."""
    cdef bint blocked
    """Out of the current bar: its volume is used up."""
    cdef VenueOrder take_profit
    cdef VenueOrder stop_loss
    cdef VenueOrder sibling

    cdef int64_t leaves(self) noexcept
    cdef bint waits(self) noexcept
    cdef bint trails(self) noexcept
    cdef int64_t trail_stop(self, int64_t price) except? -1
    cdef bint follow(self, int64_t price) except -1

@cython.final
cdef class VenueBook:
    cdef readonly Instrument instrument
    cdef list orders
    """Working orders, oldest first; held children are not among them."""
    cdef int64_t last_price
    """Last price the venue saw, in 1e-9; 0 before the first."""
    cdef int64_t last_ts
    cdef double unread_close
    """A later close that nobody has needed in 1e-9 yet; 0.0 when there is none."""
    cdef bint watched
    """In the venue's list of instruments with working orders."""
    cdef int64_t budget
    """Units that may still fill in the current bar."""
    cdef int64_t open_price
    cdef int64_t high
    cdef int64_t low
    cdef int64_t close
    cdef int64_t bar
    """ts_open of the bar those prices are of."""
    cdef int64_t bar_close
    cdef int64_t opened
    """ts_open of the bar whose open has been met; INT64_MIN before the first."""
    cdef readonly dict units
    """Owner → signed units held."""
    cdef const int64_t[::1] opens
    cdef const int64_t[::1] closes
    """Sessions; empty where there are none and a session is a UTC day."""
    cdef int64_t session_open
    cdef int64_t session_close
    """The session found last."""

    cdef int read_close(self) except -1
    cdef int find_session(self, int64_t ts) except -1
    cdef bint in_session(self, int64_t ts) except -1
    cdef bint has_session(self, int64_t start, int64_t end) except -1
    cdef int64_t next_open(self, int64_t ts) except? -1
    cdef int64_t end_of(self, VenueOrder order) except? -1
    cdef int64_t held_by(self, int32_t owner)
    cdef int add_units(self, int32_t owner, int64_t change) except -1
    cdef int compact(self) except -1
