"""The backtest's loop: one instant after the other, ranks within it, until the data end."""
cimport cython
from cpython.exc cimport PyErr_CheckSignals
from libc.stdint cimport INT64_MAX, int32_t, int64_t

from pyrt.backtest.bars cimport BarMatcher, in_order_of_arrival
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.calendar cimport apply_row
from pyrt.backtest.calm cimport STRETCH_ROWS, Calm
from pyrt.backtest.feed cimport Cursor, Feed
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.events cimport Event, clear_event
from pyrt.core.types cimport EV_BAR, EV_BOOK
from pyrt.execution.desk cimport Desk
from pyrt.kernel.kernel cimport Kernel


cdef inline bint has_commands(Desk desk) noexcept:
    """Whether commands are to leave: new ones, or some that wait for what may have come by now."""
    return len(desk.commands) > 0 or len(desk.waiting) > 0


cdef inline int64_t rows_in(Event* event) noexcept:
    """Rows of the table that an event stands for: a batch of book events is several."""
    return event.price - event.quantity if event.kind == EV_BOOK else 1


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
    cdef Feed feed
    cdef Calm rows
    cdef list drivers
    """Per instrument: the cursor of the bars that decide its fills, or None."""
    cdef list actions
    """Corporate actions as (ts, kind, instrument, number, number), oldest first."""
    cdef Py_ssize_t next_action
    cdef int64_t action_due
    cdef object progress
    cdef object pace
    """Waits until an instant is due on the clock; None to go on at once."""
    cdef readonly bint finished

    def __init__(self, Kernel kernel, SimVenue venue, Feed feed, *, actions=(), progress=None,
                 pace=None):
        cdef Cursor cursor
        self.pace = pace
        self.kernel = kernel
        self.venue = venue
        self.feed = feed
        self.rows = Calm(kernel, venue, feed)
        self.bars = self.rows.bars
        self.drivers = [None] * len(venue.books)
        for cursor in feed.cursors:
            cursor.book = <VenueBook>venue.books[cursor.instrument_index]
            if cursor.kind == EV_BAR and cursor.drives:
                self.drivers[cursor.stream.instrument.index] = cursor
        self.actions = sorted(actions)
        self.action_due = self.actions[0][0] if self.actions else INT64_MAX
        self.progress = progress

    def run(self):
        """Run to the end of the data; an exception leaves everything as it was at that instant."""
        cdef Cursor head = self.feed.head()
        cdef int64_t now, due, row_ts
        cdef Py_ssize_t until_signals = STRETCH_ROWS
        cdef Kernel kernel = self.kernel
        cdef SimVenue venue = self.venue
        while head is not None:
            if (self.pace is None and not venue.waiting and not kernel.desk.waiting
                    and self.calm()):
                self.look_up()
                head = self.feed.head()
                continue
            row_ts = now = head.ts_init[head.at]
            due = self.next_due()
            if self.pace is not None and min(due, now) >= kernel.market.handlers_from:
                self.pace(min(due, now))
            if min(due, now) >= self.rows.next_day:
                self.rows.turn_day(min(due, now))
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
            self.rest_of(now, row_ts, due)
            until_signals -= 1
            if until_signals <= 0:
                until_signals = STRETCH_ROWS
                self.look_up()
            head = self.feed.head()
        self.late_news()
        self.finished = True

    @property
    def events_processed(self):
        """Rows of the data's tables given to the kernel."""
        return self.rows.events_processed

    def stop(self):
        """Let the strategies stop; where the data were played to their end, hear the answers."""
        self.kernel.stop()
        if self.finished:
            self.late_news()
        else:
            self.rows.catch_up()

    cdef int late_news(self) except -1:
        """Hand out, each at its own time, what was under way when the data ended.

        That is what the venue had said and decided, and commands it had not received yet. No price
        follows: nothing fills that had not, and timers and expiries of later times do not come.
        What strategies send on hearing these is answered after they have stopped.
        """
        cdef Kernel kernel = self.kernel
        cdef int64_t horizon = self.venue.last_delayed()
        if self.venue.next_delayed > kernel.clock.now:
            self.rows.catch_up()
        if self.venue.next_delayed > horizon:
            return 0
        while self.venue.next_delayed <= horizon:
            kernel.advance(self.venue.next_delayed)
            self.venue.release_delayed(kernel.clock.now)
            kernel.settle()
        self.rows.sampled = kernel.clock.now
        return kernel.sample(self.rows.sampled)

    cdef int look_up(self) except -1:
        """Notice Ctrl-C, show progress."""
        PyErr_CheckSignals()
        if self.progress is not None:
            self.progress(self.rows.events_processed)
        return 0

    cdef int calm(self) except -1:
        """Take rows while no order waits and nothing but data is due; return how many.

        An instant that leaves something to do is completed, and ends the stretch.
        """
        cdef Calm rows = self.rows
        cdef int64_t due = self.next_due()
        rows.play(due)
        if rows.rank == 1:
            self.settle_ends(rows.now)
            self.rest_of(rows.now, rows.now, due)
        elif rows.rank:
            self.settle_ticks()
            if self.kernel.clock.next_due <= rows.now:
                self.timers(rows.now)
            if rows.now >= self.kernel.market.handlers_from:
                rows.sample(rows.now)
        return rows.taken

    cdef int rest_of(self, int64_t now, int64_t row_ts, int64_t due) except -1:
        """What follows the bars that end at an instant: calendar, happenings, timers, equity."""
        if due <= now or self.venue.next_expiry <= now:
            self.calendar(now)
        self.happens(now)
        if self.kernel.clock.next_due <= now:
            self.timers(now)
        if row_ts >= self.kernel.market.handlers_from:
            self.rows.sample(now)
        return 0

    # -- what is due ---------------------------------------------------------------------------

    cdef int64_t next_due(self) except? -1:
        """When something other than a row of data is due next."""
        cdef int64_t due = self.kernel.clock.next_due, other
        if self.venue.next_expiry < due:
            due = self.venue.next_expiry
        if self.venue.next_delayed < due:
            due = self.venue.next_delayed
        if self.kernel.aggregates.due < due:
            due = self.kernel.aggregates.due
        if self.action_due < due:
            due = self.action_due
        if self.venue.waiting:
            other = self.next_open()
            if other < due:
                due = other
        return due

    cdef int64_t next_open(self) except? -1:
        """The earliest open that a waiting order may meet; that of a late bar has passed."""
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
        if self.kernel.aggregates.due <= now:
            self.kernel.aggregates.close(now)
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
        cdef Cursor cursor = self.feed.head()
        cdef Event event
        cdef list group
        clear_event(&event)
        if not self.venue.waiting:
            # No order meets these bars, so one pass over them is as good as two.
            while cursor is not None and cursor.rank == 1 and cursor.ts_init[cursor.at] <= now:
                self.venue_bar(cursor)
                self.take(cursor, &event)
                self.kernel.market.on_bar(cursor.stream, &event)
                cursor = None if self.feed.at == self.feed.n else self.feed.head()
            return self.settle_ends(now)
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
        return self.settle_ends(now)

    cdef int settle_ends(self, int64_t now) except -1:
        """Aggregated bars that end now, then the commands of all."""
        if self.kernel.aggregates.due <= now:
            self.kernel.aggregates.close(now)
        if self.kernel.aggregates.ready():
            self.kernel.deliver_aggregates()
        if has_commands(self.kernel.desk):
            self.kernel.settle()
        return 0

    cdef int venue_bar(self, Cursor cursor) except -1:
        """Let the orders of the instrument walk the bar, or pass it by."""
        cdef VenueBook book
        cdef double[5] prices
        cdef Py_ssize_t i = cursor.at
        if not cursor.drives:
            return 0
        book = <VenueBook>self.venue.books[cursor.stream.instrument.index]
        if not book.watched and not self.venue.keeps_bars():
            return self.bars.pass_by(
                book, cursor.instrument_index, cursor.ts_event[i], cursor.columns[3][i]
            )
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
        self.rows.events_processed += rows_in(event)
        return 0

    cdef int process_row(self, Cursor cursor, Py_ssize_t row) except -1:
        cdef Event event
        cdef Py_ssize_t at = cursor.at
        clear_event(&event)
        cursor.at = row
        cursor.fill(&event)
        cursor.at = at
        self.rows.events_processed += rows_in(&event)
        return self.kernel.process(&event)

    # -- rank 2 --------------------------------------------------------------------------------

    cdef int calendar(self, int64_t now) except -1:
        """Expiries first (the session that ends), then corporate actions (the one that begins)."""
        if self.venue.next_expiry <= now:
            self.venue.expire(now)
        while self.action_due <= now:
            row = self.actions[self.next_action]
            self.next_action += 1
            self.action_due = (
                self.actions[self.next_action][0] if self.next_action < len(self.actions)
                else INT64_MAX
            )
            apply_row(self.venue, self.kernel, row, now)
        if self.kernel.inbox.count or has_commands(self.kernel.desk):
            self.kernel.settle()
        return 0

    # -- rank 3 --------------------------------------------------------------------------------

    cdef int happens(self, int64_t now) except -1:
        """Delayed news, opens of bars (venue only), then quotes and trades."""
        cdef Cursor cursor
        if self.venue.waiting or self.venue.next_delayed <= now:
            self.opens(now)
        else:
            self.venue.opens_over = now
        if not self.rows.has_ticks:
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
        cdef bint waiting = len(self.venue.waiting) > 0
        clear_event(&event)
        while cursor is not None and cursor.rank == 3 and cursor.ts_init[cursor.at] <= now:
            cursor.fill(&event)
            if cursor.drives:
                self.rows.meet_tick(
                    cursor, <VenueBook>self.venue.books[cursor.stream.instrument.index], &event,
                    now,
                )
            if waiting:
                group.append((cursor, cursor.at))
            cursor.at += 1
            self.feed.step()
            if not waiting:
                # No order meets these rows, so one pass over them is as good as two.
                self.rows.events_processed += rows_in(&event)
                self.kernel.process(&event)
            cursor = None if self.feed.at == self.feed.n else self.feed.head()
        if self.kernel.inbox.count:
            self.kernel.deliver()
        for pair in group:
            self.process_row(<Cursor>(<tuple>pair)[0], (<tuple>pair)[1])
        return self.settle_ticks()

    cdef int settle_ticks(self) except -1:
        """Bars that ticks completed, then the commands of all."""
        if self.kernel.aggregates.ready():
            self.kernel.deliver_aggregates()
        if has_commands(self.kernel.desk):
            self.kernel.settle()
        return 0

    cdef int opens(self, int64_t now) except -1:
        """Delayed news, then every bar that opens now and that an order waits for."""
        if self.venue.next_delayed <= now:
            self.venue.release_delayed(now)
        if now > self.venue.opens_over:
            self.venue.opens_over = now
        self.meet_opens(now)
        if self.kernel.inbox.count or has_commands(self.kernel.desk):
            self.kernel.settle()
        return 0

    cdef int meet_opens(self, int64_t now) except -1:
        """Let the orders of all instruments that open now meet their opens, in order of arrival.

        Across instruments, so that a sale can pay for what is bought after it.
        """
        cdef VenueBook book
        cdef VenueOrder order
        cdef list opening = []
        for index in list(self.venue.waiting):
            if self.begin_open(<int32_t>index, now):
                opening.append(self.venue.books[<int32_t>index])
        for order in in_order_of_arrival(opening):
            self.bars.meet_open(<VenueBook>self.venue.books[order.index], order)
        for book in opening:
            self.bars.end_open(book)
        return 0

    cdef bint begin_open(self, int32_t index, int64_t now) except -1:
        """Whether a bar of the instrument opens now; its prices are then in the book."""
        cdef Cursor cursor = self.drivers[index]
        cdef VenueBook book = <VenueBook>self.venue.books[index]
        cdef double[5] prices
        cdef Py_ssize_t i
        cdef int k
        if cursor is None or cursor.at >= cursor.n:
            return False
        i = cursor.at
        if cursor.ts_open[i] > now or book.opened == cursor.ts_open[i]:
            return False
        for k in range(5):
            prices[k] = cursor.columns[k][i]
        self.bars.begin_open(book, cursor.ts_open[i], cursor.ts_event[i], prices)
        return True

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
