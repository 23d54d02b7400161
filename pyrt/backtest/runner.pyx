"""The backtest's loop: one instant after the other, ranks within it, until the data end."""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t

from pyrt.backtest.bars cimport BarMatcher
from pyrt.backtest.book cimport VenueBook
from pyrt.backtest.corporate cimport apply_action
from pyrt.backtest.feed cimport Cursor, Feed
from pyrt.backtest.ticks cimport TickMatcher
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.events cimport Event, clear_event
from pyrt.core.types cimport EV_BAR, EV_DIVIDEND, EV_SPLIT
from pyrt.kernel.kernel cimport Kernel

cdef int64_t SECOND_NS = 1_000_000_000
cdef Py_ssize_t SIGNALS_EVERY = 1 << 13


@cython.final
cdef class Runner:
    """Drives a kernel and a simulated venue over a feed.

    Everything due at one `ts` happens in this order: what ends there (bars: venue, then handlers),
    the calendar (corporate actions, expiries), what happens there (bar opens for the venue,
    quotes, trades), timers. After each, commands are settled.
    """

    cdef Kernel kernel
    cdef SimVenue venue
    cdef BarMatcher bars
    cdef TickMatcher ticks
    cdef Feed feed
    cdef list drivers
    """Per instrument: the cursor of the bars that decide its fills, or None."""
    cdef list actions
    """Corporate actions as (ts, kind, instrument, number, number), oldest first."""
    cdef Py_ssize_t next_action
    cdef int64_t action_due
    cdef bint has_ticks
    cdef readonly int64_t events_processed
    cdef object progress
    cdef int64_t sampled
    cdef readonly bint finished

    def __init__(self, Kernel kernel, SimVenue venue, Feed feed, *, actions=(), progress=None):
        cdef Cursor cursor
        self.kernel = kernel
        self.venue = venue
        self.feed = feed
        self.bars = BarMatcher(venue)
        self.ticks = TickMatcher(venue)
        self.drivers = [None] * len(venue.books)
        for cursor in feed.cursors:
            if cursor.kind == EV_BAR and cursor.drives:
                self.drivers[cursor.stream.instrument.index] = cursor
        self.actions = sorted(actions)
        self.action_due = self.actions[0][0] if self.actions else INT64_MAX
        self.has_ticks = any((<Cursor>c).rank == 3 for c in feed.cursors)
        self.progress = progress
        self.sampled = INT64_MIN

    def run(self):
        """Run to the end of the data; an exception leaves everything as it was at that instant."""
        cdef Cursor head = self.feed.head()
        cdef int64_t now, due, row_ts
        cdef Py_ssize_t until_signals = SIGNALS_EVERY
        cdef bint plain
        cdef Kernel kernel = self.kernel
        cdef SimVenue venue = self.venue
        while head is not None:
            row_ts = now = head.ts_init[head.at]
            due = self.next_due()
            if due < now:
                kernel.advance(due)
                self.between(due)
                head = self.feed.head()
                continue
            if now < kernel.clock.now:
                now = kernel.clock.now
            kernel.advance(now)
            if head.rank == 1:
                self.ends(now)
            if due <= now:
                self.calendar(now)
            self.happens(now)
            if kernel.clock.next_due <= now:
                self.timers(now)
            if row_ts >= kernel.handlers_from:
                self.sample(now)
            until_signals -= 1
            if until_signals <= 0:
                until_signals = SIGNALS_EVERY
                PyErr_CheckSignals()
                if self.progress is not None:
                    self.progress(self.events_processed)
            head = self.feed.head()
        self.finished = True

    # -- what is due ---------------------------------------------------------------------------

    cdef int64_t next_due(self) except? -1:
        """When something other than a row of data is due next."""
        cdef int64_t due = self.kernel.clock.next_due, other
        if self.venue.next_expiry < due:
            due = self.venue.next_expiry
        if self.venue.next_delayed < due:
            due = self.venue.next_delayed
        if self.kernel.aggregates_due < due:
            due = self.kernel.aggregates_due
        if self.action_due < due:
            due = self.action_due
        if self.venue.waiting:
            other = self.next_open()
            if other < due:
                due = other
        return due

    cdef int64_t next_open(self) except? -1:
        """The earliest open that a waiting order may meet; of a bar that came late, it has passed."""
        cdef int64_t earliest = INT64_MAX, ts
        cdef Cursor cursor
        for index in self.venue.waiting:
            cursor = self.drivers[<int32_t>index]
            if cursor is None or cursor.at >= cursor.n:
                continue
            ts = cursor.ts_open[cursor.at]
            if ts < earliest and (<VenueBook>self.venue.books[<int32_t>index]).opened != ts:
                earliest = ts
        return earliest

    cdef int between(self, int64_t now) except -1:
        """An instant without a row of data."""
        if self.kernel.aggregates_due <= now:
            self.kernel.close_aggregates(now)
            self.kernel.deliver_aggregates()
            self.kernel.settle()
        self.calendar(now)
        self.opens(now)
        if self.kernel.clock.next_due <= now:
            self.timers(now)
        return 0

    # -- rank 1 --------------------------------------------------------------------------------

    cdef int ends(self, int64_t now) except -1:
        """Bars that end now: the venue over all of them, then indicators and handlers."""
        cdef Cursor cursor
        cdef Event event
        cdef Py_ssize_t start = self.feed.at, i
        cdef VenueBook book
        cdef list group
        cursor = self.feed.head()
        if self.feed.single or self.feed.at + 1 >= self.feed.n or self.group_ends(now):
            self.venue_bar(cursor)
            if self.kernel.inbox.count:
                self.kernel.deliver()
            self.take(cursor, &event)
            self.kernel.process(&event)
        else:
            group = []
            while cursor is not None and cursor.rank == 1 and cursor.ts_init[cursor.at] <= now:
                self.venue_bar(cursor)
                group.append((cursor, cursor.at))
                cursor.at += 1
                self.feed.step()
                cursor = None if self.feed.at == self.feed.n else self.feed.head()
            if self.kernel.inbox.count:
                self.kernel.deliver()
            for pair in group:
                self.process_row(<Cursor>(<tuple>pair)[0], (<tuple>pair)[1])
        if self.kernel.aggregates_due <= now:
            self.kernel.close_aggregates(now)
        if self.kernel.aggregated:
            self.kernel.deliver_aggregates()
        if self.kernel.desk.commands:
            self.kernel.settle()
        return 0

    cdef bint group_ends(self, int64_t now) except -1:
        """Whether the head is the only row of its rank at this instant."""
        cdef Cursor after = <Cursor>self.feed.cursors[self.feed.order[self.feed.at + 1]]
        cdef Cursor head = <Cursor>self.feed.cursors[self.feed.order[self.feed.at]]
        cdef Py_ssize_t row = after.at + (after is head)
        return after.rank != 1 or after.ts_init[row] > now

    cdef int venue_bar(self, Cursor cursor) except -1:
        """Let the orders of the instrument walk the bar, or pass it by."""
        cdef VenueBook book
        cdef double[5] prices
        cdef Py_ssize_t i = cursor.at
        if not cursor.drives:
            return 0
        book = <VenueBook>self.venue.books[cursor.stream.instrument.index]
        if not book.watched and not self.venue.keeps_bars():
            return self.bars.pass_by(book, cursor.ts_event[i], cursor.columns[3][i])
        prices[0] = cursor.columns[0][i]
        prices[1] = cursor.columns[1][i]
        prices[2] = cursor.columns[2][i]
        prices[3] = cursor.columns[3][i]
        prices[4] = cursor.columns[4][i]
        return self.bars.close(book, cursor.ts_open[i], cursor.ts_event[i], prices)

    cdef int take(self, Cursor cursor, Event* event) except -1:
        """Move the next row into `event` and count it."""
        cursor.fill(event)
        cursor.at += 1
        self.feed.step()
        self.events_processed += 1
        return 0

    cdef int process_row(self, Cursor cursor, Py_ssize_t row) except -1:
        cdef Event event
        cdef Py_ssize_t at = cursor.at
        cursor.at = row
        cursor.fill(&event)
        cursor.at = at
        self.events_processed += 1
        return self.kernel.process(&event)

    # -- rank 2 --------------------------------------------------------------------------------

    cdef int calendar(self, int64_t now) except -1:
        """Expiries first (the session that ends), then corporate actions (the one that begins)."""
        cdef Event event
        if self.venue.next_expiry <= now:
            self.venue.expire(now)
        while self.action_due <= now:
            self.read_action(&event)
            self.next_action += 1
            self.action_due = (
                self.actions[self.next_action][0] if self.next_action < len(self.actions)
                else INT64_MAX
            )
            apply_action(self.venue, &event)
            self.kernel.process(&event)
        if self.kernel.inbox.count or self.kernel.desk.commands:
            self.kernel.settle()
        return 0

    cdef int read_action(self, Event* event) except -1:
        ts, kind, instrument, first, second = self.actions[self.next_action]
        clear_event(event)
        event.kind = EV_SPLIT if kind == "split" else EV_DIVIDEND
        event.instrument = instrument
        event.ts_event = event.ts_init = ts
        event.quantity = first
        event.price = second
        return 0

    # -- rank 3 --------------------------------------------------------------------------------

    cdef int happens(self, int64_t now) except -1:
        """Delayed news, opens of bars (venue only), then quotes and trades."""
        cdef Cursor cursor
        if self.venue.waiting or self.venue.next_delayed <= now:
            self.opens(now)
        if not self.has_ticks:
            return 0
        cursor = self.feed.head()
        if cursor is None or cursor.rank != 3 or cursor.ts_init[cursor.at] > now:
            return 0
        return self.tick_rows(now)

    cdef int tick_rows(self, int64_t now) except -1:
        """Quotes and trades of one instant: the venue over all of them, then handlers."""
        cdef Cursor cursor = self.feed.head()
        cdef Event event
        cdef list group = []
        while cursor is not None and cursor.rank == 3 and cursor.ts_init[cursor.at] <= now:
            if cursor.drives:
                cursor.fill(&event)
                self.ticks.meet(
                    <VenueBook>self.venue.books[cursor.stream.instrument.index], &event, now
                )
            group.append((cursor, cursor.at))
            cursor.at += 1
            self.feed.step()
            cursor = None if self.feed.at == self.feed.n else self.feed.head()
        if self.kernel.inbox.count:
            self.kernel.deliver()
        for pair in group:
            self.process_row(<Cursor>(<tuple>pair)[0], (<tuple>pair)[1])
        if self.kernel.aggregated:
            self.kernel.deliver_aggregates()
        if self.kernel.desk.commands:
            self.kernel.settle()
        return 0

    cdef int opens(self, int64_t now) except -1:
        """Delayed news, then every bar that opens now and that an order waits for."""
        cdef Cursor cursor
        cdef VenueBook book
        cdef double[5] prices
        cdef Py_ssize_t i
        cdef int k
        if self.venue.next_delayed <= now:
            self.venue.release_delayed(now)
        if now > self.venue.opens_over:
            self.venue.opens_over = now
        for index in self.venue.waiting:
            cursor = self.drivers[<int32_t>index]
            i = cursor.at if cursor is not None else 0
            if cursor is None or i >= cursor.n or cursor.ts_open[i] > now:
                continue
            book = <VenueBook>self.venue.books[<int32_t>index]
            if book.opened == cursor.ts_open[i]:
                continue
            for k in range(5):
                prices[k] = cursor.columns[k][i]
            self.bars.open(book, cursor.ts_open[i], cursor.ts_event[i], prices)
        if self.kernel.inbox.count or self.kernel.desk.commands:
            self.kernel.settle()
        return 0

    # -- rank 4 --------------------------------------------------------------------------------

    cdef int timers(self, int64_t now) except -1:
        cdef int rounds = 0
        while self.kernel.clock.next_due <= now:
            self.kernel.fire_timers(now)
            self.kernel.settle()
            rounds += 1
            if rounds > 10_000:
                raise RecursionError("timers are set for the present without end")
        return 0

    cdef int sample(self, int64_t now) except -1:
        """One point of equity an instant; on ticks one a second of data time."""
        if now == self.sampled:
            return 0
        if self.has_ticks and now // SECOND_NS == self.sampled // SECOND_NS:
            return 0
        self.sampled = now
        return self.kernel.sample(now)
