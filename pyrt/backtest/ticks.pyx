"""Matching on quotes and trades.

A quote offers its displayed sizes on both sides: buys take the ask, sells the bid, up to that
size. A trade shows that its price was available: resting orders that it goes through fill at
their own price, up to its size; market orders fill at the trade's price where no quotes are.
"""
cimport cython
from libc.stdint cimport INT64_MAX

from pyrt.core.numbers cimport nano_from_double
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport (
    CLS, EV_CANCELED, EV_QUOTE, EV_TRIGGERED, FOK, IOC, LIMIT, LIMIT_IF_TOUCHED, MAKER, MARKET,
    MARKET_IF_TOUCHED, OPG, STOP, TAKER, TRAILING_STOP,
)


@cython.final
cdef class TickMatcher:
    """Meets waiting orders with each quote or trade of their instrument."""

    def __init__(self, SimVenue venue):
        self.venue = venue

    cdef int meet(self, VenueBook book, Event* event, int64_t now) except -1:
        self.venue.now = now
        if event.kind == EV_QUOTE:
            return self.meet_quote(book, event)
        return self.meet_trade(book, event)

    cdef int meet_quote(self, VenueBook book, Event* event) except -1:
        cdef int64_t bid = nano_from_double(event.values[0]) if event.values[0] > 0.0 else 0
        cdef int64_t ask = nano_from_double(event.values[2]) if event.values[2] > 0.0 else INT64_MAX
        cdef int64_t bid_units, ask_units
        cdef VenueOrder order
        if bid == 0 or ask == INT64_MAX:
            return 0
        book.last_price = bid + (ask - bid) // 2
        book.last_ts = event.ts_event
        book.high, book.low = ask, bid
        self.venue.account.set_mark(book.instrument.index, book.last_price)
        if not book.watched:
            return 0
        # Feeds without sizes (FX) send zeros: then nothing is known that could cap a fill.
        bid_units = book.instrument.volume_units(event.values[1]) or INT64_MAX
        ask_units = book.instrument.volume_units(event.values[3]) or INT64_MAX
        for order in list(book.orders):
            if order.done or order.arrival > self.venue.now:
                continue
            book.budget = ask_units if order.side > 0 else bid_units
            self.try_at(book, order, bid, ask)
            if order.side > 0:
                ask_units = book.budget
            else:
                bid_units = book.budget
        return 0

    cdef int try_at(self, VenueBook book, VenueOrder order, int64_t bid, int64_t ask) except -1:
        """Meet one order with a two-sided market."""
        cdef int64_t price = ask if order.side > 0 else bid
        if order.tif == CLS or (order.tif == OPG and self.venue.now < order.not_before) or not (
                order.extended_hours or book.in_session(self.venue.now)):
            return 0
        self.trigger(order, bid, ask)
        if order.type == MARKET:
            self.venue.execute(book, order, self.venue.slippage.apply(
                order.instrument, order.side, price, order.leaves(), ask - bid
            ), self.venue.now, TAKER, 0)
        elif order.type == LIMIT and (
                price <= order.limit_price if order.side > 0 else price >= order.limit_price):
            # A resting limit is met at its own price, one that arrives takes the quote's.
            self.venue.execute(
                book, order, price if order.fresh else order.limit_price, self.venue.now,
                TAKER if order.fresh else MAKER, 0,
            )
        order.fresh = False
        if not order.done and order.tif in (IOC, FOK, OPG):
            self.venue.finish(order, EV_CANCELED, "time_in_force: no more could be filled at once")
        return 0

    cdef int trigger(self, VenueOrder order, int64_t bid, int64_t ask) except -1:
        """Let triggers follow and fire: buys look at the ask, sells at the bid."""
        cdef int64_t price = ask if order.side > 0 else bid
        cdef bint hit
        if order.type in (LIMIT, MARKET):
            return 0
        if order.type in (MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED):
            hit = price <= order.stop_price if order.side > 0 else price >= order.stop_price
        else:
            hit = order.stop_price != no_price() and (
                price >= order.stop_price if order.side > 0 else price <= order.stop_price
            )
            if not hit and order.trails():
                order.follow(price)
        if not hit:
            return 0
        if order.type in (STOP, TRAILING_STOP, MARKET_IF_TOUCHED):
            order.type = MARKET
        else:
            order.type = LIMIT
            order.fresh = True
        return self.venue.say(order, EV_TRIGGERED, None)

    cdef int meet_trade(self, VenueBook book, Event* event) except -1:
        cdef int64_t price = nano_from_double(event.values[0])
        cdef VenueOrder order
        cdef bint quoted = book.high > 0
        book.last_ts = event.ts_event
        if not quoted:
            book.last_price = price
            self.venue.account.set_mark(book.instrument.index, price)
        if not book.watched:
            return 0
        book.budget = book.instrument.volume_units(event.values[1])
        for order in list(book.orders):
            if order.done or order.arrival > self.venue.now or order.issued >= self.venue.now:
                continue
            if quoted and order.type != LIMIT:
                continue
            if order.type == LIMIT:
                if price < order.limit_price if order.side > 0 else price > order.limit_price:
                    self.venue.execute(
                        book, order, order.limit_price, self.venue.now, MAKER, 0
                    )
            else:
                self.try_at(book, order, price, price)
        return 0
