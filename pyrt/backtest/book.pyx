"""What a simulated venue knows of one order and of one instrument."""
cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN

from pyrt.core.book_side cimport BookSide
from pyrt.core.int128 cimport TOWARD_ZERO, i128_muldiv, i128_to_i64
from pyrt.core.numbers cimport POWERS_OF_TEN, nano_from_double
from pyrt.core.orders cimport trailing_stop_price
from pyrt.core.types cimport CLS, DAY, GTD, LIMIT, OPG, TRAILING_STOP, TRAILING_STOP_LIMIT

import numpy as np

cdef int64_t DAY_NS = 86_400_000_000_000
cdef int64_t AUCTION_GRACE_NS = 1_800_000_000_000


cdef list by_priority(list orders):
    """Our own working orders as a venue ranks them: by price, then by time."""
    cdef VenueOrder order
    cdef Py_ssize_t i
    if len(orders) < 2:
        return list(orders)
    ranked = []
    for i in range(len(orders)):
        order = <VenueOrder>orders[i]
        # Who takes any price comes first; at one price the list is in order of time.
        at = -order.side * order.limit_price if order.type == LIMIT else -INT64_MAX
        ranked.append((at, i, order))
    ranked.sort()
    return [order for _, _, order in ranked]


@cython.final
@cython.freelist(32)
cdef class VenueOrder:
    """An order as the venue sees it."""

    def __cinit__(self):
        self.room = INT64_MAX
        self.woken = self.skips = self.misses = INT64_MIN

    cdef int64_t leaves(self) noexcept:
        """What may still fill; of a child, no more than its parent has filled and left open."""
        cdef int64_t rest = self.units - self.filled
        return rest if rest < self.room else self.room

    cdef bint waits(self) noexcept:
        """Whether a market may meet it: at work, with something left to fill."""
        if self.done or self.held or self.blocked:
            return False
        # An order by notional has no quantity before its first execution.
        return self.leaves() > 0 or (self.units == 0 and self.notional != 0)

    cdef bint trails(self) noexcept:
        return self.type == TRAILING_STOP or self.type == TRAILING_STOP_LIMIT

    cdef int64_t trail_stop(self, int64_t price) except? -1:
        return trailing_stop_price(
            self.instrument, self.side, self.trail_amount, self.trail_percent, price
        )

    cdef bint follow(self, int64_t price) except -1:
        """Let the trigger follow a new best price; whether it moved. It never backs off."""
        cdef int64_t stop
        if self.best != 0 and (price <= self.best if self.side < 0 else price >= self.best):
            return False
        stop = self.trail_stop(price)
        if self.best == 0 and self.type == TRAILING_STOP_LIMIT:
            self.limit_offset = self.limit_price - stop
        self.best = price
        if stop == self.stop_price:
            return False
        self.stop_price = stop
        if self.type == TRAILING_STOP_LIMIT:
            self.limit_price = stop + self.limit_offset
        return True


