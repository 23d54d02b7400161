"""A simulated venue with recorded bars, for servers: commands and events as plain values."""
cimport cython
from libc.stdint cimport INT64_MAX, int32_t, int64_t

import numpy as np

from pyrt.backtest.bars cimport BarMatcher, in_order_of_issue
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.events cimport Event
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport i128_to_int
from pyrt.core.numbers cimport decimal_from_scaled, money_from_object, nano_from_object
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport GTD
from pyrt.core.types import EVENT_NAMES, LIQUIDITY_NAMES, TIF_NAMES, TYPE_NAMES


cdef int64_t optional_price(object value) except? -1:
    return no_price() if value is None else nano_from_object(value)


cdef int pair(VenueOrder first, VenueOrder second) except -1:
    """Let one of two orders cancel the other."""
    first.sibling = second
    second.sibling = first
    return 0


@cython.final
cdef class BarTape:
    """One symbol's recorded bars and the next of them."""
    cdef readonly object columns
    cdef readonly int32_t index
    cdef int64_t[::1] ts_open
    cdef int64_t[::1] ts_close
    cdef double[:, ::1] prices
    cdef Py_ssize_t at

    def __init__(self, columns, int32_t index):
        self.columns = columns
        self.index = index
        self.ts_open = np.array(columns.ts_open)
        self.ts_close = np.array(columns.ts_close)
        self.prices = np.column_stack([
            columns.open, columns.high, columns.low, columns.close, columns.volume
        ])


@cython.final
cdef class Exchange:
    """Steps a SimVenue through recorded bars, instant by instant.

    An instant is worked through in phases, in the order of a backtest: `end_bars`, `calendar`,
    `open_bars`. Between phases the caller hands events out and takes commands in.

    Parameters
    ----------
    venue : SimVenue
        With its instruments added.
    bars : list of BarColumns
        One table for each symbol.
    """

    cdef readonly SimVenue venue
    cdef BarMatcher matcher
    cdef list tapes
    cdef readonly int64_t now

    def __init__(self, SimVenue venue, bars):
        numbers = {(<VenueBook>b).instrument.symbol: i for i, b in enumerate(venue.books)}
        self.venue = venue
        self.matcher = BarMatcher(venue)
        self.tapes = [BarTape(columns, numbers[columns.symbol]) for columns in bars]
        self.now = min((t.columns.ts_open[0] for t in self.tapes if len(t.columns)), default=0)

    # -- time ----------------------------------------------------------------------------------

    def next_instant(self):
        """Return when anything is due next, ns UTC; None when the tapes are over."""
        cdef BarTape tape
        cdef VenueBook book
        cdef int64_t due = INT64_MAX
        cdef bint over = True
        for tape in self.tapes:
            if tape.at == tape.ts_close.shape[0]:
                continue
            over = False
            due = min(due, tape.ts_close[tape.at])
            book = self.venue.books[tape.index]
            if book.watched and tape.ts_open[tape.at] != book.opened:
                due = min(due, max(tape.ts_open[tape.at], self.now))
        if over:
            return None
        return min(due, self.venue.next_expiry, self.venue.next_delayed)

    def move_to(self, int64_t ts):
        """Set the time; it never steps back."""
        self.now = max(self.now, ts)
        self.venue.now = self.now

    def end_bars(self):
        """Walk the bars that end now; return (symbol, row of its table) for each."""
        cdef BarTape tape
        ended = []
        for tape in self.tapes:
            if tape.at == tape.ts_close.shape[0] or tape.ts_close[tape.at] > self.now:
                continue
            self.matcher.close(
                self.venue.books[tape.index], tape.ts_open[tape.at], tape.ts_close[tape.at],
                &tape.prices[tape.at, 0],
            )
            ended.append((tape.columns, tape.at))
            tape.at += 1
        return ended

    def calendar(self):
        """Expire what is due now."""
        if self.venue.next_expiry <= self.now:
            self.venue.expire(self.now)

    def open_bars(self):
        """Let waiting orders meet the bars that open now, in order of issue over all symbols."""
        cdef BarTape tape
        cdef VenueBook book
        cdef VenueOrder order
        cdef list opening = []
        if self.venue.next_delayed <= self.now:
            self.venue.release_delayed(self.now)
        self.venue.opens_over = max(self.venue.opens_over, self.now)
        for tape in self.tapes:
            book = self.venue.books[tape.index]
            if (book.watched and tape.at < tape.ts_close.shape[0]
                    and tape.ts_open[tape.at] <= self.now and tape.ts_open[tape.at] != book.opened):
                self.matcher.begin_open(
                    book, tape.ts_open[tape.at], tape.ts_close[tape.at], &tape.prices[tape.at, 0]
                )
                opening.append(book)
        for order in in_order_of_issue(opening):
            self.matcher.meet_open(self.venue.books[order.index], order)
        for book in opening:
            self.matcher.end_open(book)

    # -- commands ------------------------------------------------------------------------------

    def submit(self, int number, str symbol, str side, str type, str time_in_force, quantity, *,
               notional=None, limit_price=None, stop_price=None, trail_amount=None,
               trail_percent=None, expires_at=None, extended_hours=False, take_profit=None,
               stop_loss=None):
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
        """
        cdef VenueOrder order = self.make_order(
            number, symbol, side, type, time_in_force, quantity, notional, limit_price,
            stop_price, trail_amount, trail_percent, expires_at, extended_hours,
        )
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
                    limit_price, stop_loss):
        """Take two exits of which one cancels the other: a limit order and a `stop_loss`."""
        cdef VenueOrder first = self.make_order(
            number, symbol, side, "limit", time_in_force, quantity, None, limit_price, None,
            None, None, None, False,
        )
        cdef VenueOrder second = self.make_stop(symbol, side, time_in_force, quantity, stop_loss)
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

    cdef VenueBook book(self, str symbol):
        for book in self.venue.books:
            if (<VenueBook>book).instrument.symbol == symbol:
                return book
        raise KeyError(symbol)

    def last_price(self, str symbol):
        """Return the last price of a symbol that the venue saw, None before the first."""
        cdef VenueBook book = self.book(symbol)
        book.read_close()
        return None if book.last_price == 0 else decimal_from_scaled(book.last_price, 9)

    def held(self, str symbol):
        """Return the signed units of a symbol that the account holds."""
        cdef VenueBook book = self.book(symbol)
        return decimal_from_scaled(book.held_by(0), book.instrument.decimals)

    @property
    def symbols(self):
        """Symbols that can be traded, in the order of their books."""
        return [(<VenueBook>book).instrument.symbol for book in self.venue.books]

    @property
    def tables(self):
        """Recorded bars, one table for each symbol."""
        return [(<BarTape>tape).columns for tape in self.tapes]

    # -- events --------------------------------------------------------------------------------

    def take_events(self):
        """Return what has happened since the last call, oldest first, as dicts."""
        cdef Event event
        cdef Instrument instrument
        events = []
        while self.venue.out.pop(&event):
            instrument = (<VenueBook>self.venue.books[event.instrument]).instrument
            events.append({
                "kind": EVENT_NAMES[event.kind], "number": event.order, "ts_event": event.ts_event,
                "quantity": decimal_from_scaled(event.quantity, instrument.decimals),
                "price": None if event.price == no_price() else decimal_from_scaled(event.price, 9),
                "cumulative": decimal_from_scaled(event.cumulative, instrument.decimals),
                "fee": decimal_from_scaled(i128_to_int(event.fee), 18),
                "liquidity": LIQUIDITY_NAMES[event.liquidity],
                "reason": self.venue.texts.names[event.reason],
            })
        return events
