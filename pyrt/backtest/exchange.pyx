"""A simulated venue with recorded data, for servers: commands and events as plain values."""
cimport cython
from libc.stdint cimport int32_t, int64_t

import numpy as np

from pyrt.backtest.auctions cimport reopen
from pyrt.backtest.bars cimport BarMatcher, in_order_of_arrival
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.corporate cimport apply_action
from pyrt.backtest.depth cimport DepthMatcher
from pyrt.backtest.exchange_orders cimport ExchangeOrders
from pyrt.backtest.feed cimport Cursor, Feed
from pyrt.backtest.ticks cimport TickMatcher
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.events cimport Event, clear_event
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport i128_to_int
from pyrt.core.numbers cimport decimal_from_scaled, nano_from_object
from pyrt.core.orders cimport no_price
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport (
    EV_BAR, EV_BOOK, EV_DIVIDEND, EV_MODIFIED, EV_QUOTE, EV_SPLIT, EV_TRADE,
)
from pyrt.core.types import EVENT_NAMES, LIQUIDITY_NAMES
from pyrt.backtest.markets import markets
from pyrt.backtest.past import first_moment
from pyrt.data.columns import take


cdef object told_stop(Event* event):
    """The stop price that a change of terms announces, or None."""
    if event.kind != EV_MODIFIED or event.cumulative == no_price():
        return None
    return decimal_from_scaled(event.cumulative, 9)