@cython.final
cdef class VenueBook:
    """Working orders, last prices and sessions of one instrument."""

    def __init__(self, Instrument instrument, sessions=None):
        self.instrument = instrument
        self.orders = []
        self.units = {}
        self.opened = INT64_MIN
        self.budget = INT64_MAX
        self.last_ts = INT64_MIN
        self.session_close = INT64_MIN
        self.available = self.upper_band = INT64_MAX
        self.taken = {}
        opens, closes = sessions if sessions is not None else ((), ())
        self.opens = np.ascontiguousarray(opens, np.int64)
        self.closes = np.ascontiguousarray(closes, np.int64)

    cdef int read_close(self) except -1:
        if self.unread_close != 0.0:
            self.last_price = self.mark = nano_from_double(self.unread_close)
            self.unread_close = 0.0
        if self.unread_bid != 0.0:
            self.bid_price = nano_from_double(self.unread_bid)
            self.ask_price = nano_from_double(self.unread_ask)
            self.take_touch(self.bid_price, self.ask_price)
            self.unread_bid = 0.0
        return 0

    cdef int take_touch(self, int64_t bid, int64_t ask) except -1:
        """Let the middle of a touch be the last price, and the mark where it is tight."""
        self.last_price = bid + (ask - bid) // 2
        self.high, self.low = ask, bid
        if self.mark == 0 or is_tight(<double>bid, <double>ask):
            self.mark = self.last_price
        elif bid <= ask:
            self.mark = min(max(self.mark, bid), ask)
        return 0

    cdef int find_session(self, int64_t ts) except -1:
        """Set the session that holds `ts` or comes next; a close belongs to what follows."""
        cdef Py_ssize_t i
        if self.session_open <= ts < self.session_close:
            return 0
        if self.closes.shape[0] == 0:
            self.session_open = ts - ts % DAY_NS
            self.session_close = self.session_open + DAY_NS
            return 0
        i = np.searchsorted(self.closes, ts, side="right")
        if i == self.closes.shape[0]:
            self.session_open = self.session_close = INT64_MAX
        else:
            self.session_open = self.opens[i]
            self.session_close = self.closes[i]
        return 0

    cdef bint in_session(self, int64_t ts) except -1:
        if self.closes.shape[0] == 0:
            return True
        self.find_session(ts)
        return self.session_open <= ts

    cdef bint has_session(self, int64_t start, int64_t end) except -1:
        """Whether [start, end) holds a part of a session: bars may begin before it opens."""
        if self.closes.shape[0] == 0:
            return True
        self.find_session(start)
        return self.session_open < end

    cdef int64_t next_open(self, int64_t ts) except? -1:
        """The first session open at or after `ts`; INT64_MAX after the last."""
        cdef Py_ssize_t i
        if self.closes.shape[0] == 0:
            return -(-ts // DAY_NS) * DAY_NS
        i = np.searchsorted(self.opens, ts, side="left")
        return INT64_MAX if i == self.opens.shape[0] else self.opens[i]

    cdef int64_t end_of(self, VenueOrder order) except? -1:
        """When an order's time in force ends; sets which opening it is for."""
        if order.ends:
            return order.ends
        if order.tif == GTD:
            return order.expires
        if order.tif == DAY or order.tif == CLS:
            self.find_session(order.arrival)
            if order.tif == CLS and self.has_auctions and self.session_close < INT64_MAX:
                # A closing auction is printed after the session's last moment.
                return self.session_close + AUCTION_GRACE_NS
            return self.session_close
        if order.tif == OPG:
            order.not_before = self.next_open(order.arrival)
            if order.not_before == INT64_MAX:
                return order.arrival
            self.find_session(order.not_before)
            return self.session_close
        return INT64_MAX

    cdef bint may_trade(self, VenueOrder order, int64_t now) except -1:
        """Whether an order is here, and its session is."""
        if order.done or order.held or order.arrival > now or self.halted:
            return False
        if order.tif == CLS or (order.tif == OPG and (
                self.has_auctions or now < order.not_before)):
            return False
        return order.extended_hours or self.in_session(now)

    cdef int64_t held_by(self, int32_t owner):
        return self.units.get(owner, 0)

    cdef int64_t add_units(self, int32_t owner, int64_t change) except? -1:
        """Change what an owner holds; return it."""
        cdef int64_t units = self.units.get(owner, 0) + change
        self.units[owner] = units
        return units

    cdef int compact(self) except -1:
        """Drop what is done."""
        cdef Py_ssize_t i
        for i in range(len(self.orders)):
            if (<VenueOrder>self.orders[i]).done:
                self.orders = [o for o in self.orders if not (<VenueOrder>o).done]
                return 0
        return 0

    # -- what the market shows -----------------------------------------------------------------

    cdef int take_rows(self, BookColumns rows, const int8_t* actions) except -1:
        """Go on with other rows of book events; what has come of the old ones is applied."""
        self.catch_up()
        self.rows = rows
        self.actions = actions
        self.applied = self.known = 0
        return 0

    cdef int catch_up(self) except -1:
        """Bring `depth` up to the events that have come while no order needed it."""
        if self.quoted:
            self.read_close()
            self.depth.set_quote(1, self.bid_price, self.sized(self.bid_size))
            self.depth.set_quote(-1, self.ask_price, self.sized(self.ask_size))
            if self.bid_price == 0:
                self.depth.bid_side.clear()
            if self.ask_price == 0:
                self.depth.ask_side.clear()
        elif self.applied < self.known:
            self.depth.apply_columns(self.rows, self.applied, self.known)
            self.applied = self.known
        return 0

    cdef int64_t sized(self, double size) except? -1:
        """A quote's size in the unit of `depth`."""
        return INT64_MAX if self.unsized else self.instrument.volume_units(size)

    cdef int64_t to_units(self, int64_t size) except? -1:
        """A size of `depth` in units of the instrument; parts of a unit are nobody's."""
        cdef int finer = self.instrument.decimals - self.depth.size_decimals
        if finer == 0 or size == INT64_MAX:
            return size
        if finer < 0:
            return size // POWERS_OF_TEN[-finer]
        return i128_to_i64(i128_muldiv(size, POWERS_OF_TEN[finer], 1, TOWARD_ZERO))

    cdef double to_quantity(self, int64_t size) noexcept:
        return <double>size / <double>POWERS_OF_TEN[self.depth.size_decimals]

    cdef int64_t best_bid(self) noexcept:
        """In 1e-9; 0 where there is none."""
        return self.depth.bid_side.best_price() if self.depth.bid_side.count else 0

    cdef int64_t best_ask(self) noexcept:
        """In 1e-9; INT64_MAX where there is none."""
        return self.depth.ask_side.best_price() if self.depth.ask_side.count else INT64_MAX

    cdef int64_t offered(self, BookSide side, int64_t price, int64_t size) except? -1:
        """Units at a level that are not taken by us already.

        What we took stays taken until the level shows another size.
        """
        cdef int64_t units = self.to_units(size), shown, used
        found = self.taken.get(price * side.sign) if self.taken else None
        if found is None:
            return units
        shown, used = found
        if shown != size:
            del self.taken[price * side.sign]
            return units
        return units - used if units > used else 0

    cdef int note_taken(self, BookSide side, int64_t price, int64_t size, int64_t units) except -1:
        found = self.taken.get(price * side.sign)
        before = found[1] if found is not None and found[0] == size else 0
        self.taken[price * side.sign] = (size, before + units)
        return 0
