"""What a simulated venue knows of one order and of one instrument."""
cimport cython
from libc.stdint cimport int8_t, int32_t, int64_t
from pyrt.core.book cimport OrderBook
from pyrt.core.book_feed cimport BookColumns
from pyrt.core.book_side cimport BookSide
from pyrt.core.events cimport Event
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.touch cimport is_tight

cdef list by_priority(list orders)

@cython.final
cdef class VenueOrder:
    cdef int32_t number
    """The sender's number of the order; its events carry it."""
    cdef int64_t turn
    """Its place among all orders that have come: what the sender numbered first may come later."""
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
    cdef bint guards
    """An exit of an entry, or one of a pair of exits: it leaves a position and never opens one."""
    cdef bint extended_hours
    cdef bint resizes
    cdef bint held
    cdef bint done
    cdef bint fresh
    """Just active at the price of the moment: it may take liquidity there."""
    cdef bint cancels
    """One of a pair of which the first fill, were it partial, cancels the other."""
    cdef int64_t display
    """Units shown at a time; 0 to show all."""
    cdef int64_t shown
    """Units of the part now shown that are left."""
    cdef bint queued
    """Resting in the queue of its level, `ahead` is known."""
    cdef double ahead
    """Quantity that trades before it at its price."""
    cdef double traded
    """Quantity printed at its price since its level last changed."""
    cdef double level
    """What its level showed last; below 0 where that could not be seen."""
    cdef dict ahead_ids
    """Orders ahead of it, id → units of the book, where the book shows orders; else None."""
    cdef int64_t learned
    """When the sender learns of the last event about it, where answers take their time."""
    cdef bint assured
    """A fok order for which enough has been found: it fills in several parts of one moment."""
    cdef bint blocked
    """Out of the current bar: its volume is used up, or price bands are in the way."""
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
    cdef int64_t mark
    """What one unit is worth by that: the same, but for touches that are not tight."""
    cdef int64_t last_ts
    cdef double unread_close
    """A later close that nobody has needed in 1e-9 yet; 0.0 when there is none."""
    cdef double unread_bid
    """Of a later quote with both sides that nobody has needed in 1e-9 yet; 0.0 when none is."""
    cdef double unread_ask
    cdef bint watched
    """In the venue's list of instruments with working orders."""
    cdef int64_t budget
    """Units that may still fill in the current bar."""
    cdef double volume
    """Of the bar, 0.0 where it is not known."""
    cdef int64_t open_price
    cdef int64_t high
    cdef int64_t low
    cdef int64_t close
    cdef int64_t bar
    """ts_open of the bar those prices are of."""
    cdef int64_t bar_close
    cdef int64_t opened
    """ts_open of the bar whose open has been met; INT64_MIN before the first."""
    cdef readonly OrderBook depth
    """What fills are decided from where quotes or a book decide them; else None."""
    cdef BookColumns rows
    """Book events in hand; before `known` they have come, before `applied` they are in `depth`."""
    cdef const int8_t* actions
    cdef const double* event_prices
    cdef const double* event_sizes
    cdef Py_ssize_t applied
    cdef Py_ssize_t known
    cdef bint by_order
    """`depth` shows single orders: our place among them is known exactly."""
    cdef bint quoted
    """Quotes decide fills: `depth` shows the touch, brought up to the last one when needed."""
    cdef bint prints
    """Prints take part in deciding fills."""
    cdef bint standing
    """An order that arrives meets the market as it stands; else as it is next."""
    cdef bint halted
    cdef str halt_reason
    cdef int64_t lower_band
    """Nothing trades below it or above `upper_band`, in 1e-9; without bands 0 and INT64_MAX."""
    cdef int64_t upper_band
    cdef bint has_auctions
    """Orders for the opening and the close fill in auctions of which the prices are given."""
    cdef int64_t bid_price
    """Of the last quote, 1e-9; 0 without one."""
    cdef int64_t ask_price
    cdef double bid_size
    cdef double ask_size
    cdef bint unsized
    """The feed shows no sizes (FX): nothing is known that could cap a fill."""
    cdef dict taken
    """Price times side → (size of the book when we took from it, units taken since)."""
    cdef int64_t available
    """Units that may still be sold short; INT64_MAX where that is not limited."""
    cdef readonly dict units
    """Owner → signed units held."""
    cdef const int64_t[::1] opens
    cdef const int64_t[::1] closes
    """Sessions; empty where there are none and a session is a UTC day."""
    cdef int64_t session_open
    cdef int64_t session_close
    """The session found last."""

    cdef inline bint bars(self, int64_t price) noexcept:
        """Whether price bands keep a price from trading."""
        return price < self.lower_band or price > self.upper_band
    cdef inline int note_quote(self, Event* event) except -1:
        """Keep a quote with both sides as it is: few are needed in 1e-9."""
        if not is_tight(event.values[0], event.values[2]):
            # What it lets a unit be worth depends on what came before.
            self.read_close()
        self.unread_bid = event.values[0]
        self.unread_ask = event.values[2]
        self.note_sizes(event)
        return 0
    cdef inline void note_sizes(self, Event* event) noexcept:
        """Keep what a quote shows besides its prices."""
        self.bid_size = event.values[1]
        self.ask_size = event.values[3]
        # Feeds without sizes (FX) send zeros: then nothing is known that could cap a fill.
        self.unsized = not (event.values[1] > 0.0 or event.values[3] > 0.0)
        self.last_ts = event.ts_event
    cdef int read_close(self) except -1
    cdef int take_touch(self, int64_t bid, int64_t ask) except -1
    cdef int find_session(self, int64_t ts) except -1
    cdef bint in_session(self, int64_t ts) except -1
    cdef bint has_session(self, int64_t start, int64_t end) except -1
    cdef int64_t next_open(self, int64_t ts) except? -1
    cdef int64_t end_of(self, VenueOrder order) except? -1
    cdef bint may_trade(self, VenueOrder order, int64_t now) except -1
    cdef int64_t held_by(self, int32_t owner)
    cdef int64_t add_units(self, int32_t owner, int64_t change) except? -1
    cdef int compact(self) except -1
    cdef int take_rows(self, BookColumns rows, const int8_t* actions) except -1
    cdef int catch_up(self) except -1
    cdef int64_t sized(self, double size) except? -1
    cdef int64_t to_units(self, int64_t size) except? -1
    cdef double to_quantity(self, int64_t size) noexcept
    cdef int64_t best_bid(self) noexcept
    cdef int64_t best_ask(self) noexcept
    cdef int64_t offered(self, BookSide side, int64_t price, int64_t size) except? -1
    cdef int note_taken(self, BookSide side, int64_t price, int64_t size, int64_t units) except -1
