"""Matching on trades, where nothing shows what rests.

A trade shows that its price was available: resting orders that it goes through fill at their
own price, up to its size, and market orders fill at the trade's price. So do limit orders that the
last trade was beyond when they came: they found a market that they take from.
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


cdef bint takes_first(VenueOrder order, int64_t before) noexcept:
    """Whether a limit order found a market beyond it: it does not rest there, and makes nothing.

    One that came before any trade meets the first as it meets a bar's open.
    """
    return order.fresh and not order.post_only and (before == 0 or crosses(order, before, False))


@cython.final
cdef class TickMatcher:
    """Meets waiting orders with each trade of their instrument."""

    def __init__(self, SimVenue venue):
        self.venue = venue

    cdef int meet(self, VenueBook book, Event* event, int64_t now) except -1:
        cdef int64_t price = nano_from_double(event.values[0]), before = book.last_price
        cdef VenueOrder order
        cdef double share = self.venue.participation
        self.venue.now = now
        book.last_ts = event.ts_event
        book.last_price = book.mark = price
        book.volume = event.values[1]
        self.venue.account.set_mark(book.instrument.index, price)
        if not book.watched or book.halted:
            return 0
        book.budget = book.instrument.volume_units(
            event.values[1] if share == 0.0 else event.values[1] * share
        )
        for order in by_priority(book.orders):
            if not (order.done or order.arrival > now or order.issued >= now):
                self.meet_order(book, order, before, price)
                order.blocked = False
        book.budget = INT64_MAX
        return 0

    cdef int meet_order(self, VenueBook book, VenueOrder order, int64_t before,
                        int64_t price) except -1:
        """Let one order that was here before meet a trade; the last one was at `before`."""
        cdef SimVenue venue = self.venue
        cdef int64_t taken
        cdef bint takes = order.type != LIMIT or order.tif == OPG or takes_first(order, before)
        if order.tif == CLS or (order.tif == OPG and venue.now < order.not_before) or not (
                order.extended_hours or book.in_session(venue.now)):
            return 0
        if not takes:
            if crosses(order, price, venue.touch_fills):
                venue.execute(book, order, order.limit_price, venue.now, MAKER, 0)
        elif order.type == LIMIT or self.trigger(order, price):
            # It takes the print's price: what came to a market beyond its limit, a stop-limit just
            # triggered, or an order for the opening.
            if crosses(order, price, True):
                taken = venue.worsened(order, price, 0, book.volume)
                venue.execute(book, order, taken, venue.now, TAKER, 0)
        if order.type == MARKET_TO_LIMIT:
            venue.turn_to_limit(order, price)
            venue.execute(book, order, price, venue.now, TAKER, 0)
        elif order.type == MARKET:
            price = venue.worsened(order, price, 0, book.volume)
            venue.execute(book, order, price, venue.now, TAKER, 0)
        # What the trade was too small for goes on taking while trades stay beyond the limit.
        order.fresh = takes and order.type == LIMIT and crosses(order, price, False)
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
