"""Auctions: one price at which what waits for them trades."""
from libc.stdint cimport INT64_MAX

from pyrt.backtest.book cimport VenueOrder, by_priority
from pyrt.core.types cimport CLS, EV_CANCELED, LIMIT, MARKET, OPG, TAKER

# An auction this long before an order for the close would end is another one: the opening.
cdef int64_t CLOSING_SPAN_NS = 5_400_000_000_000


cdef int meet_auction(SimVenue venue, VenueBook book, int64_t price, int64_t units,
                      int64_t now) except -1:
    """Fill orders for the opening or the close at an auction's price, up to its size.

    One price for all: who would pay more, or came first, comes first. Buys and sells trade
    with the auction, not with each other.
    """
    cdef VenueOrder order
    cdef int64_t budget, bought, sold, before
    venue.now = now
    bought = sold = venue.share(units) if units > 0 else INT64_MAX
    for order in by_priority(book.orders):
        if order.done or order.held or order.arrival > now or order.issued >= now:
            continue
        if order.tif != CLS and (order.tif != OPG or now < order.not_before):
            continue
        if order.tif == CLS and now < order.expires - CLOSING_SPAN_NS:
            continue
        if order.type == MARKET or (order.type == LIMIT and (
                price <= order.limit_price if order.side > 0 else price >= order.limit_price)):
            before = order.filled
            budget = bought if order.side > 0 else sold
            book.budget = budget
            venue.execute(book, order, price, now, TAKER, 0)
            if budget < INT64_MAX and order.side > 0:
                bought -= order.filled - before
            elif budget < INT64_MAX:
                sold -= order.filled - before
        venue.finish(order, EV_CANCELED, "time_in_force: the auction is over")
    book.budget = INT64_MAX
    return 0


cdef int reopen(SimVenue venue, VenueBook book, int64_t price, int64_t units,
                int64_t now) except -1:
    """Fill what waits at the price of the auction that ends a halt, up to its size.

    Market orders, and limits no worse than the price; the rest goes on waiting.
    """
    cdef VenueOrder order
    cdef int64_t before, bought, sold
    cdef bint halted = book.halted
    venue.now = now
    book.halted = False
    bought = sold = venue.share(units) if units > 0 else INT64_MAX
    for order in by_priority(book.orders):
        if order.issued >= now or not book.may_trade(order, now):
            continue
        if order.type != MARKET and (order.type != LIMIT or (
                price > order.limit_price if order.side > 0 else price < order.limit_price)):
            continue
        before = order.filled
        book.budget = bought if order.side > 0 else sold
        venue.execute(book, order, price, now, TAKER, 0)
        if units > 0 and order.side > 0:
            bought -= order.filled - before
        elif units > 0:
            sold -= order.filled - before
        order.blocked = False
    book.budget = INT64_MAX
    book.halted = halted
    return 0
