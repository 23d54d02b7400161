"""The kernel's two inputs as a live world gives them: decoded messages, one at a time."""
from libc.stdint cimport INT64_MAX, INT64_MIN, int64_t

from pyrt.core.book_feed cimport BookColumns
from pyrt.core.events cimport Event, clear_event
from pyrt.core.numbers cimport decimal_from_scaled, money_from_object, nano_from_object
from pyrt.core.orders cimport Order, no_price
from pyrt.core.int128 cimport i128_add, i128_notional, i128_to_int
from pyrt.core.ports cimport FeeModel
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport (
    EV_BAR, EV_BOOK, EV_CASH, EV_DAY_END, EV_DENIED, EV_FILL, EV_MODIFIED, EV_QUOTE, EV_TRADE,
)

import msgspec

from pyrt.core.types import EVENT_NAMES, LIQUIDITY_NAMES
from pyrt.errors import RunawayError, StrategyError
from pyrt.execution.booking cimport BORROW_FEE, DEPOSIT, DIVIDEND, FEE_ADJUSTMENT, INTEREST
from pyrt.kernel.kernel cimport Kernel
from pyrt.live.core.book_rows import book_rows
from pyrt.live.core.tape cimport OP_END_BARS, OP_SAMPLE, OP_SETTLE, OP_TIMERS, Tape

ENCODER = msgspec.msgpack.Encoder()
KINDS = {name: kind for kind, name in EVENT_NAMES.items()}
ENTRY_KINDS = {
    "cash": DEPOSIT, "dividend": DIVIDEND, "interest": INTEREST, "borrow": BORROW_FEE,
}
# How late time may come for what is due: a process that is later stood still.
cdef int64_t STOOD_STILL_NS = 15_000_000_000
# A loop that goes round once a second at least, and now did not, has heard nothing for that long.
cdef int64_t DEAF_NS = 2_000_000_000


