"""Corporate actions at the venue: what splits and dividends do to the account and open orders."""
from libc.stdint cimport INT64_MAX, int64_t

from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.events cimport Event
from pyrt.core.int128 cimport HALF_EVEN, TOWARD_ZERO, i128_notional
from pyrt.core.orders cimport no_price
from pyrt.core.splits cimport restated, split_distance, split_price, split_units
from pyrt.core.types cimport (
    EV_CANCELED, EV_SPLIT, LIMIT, LIMIT_IF_TOUCHED, MARKET_IF_TOUCHED, STOP, STOP_LIMIT,
)


cdef int apply_action(SimVenue venue, Event* event) except -1:
    """Apply a split or a cash dividend before the first trade of its ex-date."""
    cdef VenueBook book = venue.books[event.instrument]
    cdef VenueOrder order
    venue.now = event.ts_event
    book.read_close()
    if event.kind == EV_SPLIT:
        split_holdings(venue, book, event.quantity, event.price)
    else:
        pay_dividend(venue, book, event.price)
    for order in list(venue.live.values()):
        if order.index != event.instrument or order.done:
            continue
        if event.kind == EV_SPLIT:
            split_order(venue, order, event.quantity, event.price)
        else:
            lower_order(venue, order, event.price)
    return 0


# -- the account ---------------------------------------------------------------------------------

cdef int pay_dividend(SimVenue venue, VenueBook book, int64_t amount) except -1:
    """Credit `amount` for each unit held; a short position pays it."""
    cdef Py_ssize_t index = book.instrument.index
    return venue.account.pay(venue.account.holdings[index].currency, i128_notional(
        amount, venue.account.holdings[index].units, book.instrument.factor
    ))


cdef int split_holdings(SimVenue venue, VenueBook book, int64_t numerator,
                        int64_t denominator) except -1:
    """Restate every owner's units; what does not fill a step is paid out at the new price."""
    cdef Py_ssize_t index = book.instrument.index
    cdef int64_t before, units, whole, total = 0, stub = 0
    for owner in book.units:
        units = restated(book.units[owner], numerator, denominator, TOWARD_ZERO)
        whole = book.instrument.round_quantity_raw(units)
        stub += units - whole
        total += whole
        book.units[owner] = whole
    book.last_price = restated(book.last_price, denominator, numerator, HALF_EVEN)
    book.mark = restated(book.mark, denominator, numerator, HALF_EVEN)
    before = venue.account.holdings[index].units
    venue.account.set_units(index, total, book.mark)
    venue.account.split_carried(index, before, numerator, denominator)
    return venue.account.pay(
        venue.account.holdings[index].currency,
        i128_notional(book.mark, stub, book.instrument.factor),
    )


# -- open orders ---------------------------------------------------------------------------------

cdef int split_order(SimVenue venue, VenueOrder order, int64_t numerator,
                     int64_t denominator) except -1:
    """Restate what is left of an order in new units; less than a step ends it.

    What it has filled stays on record in old units, so its total is the sum of both.
    """
    cdef int64_t left
    if order.units:
        left = split_units(order.instrument, order.units - order.filled, numerator, denominator)
        if left == 0:
            return venue.finish(order, EV_CANCELED, "split: nothing of the quantity is left")
        order.units = order.filled + left
    if order.room != INT64_MAX:
        order.room = split_units(order.instrument, order.room, numerator, denominator)
    order.limit_price = split_price(
        order.instrument, order.limit_price, order.side, numerator, denominator
    )
    order.stop_price = split_price(
        order.instrument, order.stop_price, -order.side, numerator, denominator
    )
    order.trail_amount = split_distance(order.trail_amount, numerator, denominator)
    order.limit_offset = split_distance(order.limit_offset, numerator, denominator)
    order.best = split_distance(order.best, numerator, denominator)
    return venue.say_terms(order)


cdef int lower_order(SimVenue venue, VenueOrder order, int64_t amount) except -1:
    """Lower buy limits and sell stops by a dividend, as US venues do on the ex-date.

    Without it the drop of the price alone would fill them. Buy stops and sell limits stay.
    """
    if order.side > 0 and order.type not in (LIMIT, MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED):
        return 0
    if order.side < 0 and not (order.type == STOP or order.type == STOP_LIMIT or order.trails()):
        return 0
    for price in (order.limit_price, order.stop_price):
        if price != no_price() and price <= amount:
            return venue.finish(order, EV_CANCELED, "dividend: larger than the order's price")
    if order.limit_price != no_price():
        order.limit_price = order.instrument.round_price_raw(order.limit_price - amount, 1)
    if order.stop_price != no_price():
        order.stop_price = order.instrument.round_price_raw(order.stop_price - amount, 1)
    if order.best:
        order.best -= amount
    return venue.say_terms(order)
