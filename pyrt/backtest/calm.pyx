# cython: nonecheck=False
# Every part is there from the constructor on: fifty checks a row were a sixth of its cost.
"""Rows of data taken while no order waits and nothing but data is due.

Most rows of a run are such: the venue has nobody to meet with them. `Calm` takes them one after
the other, without looking again at what cannot have changed. It is an iterator over what handlers
are given, so that their calls stay within the interpreter; see `pyrt.backtest.drive`.
"""
cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN

from pyrt.core.data cimport Bar, Quote, Trade
from pyrt.core.events cimport clear_event
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport EV_BAR, EV_BOOK, EV_QUOTE
from pyrt.risk.watch cimport Watcher
from pyrt.kernel.views cimport (
    bar_of, quote_of, trade_of, write_bar, write_quote, write_trade,
)

from pyrt.backtest.drive import drive

cdef extern from "Python.h":
    Py_ssize_t references "Py_REFCNT" (PyObject* held) noexcept

cdef int64_t SECOND_NS = 1_000_000_000
cdef int64_t DAY_NS = 86_400_000_000_000


@cython.final
cdef class Held:
    """Counts who holds a view that a handler has returned from and not kept."""

    cdef object view
    cdef Py_ssize_t count

    def __iter__(self):
        return self

    def __next__(self):
        if self.view is None:
            self.view = Bar.__new__(Bar)
            return self.view
        self.count = references(<PyObject*>self.view)
        raise StopIteration


cdef Py_ssize_t count_held() except -1:
    cdef Held held = Held()
    drive(lambda view: None, held)
    return held.count


# By who gave it out, and by the loop that called the handler.
cdef Py_ssize_t HELD = count_held()


