"""Commands to a simulated venue as plain values: orders, pairs of exits, changes, cancels."""
from libc.stdint cimport INT64_MAX, int64_t

from pyrt.core.numbers cimport money_from_object, nano_from_object
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport GTD
from pyrt.core.types import TIF_NAMES, TYPE_NAMES


cdef int64_t optional_price(object value) except? -1:
    return no_price() if value is None else nano_from_object(value)


cdef int pair(VenueOrder first, VenueOrder second) except -1:
    """Let one of two orders cancel the other."""
    first.sibling = second
    second.sibling = first
    return 0


cdef class ExchangeOrders:
    """Takes orders for a SimVenue, by the caller's numbers and by symbol.

    Parameters
    ----------
    venue : SimVenue
        With its instruments added.
    """

    def __init__(self, SimVenue venue):
        self.venue = venue

    cdef VenueBook book(self, str symbol):
        for book in self.venue.books:
            if (<VenueBook>book).instrument.symbol == symbol:
                return book
        raise KeyError(symbol)

    def submit(self, int number, str symbol, str side, str type, str time_in_force, quantity, *,
               notional=None, limit_price=None, stop_price=None, trail_amount=None,
               trail_percent=None, expires_at=None, extended_hours=False, take_profit=None,
               stop_loss=None, ends=None):
        """Take one order, with its exits if it has any; what becomes of it is in `take_events`.

        Parameters
        ----------
        number : int
            The caller's number; events carry it.
        quantity : Decimal, str or None
            None for an order by notional.
        take_profit : (int, price), optional
            Number and limit of the exit that is held until the order fills.
        stop_loss : (int, price, price or None), optional
            Number, trigger and limit of the other one.
        ends : int, optional
            When it ends by the venue's rules, ns UTC; by default its time in force says so.
        """
        cdef VenueOrder order = self.make_order(
            number, symbol, side, type, time_in_force, quantity, notional, limit_price,
            stop_price, trail_amount, trail_percent, expires_at, extended_hours,
        )
        order.ends = 0 if ends is None else ends
        other = "sell" if side == "buy" else "buy"
        if take_profit is not None:
            order.take_profit = self.make_order(
                take_profit[0], symbol, other, "limit", time_in_force, quantity, None,
                take_profit[1], None, None, None, expires_at, False,
            )
            order.take_profit.room = 0
        if stop_loss is not None:
            order.stop_loss = self.make_stop(symbol, other, time_in_force, quantity, stop_loss)
            order.stop_loss.room = 0
        if take_profit is not None and stop_loss is not None:
            pair(order.take_profit, order.stop_loss)
        self.venue.accept(order)

    def submit_pair(self, int number, str symbol, str side, str time_in_force, quantity,
                    limit_price, stop_loss, *, ends=None):
        """Take two exits of which one cancels the other: a limit order and a `stop_loss`."""
        cdef VenueOrder first = self.make_order(
            number, symbol, side, "limit", time_in_force, quantity, None, limit_price, None,
            None, None, None, False,
        )
        cdef VenueOrder second = self.make_stop(symbol, side, time_in_force, quantity, stop_loss)
        first.ends = second.ends = 0 if ends is None else ends
        pair(first, second)
        self.venue.accept(first)
        if not second.done:
            self.venue.accept(second)

    cdef VenueOrder make_stop(self, str symbol, str side, str tif, quantity, stop_loss):
        number, stop_price, limit_price = stop_loss
        return self.make_order(
            number, symbol, side, "stop" if limit_price is None else "stop_limit", tif, quantity,
            None, limit_price, stop_price, None, None, None, False,
        )

    def change(self, int number, str symbol, *, quantity=None, limit_price=None, stop_price=None,
               trail=None):
        """Change the terms of an order; None keeps a term, `quantity` counts what is filled."""
        cdef VenueBook book = self.book(symbol)
        cdef int64_t units = 0 if quantity is None else book.instrument.quantity_raw(quantity)
        self.venue.change(
            number, units, optional_price(limit_price), optional_price(stop_price),
            optional_price(trail),
        )

    def set_time(self, int number, str symbol, str time_in_force, *, ends=None):
        """Give an order that works another time in force; `ends` as for `submit`."""
        cdef VenueBook book = self.book(symbol)
        cdef VenueOrder order = self.venue.live.get(number)
        if order is None:
            return
        order.tif = TIF_NAMES.index(time_in_force)
        order.ends = 0 if ends is None else ends
        order.expires = book.end_of(order)
        if order.expires < self.venue.next_expiry:
            self.venue.next_expiry = order.expires

    cdef VenueOrder make_order(self, int number, str symbol, str side, str type, str tif, quantity,
                               notional, limit_price, stop_price, trail_amount, trail_percent,
                               expires_at, extended_hours):
        cdef VenueBook book = self.book(symbol)
        cdef VenueOrder order = VenueOrder.__new__(VenueOrder)
        order.number = number
        order.index = book.instrument.index
        order.instrument = book.instrument
        order.side = 1 if side == "buy" else -1
        order.type = TYPE_NAMES.index(type)
        order.tif = TIF_NAMES.index(tif)
        order.units = 0 if quantity is None else book.instrument.quantity_raw(quantity)
        order.notional = 0 if notional is None else money_from_object(notional)
        order.limit_price = optional_price(limit_price)
        order.stop_price = optional_price(stop_price)
        order.trail_amount = optional_price(trail_amount)
        order.trail_percent = optional_price(trail_percent)
        order.expires = expires_at if order.tif == GTD else INT64_MAX
        order.extended_hours = extended_hours
        return order

    def cancel(self, int number):
        """Cancel an order; return whether it was there to cancel."""
        known = number in self.venue.live
        self.venue.cancel_number(number)
        return known