cdef class Inputs:
    """Feeds a kernel with what a client core has decoded.

    Parameters
    ----------
    kernel : Kernel
    tape : Tape, optional
        Every input is recorded on it, before the kernel takes it.
    fees : FeeModel, optional
        What fills cost by the venue's rules, where the broker does not say; nothing by default.
    """

    def __init__(self, Kernel kernel, Tape tape=None, FeeModel fees=None):
        self.kernel = kernel
        self.tape = tape
        self.last_bars = {}
        self.fees = fees
        if fees is not None:
            fees.begin()

    @property
    def count(self):
        """How many inputs were recorded so far; 0 without a tape."""
        return 0 if self.tape is None else self.tape.count

    @property
    def next_timer(self):
        """When a timer or the end of an aggregated bar is due, ns UTC; None when neither is."""
        cdef int64_t due = self.next_due()
        return None if due == INT64_MAX else due

    cdef int64_t next_due(self) noexcept:
        return min(
            INT64_MAX if self.holds_timers else self.kernel.clock.next_due,
            INT64_MAX if self.holds_bars else max(self.kernel.aggregates.due, self.ends_from),
        )

    def hold(self):
        """Let time pass without firing timers and ending aggregated bars: the node was down."""
        self.holds_timers = self.holds_bars = True
        # Whoever knew what is on its way is gone; what asks anew says it again.
        for stream in self.kernel.cache.streams:
            self.kernel.aggregates.hold(stream, False)

    def release_timers(self):
        """Fire timers again; what was due meanwhile fires once, however often it was due."""
        self.kernel.clock.skip(self.kernel.clock.now)
        self.holds_timers = False

    def release_bars(self, int64_t until=0):
        """End aggregated bars again whose time is over; of those over at `until` nobody hears."""
        if until:
            self.end_quietly(until)
        self.holds_bars = False

    cdef int end_quietly(self, int64_t until) except -1:
        """End aggregated bars that were over at `until`, for indicators alone."""
        self.kernel.set_handlers_from(INT64_MAX)
        try:
            for stream in self.kernel.cache.streams:
                if not self.kernel.aggregates.makes(stream):
                    end_past(self.kernel, stream, until)
        finally:
            self.kernel.set_handlers_from(INT64_MIN)
        return 0

    def hold_made(self, Stream stream not None, bint waits):
        """Let bars made of a stream's bars wait for parts that are on their way, or no longer."""
        if self.tape is not None:
            self.tape.note(
                ENCODER.encode({"what": "wait", "stream": stream.index, "waits": waits})
            )
        self.let_wait(stream, waits)

    def let_wait(self, Stream stream not None, bint waits):
        """Do what `hold_made` does without recording it."""
        self.kernel.aggregates.hold(stream, waits)

    def is_idle(self, int64_t ts):
        """Return whether time stands at `ts` already and nothing waits to be done."""
        return (
            ts <= self.kernel.clock.now < self.next_due()
            and not self.kernel.desk.commands and not len(self.kernel.inbox)
        )

    def order(self, int number):
        """Return an order by its number; None if there is none."""
        return self.kernel.cache.order(number)

    def advance(self, int64_t ts):
        """Move time forward; what is due at earlier times happens at its own time.

        After the process stood still it is left due now, and once however often it was: orders at
        times that are over would pass limits on how many may leave in a second. And parts of bars
        have waited unheard: what is made of them has its grace once more.
        """
        if self.tape is not None:
            self.tape.advance(ts)
        if self.kernel.grace_ns and not self.holds_bars and ts - self.kernel.clock.now > DEAF_NS:
            self.ends_from = ts + self.kernel.grace_ns
        # In lockstep, where nothing is waited for, an instant may be any time after the one before.
        if self.kernel.grace_ns and ts - self.next_due() > STOOD_STILL_NS:
            self.kernel.clock.skip(ts)
            self.went_on = ts
        elif ts != self.went_on:
            # All that has waited with the first message is heard before what is due.
            self.catch_up(ts)
        self.kernel.advance(ts)

    cdef int catch_up(self, int64_t ts) except -1:
        """Let what is due before `ts` happen, each at its own time."""
        while self.next_due() < ts:
            self.kernel.advance(self.next_due())
            self.finish_bars()
            self.fire()
        return 0

    def end_bars(self):
        """Hand on aggregated bars that are over, after the bars that completed them."""
        if self.tape is not None:
            self.tape.plain(OP_END_BARS)
        self.finish_bars()

    cdef int finish_bars(self) except -1:
        if (
            max(self.kernel.aggregates.due, self.ends_from) <= self.kernel.clock.now
            and not self.holds_bars
        ):
            self.kernel.aggregates.close(self.kernel.clock.now)
        self.kernel.deliver_aggregates()
        return self.quiet()

    def fire_timers(self):
        """Fire what is due now."""
        if self.kernel.clock.next_due <= self.kernel.clock.now and not self.holds_timers:
            if self.tape is not None:
                self.tape.plain(OP_TIMERS)
            self.fire()

    cdef int quiet(self) except -1:
        """Settle; a strategy that issues commands without end is stopped, and the others go on."""
        if self.kernel.desk.runaway is not None:
            self.restrict(self.kernel.desk.runaway)
            self.kernel.desk.runaway = None
        while True:
            try:
                return self.kernel.settle()
            except RunawayError as error:
                self.stop_runaway(error)

    def restrict(self, error):
        """Let nothing more leave of the strategy that an error names."""
        if hasattr(self.kernel.gate, "set_state"):
            name = error.values["strategy"]
            self.kernel.gate.set_state("halted", "node", error.message, strategy=name)

    def stop_runaway(self, error):
        """Stop the strategy that an error names; nothing more of it leaves."""
        name = error.values.get("strategy")
        for strategy in self.kernel.strategies:
            if strategy.name == name and strategy.running:
                self.restrict(error)
                self.kernel.calls.halt(strategy, error.message)
                self.kernel.errors.append(StrategyError(error.message, strategy=name))
                return
        raise error

    cdef int fire(self) except -1:
        try:
            self.kernel.fire_timers(self.kernel.clock.now)
        except RunawayError as error:
            self.stop_runaway(error)
        return self.quiet()

    def cash(self, int64_t ts_event, amount, str kind="other", str symbol=""):
        """Take a change of the account's cash that no fill made, in its base currency.

        Parameters
        ----------
        amount : number or str
            What cash gains.
        kind : str
            ``"cash"`` for money moved in or out, which is neither gain nor cost; ``"interest"``
            and ``"borrow"`` have accounts of their own in a ledger, ``"dividend"`` is what
            positions have realized too, all else are adjustments.
        symbol : str
            Of what paid it, where the node trades that.
        """
        cdef Event event
        self.begin(&event, EV_CASH, ts_event)
        for instrument in self.kernel.cache.instruments if symbol else ():
            if instrument.symbol == symbol:
                event.instrument = instrument.index
        event.fee = money_from_object(amount)
        event.quantity = ENTRY_KINDS.get(kind, FEE_ADJUSTMENT)
        self.feed(&event)

    def end_day(self, int64_t ts_event):
        """End a day of the account: sales settle, margin is looked at, the next day begins.

        What the broker charges for the night comes as changes of cash, once it says so.
        """
        cdef Event event
        self.begin(&event, EV_DAY_END, ts_event)
        self.feed(&event)

    cdef int begin(self, Event* event, int kind, int64_t ts_event, Stream stream=None) except -1:
        """Make an event of now, of a stream's instrument where there is one."""
        clear_event(event)
        event.kind = kind
        event.ts_event = ts_event
        event.ts_init = self.kernel.clock.now
        if stream is not None:
            event.stream = stream.index
            event.instrument = stream.instrument.index
        return 0

    cdef int feed(self, Event* event) except -1:
        """Give the kernel an event, after it is recorded."""
        if self.tape is not None:
            self.tape.event(
                event, self.kernel.records.texts.names[event.reason] if event.reason else None
            )
        self.kernel.process(event)
        # What an order's event makes of orders kept here is known before the next row of data.
        return self.kernel.deliver() if event.kind >= EV_DENIED else 0

    def bar(self, Stream stream not None, int64_t ts_open, int64_t ts_close, double open,
            double high, double low, double close, double volume):
        """Take one bar; commands of its handlers wait for `settle`, coarser bars for `end_bars`."""
        cdef Event event
        self.begin(&event, EV_BAR, ts_close, stream)
        event.ts_open = ts_open
        event.values[0] = open
        event.values[1] = high
        event.values[2] = low
        event.values[3] = close
        event.values[4] = volume
        self.feed(&event)

    def quote(self, Stream stream not None, int64_t ts_event, double bid_price, double bid_size,
              double ask_price, double ask_size):
        """Take a best bid and offer; a price of 0 means that side is empty."""
        cdef Event event
        self.begin(&event, EV_QUOTE, ts_event, stream)
        event.values[0] = bid_price
        event.values[1] = bid_size
        event.values[2] = ask_price
        event.values[3] = ask_size
        self.feed(&event)

    def trade(self, Stream stream not None, int64_t ts_event, double price, double size,
              int aggressor=0):
        """Take a print; `aggressor` is 1 for a buyer, -1 for a seller, 0 if not told."""
        cdef Event event
        self.begin(&event, EV_TRADE, ts_event, stream)
        event.values[0] = price
        event.values[1] = size
        event.quantity = aggressor
        self.feed(&event)

    def book(self, Stream stream not None, int64_t ts_event, bids, asks, bint is_full):
        """Take a message of an order book.

        Parameters
        ----------
        bids, asks : sequence of (price, size)
            What these levels show now; size 0 for one that is gone.
        is_full : bool
            Whether levels that are not named are gone.

        Raises
        ------
        DataError
            If a price or size makes no sense; nothing is changed.
        """
        rows = book_rows(ts_event, bids, asks, is_full)
        if rows is None:
            return
        if self.tape is not None:
            self.tape.note(ENCODER.encode({
                "what": "book", "stream": stream.index, "ts": ts_event, "bids": bids,
                "asks": asks, "full": is_full,
            }))
        self.take_book(stream, ts_event, rows)

    def feed_book(self, Stream stream not None, int64_t ts_event, bids, asks, bint is_full):
        """Do what `book` does without recording it."""
        self.take_book(stream, ts_event, book_rows(ts_event, bids, asks, is_full))

    def lose_book(self, Stream stream not None, int64_t ts_event):
        """Take word that changes of a book were lost: it is stale until its next full message."""
        cdef Event event
        self.begin(&event, EV_BOOK, ts_event, stream)
        event.price = -1  # where other events have how many rows are applied
        self.feed(&event)

    cdef int take_book(self, Stream stream, int64_t ts_event, BookColumns rows) except -1:
        cdef Event event
        stream.take_rows(rows)
        self.begin(&event, EV_BOOK, ts_event, stream)
        event.price = rows.count
        return self.kernel.process(&event)

    def warm(self, Stream stream not None, rows, int64_t until=0):
        """Feed indicators with past bars, oldest first: no handler hears of them.

        Parameters
        ----------
        rows : iterable of tuple
            Start, end, open, high, low, close, volume.
        until : int, optional
            What is made of these bars and was over at this time is past, too; ns UTC.
        """
        data = ENCODER.encode(
            {"what": "warm", "stream": stream.index, "rows": rows, "until": until}
        )
        if self.tape is not None:
            self.tape.note(data)
        self.feed_past(stream, rows, until)

    def feed_past(self, Stream stream not None, rows, int64_t until=0):
        """Do what `warm` does without recording it."""
        cdef bint marks = stream.marks
        cdef Event event
        stream.set_marks(False)
        # Later than any row: neither these bars nor coarser ones made of them reach a handler.
        self.kernel.set_handlers_from(INT64_MAX)
        try:
            for row in rows:
                clear_event(&event)
                event.kind = EV_BAR
                event.stream = stream.index
                event.instrument = stream.instrument.index
                event.ts_open = row[0]
                event.ts_event = row[1]
                event.ts_init = row[1]
                for i in range(5):
                    event.values[i] = row[2 + i]
                self.kernel.process(&event)
                self.kernel.deliver_aggregates()
                self.last_bars[stream.index] = event.ts_event
            # In a run that goes on, they end by time once all that was missing is there.
            if not self.holds_bars:
                end_past(self.kernel, stream, until)
        finally:
            self.kernel.set_handlers_from(INT64_MIN)
            stream.set_marks(marks)

    def sample(self):
        """Write a point of the equity curve for the present."""
        if self.tape is not None:
            self.tape.plain(OP_SAMPLE)
        self.kernel.sample(self.kernel.clock.now)

    def order_event(self, str kind, int number, int64_t ts_event, str reason="", *,
                    quantity=None, limit_price=None, stop_price=None):
        """Take what a broker said about an order, other than a fill.

        Parameters
        ----------
        quantity, limit_price, stop_price : number or str, optional
            Terms now in force, for ``modified``; None leaves a term as it is.
        """
        cdef Event event
        cdef Order order = self.kernel.cache.order(number)
        self.begin(&event, KINDS[kind], ts_event)
        event.order = number
        event.reason = self.kernel.records.texts.number(reason)
        if event.kind == EV_MODIFIED:
            event.price = no_price() if limit_price is None else nano_from_object(limit_price)
            event.cumulative = no_price() if stop_price is None else nano_from_object(stop_price)
            if quantity is not None:
                event.quantity = order.instrument.quantity_raw(quantity)
        self.feed(&event)

    def fill(self, int number, int64_t ts_event, quantity, price, cumulative, fee=None,
             str liquidity="", taken=None):
        """Take an execution; one that was seen before changes nothing.

        Parameters
        ----------
        fee : number or str, optional
            In the instrument's currency; None accrues what the fee model computes.
        taken : number or str, optional
            Units of what was bought that the venue has kept; None takes the fee model's word.

        Returns
        -------
        Decimal
            The fee in money; 0 where the venue keeps a part of what was bought.
        """
        cdef Event event
        cdef Order order = self.kernel.cache.order(number)
        self.begin(&event, EV_FILL, ts_event)
        event.order = number
        event.quantity = order.instrument.quantity_raw(quantity)
        event.cumulative = order.instrument.quantity_raw(cumulative)
        event.price = nano_from_object(price)
        event.liquidity = LIQUIDITY_NAMES.index(liquidity)
        if fee is not None:
            event.fee = money_from_object(fee)
        elif event.cumulative > order.filled:
            self.accrue(order, &event, taken)
        self.feed(&event)
        # What is taken in kind is no cash that the broker would charge later.
        return decimal_from_scaled(0 if event.taken else i128_to_int(event.fee), 18)

    cdef int accrue(self, Order order, Event* event, object taken) except -1:
        """Charge an execution what the venue's rules say, and what it is known to have kept."""
        if taken is not None:
            event.taken = order.instrument.quantity_raw(taken)
        if self.fees is not None:
            event.fee = self.fees.fee(
                order.instrument, order.side_sign, event.quantity, event.price, event.liquidity,
                event.ts_event, order.filled,
            )
            if taken is None and self.fees.in_kind:
                event.taken = self.fees.taken(
                    order.instrument, order.side_sign, event.quantity, event.price,
                    event.liquidity, event.ts_event,
                )
            self.fees.book(
                order.instrument, order.side_sign, event.quantity, event.price, event.liquidity,
                event.ts_event,
            )
        event.fee = i128_add(
            event.fee, i128_notional(event.price, event.taken, order.instrument.factor)
        )
        return 0

    cdef int book_fee(self, Event* event) except -1:
        """Let the fee model count an execution that is played: what it charges may depend on it."""
        cdef Order order = self.kernel.cache.order(event.order)
        if order is not None and event.cumulative > order.filled:
            self.fees.book(
                order.instrument, order.side_sign, event.quantity, event.price, event.liquidity,
                event.ts_event,
            )
        return 0

    def settle(self):
        """Send what was issued, process what came back."""
        if self.tape is not None:
            self.tape.plain(OP_SETTLE)
        self.quiet()

    def break_off(self):
        """Let a tape that is being played end after the input that is being taken."""
        self.is_broken_off = True


cdef int end_past(Kernel kernel, Stream stream, int64_t until) except -1:
    """End what is made of past bars, finest first, as far as its time was over."""
    kernel.aggregates.close_made(stream, until)
    kernel.deliver_aggregates()
    for _, target in stream.aggregates:
        end_past(kernel, target, until)
    return 0