@cython.final
cdef class Calm:
    """Plays rows to venue and kernel for as long as none of them finds an order waiting.

    Parameters
    ----------
    kernel : Kernel
    venue : SimVenue
    feed : Feed
        Its cursors know their venue books.
    """

    def __init__(self, Kernel kernel not None, SimVenue venue not None, Feed feed not None):
        self.kernel = kernel
        self.market = kernel.market
        self.clock = kernel.clock
        self.aggregates = kernel.aggregates
        self.calls = kernel.calls
        self.curve = kernel.curve
        self.bus = kernel.bus
        self.desk = kernel.desk
        self.venue = venue
        self.bars = BarMatcher(venue)
        self.ticks = TickMatcher(venue)
        self.depth = venue.matcher = DepthMatcher(venue)
        self.feed = feed
        self.has_ticks = any([(<Cursor>cursor).rank == 3 for cursor in feed.cursors])
        self.keeps_bars = venue.keeps_bars()
        self.marks_later = len(feed.cursors) <= 4
        self.sampled = self.next_sample = INT64_MIN
        self.next_day = INT64_MIN if self.has_ticks else INT64_MAX
        clear_event(&self.event)

    cdef int play(self, int64_t due) except -1:
        """Take rows until something is due, an instant leaves work to do, or a stretch is long.

        An instant that is left under way is in `now` and `rank`: the caller completes it.
        """
        self.due = due
        self.taken = 0
        self.rank = 0
        self.looks_ahead = (
            self.feed.single and self.feed.only.kind == EV_BAR and not self.keeps_bars
            and not self.feed.only.stream.is_heard()
        )
        self.choose_handler()
        try:
            if self.handler is None:
                self.advance()
            else:
                self.hand_out()
        finally:
            if self.marks_later and self.venue.account.open_holdings:
                self.mark_held()
        return 0

    cdef int mark_held(self) except -1:
        """Mark what the broker's account holds at the last closes and quotes."""
        cdef Cursor cursor
        for cursor in self.feed.cursors:
            self.venue.mark_unread(cursor.book)
        return 0

    cdef int hand_out(self) except -1:
        """Let the handler be called row by row; what it raises is judged by the error policy."""
        while True:
            self.last = NULL
            try:
                drive(self.handler, self)
                return 0
            except BaseException as error:
                if not self.calling:
                    raise
                self.bus.leave()
                if not isinstance(error, Exception):
                    self.calling = False
                    raise
                try:
                    self.calls.failed(self.owner, self.handler, self.cursor.view, error)
                except BaseException:
                    self.calling = False
                    raise
                # The row goes on where the call would have returned to.
                self.bus.depth += 1

    cdef int choose_handler(self) except -1:
        """Let `drive` call the handler of the next row, if it is the only one of its stream."""
        cdef Stream stream = self.feed.head().stream
        if stream.n_handlers != 1 or stream.handlers[0] == self.handler:
            return 0
        self.handler = stream.handlers[0]
        self.owner = stream.owners[0]
        for cursor in self.feed.cursors:
            (<Cursor>cursor).heard = None
        return 0

    cdef int look(self, Cursor cursor) except -1:
        """See whether the handler at hand is the only one of a stream whose handlers are new."""
        cdef Stream stream = cursor.stream
        cursor.heard = stream.handlers
        cursor.is_driven = stream.n_handlers == 1 and stream.handlers[0] == self.handler
        return 0

    # -- row by row ----------------------------------------------------------------------------

    def __iter__(self):
        return self

    def __next__(self):
        # Handed on by one reference, not returned through the calls: on the way to the handler the
        # view's count is changed in turn, and each change waits for the one before.
        if self.advance():
            return self.cursor.view
        raise StopIteration

    cdef inline bint advance(self) except -1:
        """Take rows up to one that the handler is to see; False at the end of the stretch."""
        cdef Feed feed = self.feed
        cdef Cursor cursor
        cdef int64_t ts
        if self.calling:
            self.called()
        while feed.at < feed.n:
            cursor = feed.only if feed.single else feed.present()
            ts = cursor.ts_init[cursor.at]
            if self.rank == 0 or ts != self.now:
                if self.rank and not self.ends_instant():
                    return False
                if self.looks_ahead and self.pass_quiet(cursor):
                    continue
                if not self.begins_instant(cursor, ts):
                    return False
            elif cursor.rank != self.rank:
                return False
            if self.take(cursor):
                return True
        return False

    cdef inline bint ends_instant(self) except -1:
        """Complete the instant under way; False where more than its point of equity is to do."""
        if (self.desk.commands or self.aggregates.ready()
                or self.clock.next_due <= self.now):
            return False
        if self.now >= self.market.handlers_from:
            if self.has_ticks:
                self.sample(self.now)
            else:
                self.sampled = self.now
                self.curve.sample(self.now)
        self.rank = 0
        return True

    cdef inline bint begins_instant(self, Cursor cursor, int64_t ts) except -1:
        """Go on to the instant of the next row; False where the stretch ends before it."""
        if (ts >= self.due or ts <= self.clock.now or self.taken >= STRETCH_ROWS
                or self.clock.next_due < self.due or self.aggregates.due < self.due
                or (self.keeps_bars and cursor.rank == 1)):
            return False
        if ts >= self.next_day:
            self.turn_day(ts)
        self.now = self.clock.now = ts
        self.rank = cursor.rank
        if cursor.rank == 3:
            self.venue.opens_over = ts
        return True

    cdef inline bint take(self, Cursor cursor) except -1:
        """Play the next row; whether the handler is to be called with the cursor's view of it."""
        cdef Stream stream = cursor.stream
        cdef Event* event = &self.event
        cdef object view
        cursor.fill(event)
        if not cursor.drives:
            pass
        elif cursor.rank == 1 and self.marks_later:
            cursor.book.unread_close = event.values[3]
            cursor.book.last_ts = event.ts_event
        elif cursor.rank == 1:
            self.bars.pass_by(cursor.book, event.instrument, event.ts_event, event.values[3])
        elif (cursor.kind == EV_QUOTE and self.marks_later and not cursor.book.watched
                and event.values[0] > 0.0 and event.values[2] > 0.0):
            self.venue.now = self.now
            cursor.book.note_quote(event)
        else:
            self.meet_tick(cursor, cursor.book, event, self.now)
        # Counted row by row: an exception leaves everything as it was at its instant.
        cursor.at += 1
        self.feed.at += 1
        self.taken += 1
        if cursor.kind == EV_BOOK:
            self.events_processed += event.price - event.quantity
            self.kernel.process(event)
            return False
        self.events_processed += 1
        if cursor.kind == EV_BAR:
            view = self.market.take_bar(stream, event)
        elif cursor.kind == EV_QUOTE:
            view = self.market.take_quote(stream, event)
        else:
            view = self.market.take_trade(stream, event)
        if event.ts_init >= self.market.handlers_from:
            if stream.handlers is not cursor.heard:
                self.look(cursor)
            if cursor.is_driven and self.owner.running:
                if view is None:
                    self.show(cursor)
                else:
                    cursor.view = view
                self.bus.depth += 1
                self.calling = True
                if self.cursor is not cursor:
                    self.cursor = cursor
                self.last = <PyObject*>cursor.view
                return True
            if stream.is_heard():
                if view is None:
                    self.show(cursor)
                    view = cursor.view
                self.calls.dispatch(stream, view)
        if stream.n_aggregates:
            self.market.build(stream, event)
        return False

    cdef inline int called(self) except -1:
        """Do what follows the call of the handler; see `Calls.dispatch`."""
        self.calling = False
        self.bus.depth -= 1
        if self.cursor.stream.channel.has_handlers:
            self.cursor.stream.channel.publish_c(self.cursor.view)
        if self.bus.pending and self.bus.depth == 0:
            self.bus.flush()
        if self.cursor.stream.n_aggregates:
            self.market.build(self.cursor.stream, &self.event)
        return 0

    cdef inline int show(self, Cursor cursor) except -1:
        """Make the row's view: the one of the stream's last row again if nobody has kept that."""
        cdef Event* event = &self.event
        cdef PyObject* kept = <PyObject*>cursor.view
        cdef bint is_ours = (
            cursor.view is not None and references(kept) <= (HELD if kept == self.last else 1)
        )
        if cursor.kind == EV_BAR:
            if is_ours:
                write_bar(<Bar>cursor.view, event)
            else:
                cursor.view = bar_of(cursor.stream, event)
        elif cursor.kind == EV_QUOTE:
            if is_ours:
                write_quote(<Quote>cursor.view, event)
            else:
                cursor.view = quote_of(cursor.stream, event)
        elif is_ours:
            write_trade(<Trade>cursor.view, event)
        else:
            cursor.view = trade_of(cursor.stream, event)
        return 0

    # -- many rows at once ---------------------------------------------------------------------

    cdef bint pass_quiet(self, Cursor cursor) except -1:
        """Take the rows before the next that makes a condition true; whether there are any."""
        cdef Stream stream = cursor.stream
        cdef Watcher watcher = self.market.watcher
        cdef Py_ssize_t rows
        if (stream.is_heard() or stream.n_aggregates or self.market.sink.watching
                or self.clock.next_due < self.due or self.aggregates.due < self.due
                or cursor.ts_init[cursor.at] < self.market.handlers_from):
            return False
        if watcher is not None and (watcher.watches_marks or watcher.watches_equity):
            return False
        if self.ahead is None:
            self.ahead = Ahead()
            self.ahead.begin(cursor)
        rows = self.ahead.quiet(min(self.feed.n - self.feed.at, STRETCH_ROWS - self.taken))
        rows = self.instants(cursor, rows)
        if rows == 0:
            return False
        self.take_quiet(cursor, rows)
        return True

    cdef Py_ssize_t instants(self, Cursor cursor, Py_ssize_t limit) noexcept:
        """Return how many of the next rows are each an instant of its own, before what is due."""
        cdef const int64_t* ts = cursor.ts_init + cursor.at
        cdef int64_t now = self.clock.now
        cdef Py_ssize_t n = 0
        while n < limit and now < ts[n] < self.due:
            now = ts[n]
            n += 1
        if 0 < n < self.feed.n - self.feed.at and ts[n] == now:
            n -= 1
        return n

    cdef int take_quiet(self, Cursor cursor, Py_ssize_t rows) except -1:
        """Do with rows that each are an instant what `take` and `ends_instant` do with one."""
        cdef Stream stream = cursor.stream
        cdef Py_ssize_t index = stream.instrument_index
        cdef Py_ssize_t i, at = cursor.at, last = cursor.at + rows - 1
        cdef const double* closes = cursor.columns[3]
        if cursor.drives:
            cursor.book.unread_close = closes[last]
            cursor.book.last_ts = cursor.ts_event[last]
        if stream.marks and self.market.account.holdings[index].units != 0:
            self.take_held(cursor, rows)
        else:
            for i in range(at, last + 1):
                self.curve.sample(cursor.ts_init[i])
        # While nothing is held only the last price can matter.
        if stream.marks:
            self.market.mark(stream, closes[last])
        if stream.marks:
            self.market.booking.bars[index] += rows
        self.ahead.take(rows)
        cursor.at += rows
        self.feed.at += rows
        self.taken += rows
        self.events_processed += rows
        self.now = self.sampled = self.clock.now = cursor.ts_init[last]
        self.rank = 0
        return 0

    cdef int take_held(self, Cursor cursor, Py_ssize_t rows) except -1:
        """Write the points of equity of rows whose prices change it."""
        cdef Stream stream = cursor.stream
        cdef Py_ssize_t index = stream.instrument_index
        cdef Py_ssize_t i, at = cursor.at
        cdef const double* closes = cursor.columns[3]
        for i in range(at, at + rows):
            self.market.mark(stream, closes[i])
            self.curve.sample(cursor.ts_init[i])
            if self.curve.can_follow(index):
                return self.curve.follow(
                    index, cursor.ts_init + i + 1, closes + i + 1, at + rows - i - 1
                )
        return 0

    # -- also of instants that are not calm ----------------------------------------------------

    cdef int meet_tick(self, Cursor cursor, VenueBook book, Event* event, int64_t now) except -1:
        """Let the orders of the instrument meet a quote, a trade or a batch of book events."""
        if event.kind == EV_QUOTE:
            return self.depth.meet_quote(book, event, now)
        if event.kind == EV_BOOK:
            return self.depth.meet_batch(book, cursor, event, now)
        if book.depth is not None:
            return self.depth.meet_print(book, event, now)
        return self.ticks.meet(book, event, now)

    cdef int sample(self, int64_t now) except -1:
        """One point of equity an instant; on ticks one a second of data time."""
        if now == self.sampled or now < self.next_sample:
            return 0
        self.sampled = now
        if self.has_ticks:
            self.next_sample = now - now % SECOND_NS + SECOND_NS
        return self.curve.sample(now)

    cdef int turn_day(self, int64_t ts) except -1:
        """Before the first instant of another UTC day: the one that ends keeps its last prices."""
        self.next_day = ts - ts % DAY_NS + DAY_NS
        return self.catch_up()

    cdef int catch_up(self) except -1:
        """Write the point of equity that the last instant was denied, within its second of data."""
        if self.has_ticks and self.sampled < self.clock.now >= self.market.handlers_from:
            self.sampled = self.clock.now
            return self.curve.sample(self.sampled)
        return 0