@cython.final
cdef class Exchange(ExchangeOrders):
    """Steps a SimVenue through recorded data, instant by instant.

    An instant is worked through in phases, in the order of a backtest: `end_bars`, `calendar`,
    `open_bars`, `take_ticks`. Between phases the caller hands events out and takes commands in.
    Fills come from the finest data of each symbol: its book, else its quotes, and prints beside
    them, before trades before bars; see `pyrt.backtest.markets`.

    Parameters
    ----------
    venue : SimVenue
        With its instruments added.
    tables : list of BarColumns, QuoteColumns, TradeColumns or BookColumns
    actions : iterable of tuple
        Price bands, pauses and reopening auctions: `pyrt.backtest.price_bands.read_bands`.
    """

    cdef readonly list tables
    """What is replayed, in the order given."""
    cdef BarMatcher bars
    cdef TickMatcher ticks
    cdef DepthMatcher depth
    cdef Feed feed
    cdef list drivers
    """Per instrument: the cursor of the bars that decide its fills, or None."""
    cdef dict numbers
    """Number of a table's cursor in the feed → the table's place in `tables`."""
    cdef set halted
    """Indexes of instruments whose trading is halted."""
    cdef list actions
    """Rows of price bands and pauses, oldest first."""
    cdef Py_ssize_t next_action
    cdef readonly int64_t now

    def __init__(self, SimVenue venue, tables, actions=()):
        cdef Cursor cursor
        super().__init__(venue)
        self.tables = list(tables)
        self.bars = BarMatcher(venue)
        self.ticks = TickMatcher(venue)
        self.depth = venue.matcher = DepthMatcher(venue)
        indexes = {(<VenueBook>b).instrument.symbol: i for i, b in enumerate(venue.books)}
        chosen = markets(self.tables, None)
        for symbol, market in chosen.items():
            venue.follow(
                indexes[symbol], market.source, prints=market.prints,
                standing=market.source == "book", by_order=market.by_order,
            )
        cursors = []
        for number, table in enumerate(self.tables):
            instrument = (<VenueBook>venue.books[indexes[table.symbol]]).instrument
            stream = Stream(
                number, table.kind, instrument, "", None, getattr(table, "timeframe", ""),
                getattr(table, "timeframe_ns", 0),
            )
            cursors.append(Cursor(stream, table, drives=chosen[table.symbol].takes(table)))
        self.feed = Feed(cursors)
        self.halted = set()
        self.actions = sorted(actions)
        self.drivers = [None] * len(venue.books)
        self.numbers = {}
        for cursor in self.feed.cursors:
            self.numbers[cursor.number] = cursor.stream.index
            if cursor.kind == EV_BAR and cursor.drives:
                self.drivers[cursor.stream.instrument.index] = cursor
        starts = [first_moment(table) for table in self.tables if len(table)]
        self.now = 0
        self.move_to(min(starts, default=0))

    # -- time ----------------------------------------------------------------------------------

    def next_instant(self):
        """Return when anything is due next, ns UTC; None when the data are over."""
        cdef Cursor head = self.feed.head()
        if head is None:
            return None
        return max(min(head.ts_init[head.at], self.next_due()), self.now)

    cdef int64_t next_due(self) except? -1:
        """When something other than a row of data is due: a bar's open, an expiry, late news."""
        cdef Cursor cursor
        cdef int64_t ts, due = min(self.venue.next_expiry, self.venue.next_delayed)
        if self.next_action < len(self.actions):
            due = min(due, self.actions[self.next_action][0])
        for index in self.venue.waiting:
            cursor = self.drivers[<int32_t>index]
            if cursor is None or cursor.at >= cursor.n or index in self.halted:
                continue
            ts = cursor.ts_open[cursor.at]
            if ts < due and (<VenueBook>self.venue.books[<int32_t>index]).opened != ts:
                due = ts
        return due

    def move_to(self, int64_t ts):
        """Set the time; it never steps back."""
        self.now = max(self.now, ts)
        self.venue.now = self.now

    def skip_to(self, int64_t ts):
        """Pass over all rows known at `ts`, which become history; prices are the last of them.

        Time is then that of the first row after it: where nothing is recorded, nothing happens.
        """
        cdef Cursor cursor
        cdef Py_ssize_t first
        cdef Event event
        clear_event(&event)
        self.move_to(ts)
        self.take_actions()
        for cursor in self.feed.cursors:
            first = cursor.at
            cursor.at += np.searchsorted(cursor.times(), ts, side="right")
            if cursor.at == first or not cursor.drives:
                continue
            cursor.at -= 1
            cursor.fill(&event)
            cursor.at += 1
            self.show(cursor, &event)
        self.feed.arrange()
        begins = []
        for cursor in self.feed.cursors:
            if cursor.at < cursor.n and cursor.kind == EV_BOOK:
                begins.append(cursor.ts_init[cursor.at])
            elif cursor.at < cursor.n:
                begins.append(first_moment(take(cursor.chunk, slice(cursor.at, cursor.at + 1))))
        self.move_to(min(begins, default=ts))

    cdef int show(self, Cursor cursor, Event* event) except -1:
        """Let a row that decides fills be seen by the venue."""
        cdef VenueBook book
        if cursor.kind != EV_BOOK:
            return self.meet(cursor.stream.instrument.index, cursor.kind, event)
        book = self.venue.books[cursor.stream.instrument.index]
        if len(self.halted) > 0 and book.instrument.index in self.halted:
            return self.pass_batch(book, cursor, event)
        return self.depth.meet_batch(book, cursor, event, self.now)

    cdef int pass_batch(self, VenueBook book, Cursor cursor, Event* event) except -1:
        """While trading is halted a book goes on, and nobody meets it."""
        cdef bint watched = book.watched
        book.watched = False
        try:
            return self.depth.meet_batch(book, cursor, event, self.now)
        finally:
            book.watched = watched

    cdef int meet(self, int32_t index, int kind, Event* event) except -1:
        """Let the orders of an instrument meet an event of the market."""
        cdef VenueBook book = self.venue.books[index]
        cdef bint watched = book.watched
        cdef bint halted = len(self.halted) > 0 and index in self.halted
        if halted and kind == EV_BAR:
            return self.bars.pass_by(book, index, event.ts_event, event.values[3])
        if halted:
            # While trading is halted prices are seen, and nobody meets them.
            book.watched = False
        try:
            if kind == EV_QUOTE:
                return self.depth.meet_quote(book, event, self.now)
            if kind != EV_BAR and book.depth is not None:
                return self.depth.meet_print(book, event, self.now)
            if kind != EV_BAR:
                return self.ticks.meet(book, event, self.now)
        finally:
            book.watched = watched if halted else book.watched
        return self.bars.close(book, event.ts_open, event.ts_event, event.values)

    def see(self, str symbol, str kind, int64_t ts_event, values):
        """Let orders meet a quote or a print that no table has: one of a live market.

        Parameters
        ----------
        kind : {"quotes", "trades"}
        ts_event : int
            When it happened, ns UTC; it is known now.
        values : sequence of float
            Bid price and size, ask price and size; or price, size and aggressor.
        """
        cdef VenueBook book = self.book(symbol)
        cdef Event event
        clear_event(&event)
        event.kind = EV_QUOTE if kind == "quotes" else EV_TRADE
        event.instrument = book.instrument.index
        event.ts_event = ts_event
        event.ts_init = self.now
        for place, value in enumerate(values):
            event.values[<int>place] = value
        self.meet(book.instrument.index, event.kind, &event)

    def end_bars(self):
        """Walk the bars that end now; return (table, row) for each."""
        cdef Cursor head = self.feed.head()
        cdef Event event
        clear_event(&event)
        ended = []
        while head is not None and head.rank == 1 and head.ts_init[head.at] <= self.now:
            head.fill(&event)
            if head.drives:
                self.show(head, &event)
            ended.append((self.tables[<object>self.numbers[head.number]], head.at))
            head.at += 1
            self.feed.step()
            head = self.feed.head()
        return ended

    def halt(self, str symbol):
        """Let nobody trade in a symbol until `resume`."""
        cdef int32_t index = self.book(symbol).instrument.index
        self.halted.add(index)
        # An order that arrives meets a book as it stands: not in a halt.
        self.venue.set_status(index, True, "trading halt")

    def resume(self, str symbol):
        """Let orders meet the market again, from the next bar or tick on."""
        cdef VenueBook book = self.book(symbol)
        cdef Cursor cursor = self.drivers[book.instrument.index]
        self.halted.discard(book.instrument.index)
        self.venue.set_status(book.instrument.index, False, "")
        if cursor is not None and cursor.at < cursor.n and cursor.ts_open[cursor.at] <= self.now:
            book.opened = cursor.ts_open[cursor.at]

    def calendar(self):
        """Expire what is due now."""
        if self.venue.next_expiry <= self.now:
            self.venue.expire(self.now)

    def take_actions(self):
        """Carry out bands, pauses and auctions that are due; return what was done.

        Returns
        -------
        list of (what, symbol, first, second)
            ``band`` with its prices in 1e-9, ``halt`` and ``resume``; ``status`` with a
            `TradingStatus`; ``reopen`` with its price in 1e-9.
        """
        cdef VenueBook book
        done = []
        while self.next_action < len(self.actions):
            ts, what, index, first, second = self.actions[self.next_action]
            if ts > self.now:
                break
            self.next_action += 1
            book = self.venue.books[<int32_t>index]
            if what == "band":
                self.venue.set_bands(index, first, second)
            elif what == "reopen":
                # Long ago, of a market that is skipped to, is no auction of ours.
                if ts == self.now:
                    reopen(self.venue, book, first, second, self.now)
            elif what != "status":
                self.venue.set_status(index, what == "halt", first)
            done.append((what, book.instrument.symbol, first, second))
        return done

    def open_bars(self):
        """Let waiting orders meet the bars that open now, in order of arrival over all symbols."""
        cdef Cursor cursor
        cdef Event event
        cdef VenueBook book
        cdef VenueOrder order
        cdef list opening = []
        clear_event(&event)
        if self.venue.next_delayed <= self.now:
            self.venue.release_delayed(self.now)
        self.venue.opens_over = max(self.venue.opens_over, self.now)
        for index in list(self.venue.waiting):
            cursor = self.drivers[<int32_t>index]
            book = self.venue.books[<int32_t>index]
            if (cursor is None or cursor.at >= cursor.n or cursor.ts_open[cursor.at] > self.now
                    or index in self.halted or book.opened == cursor.ts_open[cursor.at]):
                continue
            cursor.fill(&event)
            self.bars.begin_open(book, event.ts_open, event.ts_event, event.values)
            opening.append(book)
        for order in in_order_of_arrival(opening):
            self.bars.meet_open(self.venue.books[order.index], order)
        for book in opening:
            self.bars.end_open(book)

    def take_ticks(self, until=None, int most=1):
        """Let quotes and trades happen; return (place of its table, row) for each.

        Parameters
        ----------
        until : int, optional
            Time moves on by itself, up to this instant, as long as only such rows are due and
            nothing comes of them; by default those of now alone are taken.
        most : int
            About how many rows to take; an instant is never cut.
        """
        cdef Cursor head = self.feed.head()
        cdef Event event
        cdef int64_t last = self.now if until is None else until
        cdef list rows = []
        clear_event(&event)
        while head is not None and head.rank == 3 and head.ts_init[head.at] <= last:
            if head.ts_init[head.at] > self.now:
                if (self.venue.out.count or len(rows) >= most
                        or self.next_due() <= head.ts_init[head.at]):
                    break
                self.now = self.venue.now = self.venue.opens_over = head.ts_init[head.at]
            if head.drives:
                head.fill(&event)
                self.show(head, &event)
            # A book's rows are batches of its table's: whoever tells them reads the table.
            if head.kind != EV_BOOK:
                rows.append((<object>self.numbers[head.number], head.at))
            head.at += 1
            self.feed.step()
            head = self.feed.head()
        return rows

    # -- the account, and what trades ------------------------------------------------------------

    def act(self, str kind, str symbol, int first, second):
        """Apply a corporate action before the first trade of its day.

        Parameters
        ----------
        kind : {"split", "dividend"}
        first, second
            New and old shares of a split; 1 and the dollars a share of a dividend.
        """
        cdef Event event
        clear_event(&event)
        event.kind = EV_SPLIT if kind == "split" else EV_DIVIDEND
        event.instrument = self.book(symbol).instrument.index
        event.ts_event = event.ts_init = self.now
        event.quantity = first
        event.price = second if kind == "split" else nano_from_object(second)
        apply_action(self.venue, &event)

    def last_price(self, str symbol):
        """Return the last price of a symbol that the venue saw, None before the first."""
        cdef VenueBook book = self.book(symbol)
        book.read_close()
        if book.rows is not None:
            # Of a book that nobody needed nothing was applied yet.
            book.catch_up()
            self.depth.mark(book)
        return None if book.last_price == 0 else decimal_from_scaled(book.last_price, 9)

    def held(self, str symbol):
        """Return the signed units of a symbol that the account holds."""
        cdef VenueBook book = self.book(symbol)
        return decimal_from_scaled(book.held_by(0), book.instrument.decimals)

    @property
    def live_numbers(self):
        """Numbers of the orders that are not done, as a view."""
        return self.venue.live.keys()

    @property
    def symbols(self):
        """Symbols that can be traded, in the order of their books."""
        return [(<VenueBook>book).instrument.symbol for book in self.venue.books]

    def instrument(self, str symbol):
        """Return what trades under a symbol."""
        return self.venue.books[self.symbols.index(symbol)].instrument

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
                "stop_price": told_stop(&event),
                "quantity": decimal_from_scaled(event.quantity, instrument.decimals),
                "price": None if event.price == no_price() else decimal_from_scaled(event.price, 9),
                "cumulative": decimal_from_scaled(event.cumulative, instrument.decimals),
                "fee": decimal_from_scaled(i128_to_int(event.fee), 18),
                "taken": decimal_from_scaled(event.taken, instrument.decimals),
                "liquidity": LIQUIDITY_NAMES[event.liquidity],
                "reason": self.venue.texts.names[event.reason],
            })
        return events
