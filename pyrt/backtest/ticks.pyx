"""Matching on trades, where nothing shows what rests.

A trade shows that its price was available: resting orders that it goes through fill at their
own price, up to its size, and market orders fill at the trade's price.
"""
cimport cython
from libc.stdint cimport INT64_MAX

from pyrt.backtest.book cimport by_priority
from pyrt.backtest.venue cimport crosses
from pyrt.core.numbers cimport nano_from_double
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport (
    CLS, EV_CANCELED, EV_TRIGGERED, FOK, IOC, LIMIT, LIMIT_IF_TOUCHED, MAKER, MARKET,
    MARKET_IF_TOUCHED, MARKET_TO_LIMIT, OPG, TAKER,
)


@cython.final
cdef class TickMatcher:
    """Meets waiting orders with each trade of their instrument."""

    def __init__(self, SimVenue venue):
        self.venue = venue

    cdef int meet(self, VenueBook book, Event* event, int64_t now) except -1:
        cdef int64_t price = nano_from_double(event.values[0])
        cdef VenueOrder order
        cdef double share = self.venue.participation
        self.venue.now = now
        book.last_ts = event.ts_event
        book.last_price = price
        book.volume = event.values[1]
        self.venue.account.set_mark(book.instrument.index, price)
        if not book.watched or book.halted:
            return 0
        book.budget = book.instrument.volume_units(
            event.values[1] if share == 0.0 else event.values[1] * share
        )
        for order in by_priority(book.orders):
            if not (order.done or order.arrival > now or order.issued >= now):
                self.meet_order(book, order, price)
                order.blocked = False
        book.budget = INT64_MAX
        return 0

    cdef int meet_order(self, VenueBook book, VenueOrder order, int64_t price) except -1:
        """Let one order that was here before meet a trade."""
        cdef SimVenue venue = self.venue
        if order.tif == CLS or (order.tif == OPG and venue.now < order.not_before) or not (
                order.extended_hours or book.in_session(venue.now)):
            return 0
        if order.type == LIMIT and order.tif != OPG:
            if crosses(order, price, venue.touch_fills):
                venue.execute(book, order, order.limit_price, venue.now, MAKER, 0)
        elif order.type == LIMIT or self.trigger(order, price):
            # It takes the print's price: a stop-limit just triggered, or an order for the opening.
            if price <= order.limit_price if order.side > 0 else price >= order.limit_price:
                price = venue.worsened(order, price, 0, book.volume)
                venue.execute(book, order, price, venue.now, TAKER, 0)
        if order.type == MARKET_TO_LIMIT:
            venue.turn_to_limit(order, price)
            venue.execute(book, order, price, venue.now, TAKER, 0)
        elif order.type == MARKET:
            price = venue.worsened(order, price, 0, book.volume)
            venue.execute(book, order, price, venue.now, TAKER, 0)
        order.fresh = False
        if not order.done and order.tif in (IOC, FOK, OPG):
            venue.finish(order, EV_CANCELED, "time_in_force: no more could be filled at once")
        return 0

    cdef bint trigger(self, VenueOrder order, int64_t price) except -1:
        """Let triggers follow and fire; whether the order is a limit order from now on."""
        cdef bint hit
        if order.type in (LIMIT, MARKET, MARKET_TO_LIMIT):
            return False
        if order.type in (MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED):
            hit = price <= order.stop_price if order.side > 0 else price >= order.stop_price
        else:
            hit = order.stop_price != no_price() and (
                price >= order.stop_price if order.side > 0 else price <= order.stop_price
            )
            if not hit and order.trails() and order.follow(price):
                self.venue.say_terms(order)
        if not hit:
            return False
        self.venue.turn(order)
        self.venue.say(order, EV_TRIGGERED, None)
        return order.type == LIMIT
