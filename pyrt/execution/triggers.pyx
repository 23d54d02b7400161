"""Orders that wait on our side: what price triggers one, and what it becomes then."""
cimport cython

from pyrt.core.events cimport clear_event
from pyrt.core.orders cimport no_price, trailing_stop_price
from pyrt.core.splits cimport split_distance, split_price, split_units
from pyrt.core.types cimport (
    EV_MODIFIED, LIMIT, LIMIT_IF_TOUCHED, MARKET, MARKET_IF_TOUCHED, MARKET_TO_LIMIT, STOP,
    TRAILING_STOP, TRAILING_STOP_LIMIT,
)


cdef Event* tell(EventQueue inbox, Order order, int kind, int64_t now, int reason) except NULL:
    """Push what happened to an order on our side; return the record to fill in."""
    cdef Event* event = inbox.push()
    clear_event(event)
    event.kind = kind
    event.order = order.number
    event.instrument = order.instrument.index
    event.ts_event = event.ts_init = now
    event.price = event.cumulative = no_price()
    event.reason = reason
    return event


cdef int split_prices(Order order, int64_t new, int64_t old) except -1:
    """Restate the prices of an order that the venue has not."""
    order.limit_price_raw = split_price(
        order.instrument, order.limit_price_raw, order.side_sign, new, old
    )
    order.stop_price_raw = split_price(
        order.instrument, order.stop_price_raw, -order.side_sign, new, old
    )
    order.trail_amount_raw = split_distance(order.trail_amount_raw, new, old)
    return 0


cdef bint trails(Order order) noexcept:
    return order.type == TRAILING_STOP or order.type == TRAILING_STOP_LIMIT


cdef int64_t units_told(EventQueue inbox, Order order) noexcept:
    """Units of an order on our side by what was told of it last, heard already or not."""
    cdef int64_t units = order.units
    cdef Event* event
    cdef Py_ssize_t i
    for i in range(inbox.count):
        event = &inbox.items[(inbox.head + i) & (inbox.capacity - 1)]
        if event.order == order.number and event.kind == EV_MODIFIED and event.quantity > 0:
            units = event.quantity
    return units


cdef bint is_told_of(EventQueue inbox, Order order) noexcept:
    """Whether something was told of an order that has not been heard yet."""
    cdef Py_ssize_t i
    for i in range(inbox.count):
        if inbox.items[(inbox.head + i) & (inbox.capacity - 1)].order == order.number:
            return True
    return False


@cython.final
cdef class Kept:
    """An order on our side, and what triggers it."""

    cdef bint meet(self, EventQueue inbox, int64_t now, int64_t low, int64_t high,
                   int64_t last) except -1:
        """Return whether prices trigger the order; else let it trail."""
        cdef Order order = self.order
        cdef bint rises = order.side_sign > 0
        if order.type == MARKET_TO_LIMIT:
            # The other side's price, now that one is there: what it does not fill rests at it.
            order.limit_price_raw = last
            self.say_terms(inbox, now)
            return True
        if order.type == LIMIT:
            # Of a pair; the other one rests at the venue.
            return low <= order.limit_price_raw if rises else high >= order.limit_price_raw
        if order.type == MARKET_IF_TOUCHED or order.type == LIMIT_IF_TOUCHED:
            return low <= order.stop_price_raw if rises else high >= order.stop_price_raw
        if order.stop_price_raw != no_price() and (
                high >= order.stop_price_raw if rises else low <= order.stop_price_raw):
            return True
        if not trails(order):
            return False
        self.follow(inbox, now, low if rises else high)
        return last >= order.stop_price_raw if rises else last <= order.stop_price_raw

    cdef int follow(self, EventQueue inbox, int64_t now, int64_t price) except -1:
        """Let the trigger follow a new best price; it never backs off."""
        cdef Order order = self.order
        cdef int64_t before
        if self.best != 0 and (price >= self.best if order.side_sign > 0 else price <= self.best):
            return 0
        if self.best == 0 and order.type == TRAILING_STOP_LIMIT:
            self.offset = order.limit_price_raw - trailing_stop_price(
                order.instrument, order.side_sign, order.trail_amount_raw,
                order.trail_percent_raw, price,
            )
        self.best = price
        before = order.stop_price_raw
        self.move_stop()
        if order.stop_price_raw != before:
            self.say_terms(inbox, now)
        return 0

    cdef int move_stop(self) except -1:
        """Put the trigger, and a limit that goes with it, behind the best price."""
        cdef Order order = self.order
        order.stop_price_raw = trailing_stop_price(
            order.instrument, order.side_sign, order.trail_amount_raw, order.trail_percent_raw,
            self.best,
        )
        if order.type == TRAILING_STOP_LIMIT:
            order.limit_price_raw = order.stop_price_raw + self.offset
        return 0

    cdef int say_terms(self, EventQueue inbox, int64_t now) except -1:
        """Announce the prices in force."""
        cdef Event* event = tell(inbox, self.order, EV_MODIFIED, now, 0)
        event.price = self.order.limit_price_raw
        event.cumulative = self.order.stop_price_raw
        return 0

    cdef int change(self, Command command) except -1:
        """Put new prices in force."""
        cdef Order order = self.order
        if command.stop_price != no_price():
            order.stop_price_raw = command.stop_price
        if command.trail != no_price():
            if order.trail_amount_raw != no_price():
                order.trail_amount_raw = command.trail
            else:
                order.trail_percent_raw = command.trail
            if self.best:
                self.move_stop()
        if command.limit_price != no_price():
            order.limit_price_raw = command.limit_price
            if self.best:
                self.offset = order.limit_price_raw - order.stop_price_raw
        return 0

    cdef bint split(self, EventQueue inbox, int64_t now, int64_t new, int64_t old) except -1:
        """Let `old` units be `new` ones; False, and nothing changed, if not a step is left."""
        cdef Order order = self.order
        cdef int64_t units = split_units(order.instrument, order.units, new, old)
        cdef Event* event
        if order.units and units == 0:
            return False
        split_prices(order, new, old)
        self.best = split_distance(self.best, new, old)
        self.offset = split_distance(self.offset, new, old)
        event = tell(inbox, order, EV_MODIFIED, now, 0)
        event.quantity = units
        event.price = order.limit_price_raw
        event.cumulative = order.stop_price_raw
        return True

    cdef int become(self, EventQueue inbox) except -1:
        """Let the order be what its trigger has made of it: a market or a limit order."""
        cdef Order order = self.order
        if order.type == LIMIT or order.type == MARKET:
            return 0
        order.type = (
            MARKET if order.type in (STOP, TRAILING_STOP, MARKET_IF_TOUCHED) else LIMIT
        )
        order.stop_price_raw = order.trail_amount_raw = order.trail_percent_raw = no_price()
        return self.forget_triggers(inbox)

    cdef int forget_triggers(self, EventQueue inbox) except -1:
        """Of terms that were told at this instant and not heard yet the trigger is no more."""
        cdef Event* event
        cdef Py_ssize_t i
        for i in range(inbox.count):
            event = &inbox.items[(inbox.head + i) & (inbox.capacity - 1)]
            if event.order == self.order.number and event.kind == EV_MODIFIED:
                event.cumulative = no_price()
        return 0
