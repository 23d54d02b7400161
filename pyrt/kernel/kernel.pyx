"""The kernel: two inputs, `advance` and `process`; both worlds call these and nothing else."""
cimport cython

from pyrt.core.data cimport Status
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport i128_to_double, int128
from pyrt.core.positions cimport Position
from pyrt.core.ports cimport CANCEL, SUBMIT, ApprovedOrder
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport (
    EV_BAR, EV_BOOK, EV_CASH, EV_DAY_END, EV_DENIED, EV_DIVIDEND, EV_MODIFY_REJECTED, EV_QUOTE,
    EV_RATE, EV_SENT, EV_SPLIT, EV_STATUS, EV_TRADE, INITIALIZED, REFUSED, RELEASED, is_final,
)
from pyrt.execution.booking cimport DEPOSIT, DIVIDEND
from pyrt.execution.reversals cimport divide, make_way, undoes
from pyrt.execution.room cimport is_crowded, make_room
from pyrt.execution.targets cimport goes_on, in_the_way
from pyrt.execution.triggers cimport is_told_of
from pyrt.execution.waits cimport drop, hold, hold_behind, split, trim, wake
from pyrt.kernel.hooks cimport Hooks
from pyrt.kernel.probe cimport RISK, Probe
from pyrt.strategy.core cimport StrategyCore

from pyrt.core.price_bands import PriceBands
from pyrt.core.times import format_ns
from pyrt.core.types import TRADING_STATUS_NAMES
from pyrt.core.verdict import Verdict
from pyrt.errors import RunawayError
from pyrt.kernel.subscriptions import topic_of


cdef inline bint is_first_of_pair(Order order) noexcept:
    """Whether an order brings the other of its pair along: one that waits for the same answer."""
    return (
        order.sibling is not None and order.parent is None
        and order.sibling.status_ == INITIALIZED
    )


cdef inline bint is_here(Order order) noexcept:
    """Whether the venue has not heard of an order: it is new, or released and not sent yet."""
    return order.status_ == INITIALIZED or order.status_ == RELEASED


cdef inline bint turns_position(Order order) noexcept:
    """Whether an order opens the other side of what is held, by itself: none of a pair, no part."""
    return (
        order.side_sign * order.position.units < 0 and not order.is_exit
        and order.parent is None and order.origin is None and order.sibling is None
    )


@cython.final
cdef class Kernel(Wiring):
    """Bus, clock, cache, risk, execution and portfolio around one `process(event)`.

    Deterministic: reads no wall clock, opens nothing, draws no random number. What is not
    deterministic comes in through `advance` and `process`.

    Parameters
    ----------
    account : Account
    gate : RiskGate
    prefix : str
        Begins every client order id.
    on_error : {"raise", "halt", "log"}
        What an exception in a handler does: end the run, stop that strategy, or be logged.
    cost : {"average", "fifo"}
        How closed units are costed.
    keep_closed : bool
        Keep closed orders findable for late fills.
    default_tif : dict, optional
        Kind of instrument → default time in force.
    capabilities : dict, optional
        Kind of instrument → what the venue can do; the rest is emulated. By default everything.
    """

    # -- the two inputs ------------------------------------------------------------------------

    cdef int advance(self, int64_t ts) except -1:
        """Move time forward; an earlier `ts` leaves it where it is."""
        if ts > self.clock.now:
            self.clock.now = ts
        return 0

    cdef int process(self, Event* event) except -1:
        """Take one event in: state first, then indicators, then handlers."""
        if event.kind == EV_BAR:
            return self.market.on_bar(<Stream>self.cache.streams[event.stream], event)
        if event.kind == EV_QUOTE:
            return self.market.on_quote(<Stream>self.cache.streams[event.stream], event)
        if event.kind == EV_TRADE:
            return self.market.on_trade(<Stream>self.cache.streams[event.stream], event)
        if event.kind == EV_BOOK:
            return self.market.on_book(<Stream>self.cache.streams[event.stream], event)
        if event.kind == EV_STATUS:
            return self.on_status(event)
        if event.kind == EV_SPLIT or event.kind == EV_DIVIDEND:
            return self.on_corporate_action(event)
        if event.kind == EV_DAY_END or event.kind == EV_RATE:
            self.curve.touch()
            return self.booking.on_account(event)
        if event.kind == EV_CASH:
            return self.on_cash(event)
        return self.answers.apply(event)

    cdef int on_cash(self, Event* event) except -1:
        """Book cash that no trade moved; what is paid in or out is neither profit nor loss."""
        cdef int128 amount
        self.curve.touch()
        if event.quantity == DIVIDEND and event.instrument >= 0:
            return self.booking.share_dividend(self.cache.by_instrument[event.instrument], event)
        self.booking.on_account(event)
        if event.quantity == DEPOSIT:
            amount = self.booking.account.to_base(event.fee_currency, event.fee)
            self.curve.shift(i128_to_double(amount))
            if self.watcher is not None:
                self.watcher.on_deposit(amount)
        return 0

    cdef int on_status(self, Event* event) except -1:
        """Tell risk and every strategy whether and how an instrument trades."""
        cdef Instrument instrument = <Instrument>self.cache.instruments[event.instrument]
        cdef StrategyCore owner
        self.gate.note_status(event.instrument, event.flags)
        if event.ts_init < self.market.handlers_from:
            return 0
        view = Status(
            instrument.symbol, TRADING_STATUS_NAMES[event.flags],
            self.records.texts.names[event.reason], event.ts_event, self.clock.now,
        )
        self.bus.begin()
        try:
            for owner in self.strategies:
                handler = (<Hooks>self.hooks[owner.number]).on_status
                if owner.running and handler is not None:
                    self.calls.call(owner, handler, view)
        finally:
            self.bus.end()
        return 0

    def tell_bands(self, str symbol, double lower, double upper, int64_t ts_event):
        """Publish price bands as ``data.bands.SYMBOL``; 0 and infinity say that there are none."""
        self.bus.publish(
            topic_of("bands", symbol),
            PriceBands(symbol, lower, upper, ts_event, self.clock.now),
        )

    cdef int on_corporate_action(self, Event* event) except -1:
        cdef Position position
        cdef int64_t before = self.account.holdings[event.instrument].units
        self.curve.touch()
        for position in self.cache.by_instrument[event.instrument]:
            if event.kind == EV_SPLIT:
                self.booking.split(position, event)
            else:
                self.booking.dividend(position, event)
        if event.kind == EV_SPLIT:
            self.account.split_carried(event.instrument, before, event.quantity, event.price)
            return self.restate(event.instrument, event.quantity, event.price)
        if self.watcher is not None:
            self.watcher.on_corporate_action(event.instrument, 1, 1)
        return 0

    cdef int restate(self, Py_ssize_t index, int64_t new, int64_t old) except -1:
        """Let `old` units be `new` ones in all that is no holding."""
        cdef Stream stream
        cdef Order order
        for stream in self.cache.streams:
            if stream.instrument.index == index:
                stream.last_price *= <double>old / <double>new
        self.sink.split(index, new, old)
        if self.watcher is not None:
            self.watcher.on_corporate_action(index, new, old)
        for order in split(self.desk, index, new, old):
            drop(self.desk, order)
            self.deny(order, "split: nothing of the quantity is left")
        return 0

    # -- commands ------------------------------------------------------------------------------

    cdef int deliver(self) except -1:
        """Process what came back; commands issued meanwhile wait for `settle`."""
        cdef Event event
        while self.inbox.pop(&event):
            self.process(&event)
        return 0

    cdef int settle(self) except -1:
        """Process what came back and send what was issued, until nothing is left to do."""
        cdef Command command
        cdef list batch
        cdef int rounds = 0
        while True:
            self.deliver()
            if self.desk.waiting:
                wake(self.desk)
            if not self.desk.commands:
                return 0
            rounds += 1
            if rounds > self.rounds_max:
                command = self.desk.commands[0]
                raise RunawayError(
                    f"{command.order.strategy.name} still issues commands after {self.rounds_max} "
                    f"rounds at {format_ns(self.clock.now)}",
                    remedy="A handler answers its own orders' events without end",
                    strategy=command.order.strategy.name,
                )
            batch = self.desk.commands
            self.desk.commands = []
            for command in batch:
                self.execute(command)

    cdef int execute(self, Command command) except -1:
        """Risk, then the venue; a cancel always leaves."""
        cdef Order order = command.order
        cdef str reason
        cdef bint has_waited
        if command.kind == SUBMIT:
            if order.status_ != INITIALIZED and order.status_ != RELEASED:
                # The second of a pair: it went, or was denied, with the first.
                return 0
            if (order.sibling is not None and order.status_ == INITIALIZED
                    and self.sink.has(order)):
                # It is kept since the first went.
                return 0
            if order.sibling is None and (self.desk.waiting or self.sink.watching):
                reason = hold_behind(self.desk, command)
                if reason is not None:
                    return self.deny(order, reason) if reason else 0
            if order.moves and order.status_ == INITIALIZED:
                if hold(self.desk, command):
                    return 0
                if not trim(self.desk, order):
                    return self.answers.refuse(
                        order, EV_DENIED,
                        f"target: nothing is left to trade, {order.symbol} is where it was wanted",
                    )
                # `object`: what few orders ask has no place in the port.
                # In a halt it is denied, and what rests goes on guarding.
                if (command.units > 0 or is_crowded(order) or undoes(order)) and not (
                        (<object>self.sink).flips(order) or self.gate.halts(order)):
                    reason = divide(self.desk, command)
                    if reason is not None:
                        return self.answers.refuse(order, EV_DENIED, reason) if reason else 0
                    # No exit gives way to an order that is going to be denied.
                    if (order.target != 0 and self.gate.preview(order, self.clock.now) is None
                            and make_room(self.desk, command)):
                        return 0
                if goes_on(order) and in_the_way(self.cache, order) and not (
                        (<object>self.sink).flips(order)
                        or self.gate.preview(order, self.clock.now) is not None):
                    if make_way(self.desk, command):
                        return 0
            elif order.status_ == INITIALIZED and turns_position(order):
                has_waited = command.units > 0
                if not (<object>self.sink).flips(order):
                    # What opens a side is refused there until the other has been left.
                    command.units = max(order.units, 1)
                if hold(self.desk, command):
                    return 0
                if has_waited:
                    return self.deny(order, (
                        f"close: {order.symbol} was not left, and at the venue no order crosses "
                        "zero"
                    ))
            if order.parent is None or order.status_ == RELEASED:
                self.submit(order)
            return 0
        if is_final(order.status_):
            if command.kind == CANCEL:
                order.cancel_request = REFUSED
            else:
                order.modify_request = REFUSED
            return 0
        if command.kind == CANCEL:
            if is_here(order) and not self.sink.has(order):
                if is_told_of(self.inbox, order):
                    # It was kept here, and has ended: that is heard first.
                    self.desk.commands.append(command)
                    return 0
                # It waits, or its wait has just ended and its submission comes behind this, or
                # whoever made it was broken off before it was sent.
                if hold(self.desk, command):
                    return 0
                drop(self.desk, order)
                return self.deny(order, "canceled: it had not left yet")
            if self.watcher is not None and self.watcher.watches_orders:
                self.watcher.on_cancel(order, self.clock.now)
            if self.sink.has(order):
                return self.sink.withdraw(order)
            return self.venue.withdraw(order, self.clock.now)
        if is_here(order) and not self.sink.has(order):
            return self.answers.refuse(order, EV_MODIFY_REJECTED, "it has not left yet")
        reason = self.judged_change(command)
        if reason is None:
            if not self.sink.has(order):
                return self.venue.change(command, self.clock.now)
            reason = self.sink.change(command)
            if reason is None:
                return 0
        return self.answers.refuse(order, EV_MODIFY_REJECTED, reason)

    cdef str judged(self, Order order):
        """Ask the gate; how long it takes is of interest to some."""
        cdef Probe probe = self.market.probe
        cdef int64_t since
        if probe is None:
            return self.gate.judge(order, self.clock.now)
        since = probe.now()
        reason = self.gate.judge(order, self.clock.now)
        probe.lap(RISK, since)
        return reason

    cdef str judged_change(self, Command command):
        cdef Probe probe = self.market.probe
        cdef int64_t since
        if probe is None:
            return self.gate.judge_change(command, self.clock.now)
        since = probe.now()
        reason = self.gate.judge_change(command, self.clock.now)
        probe.lap(RISK, since)
        return reason

    cdef int submit(self, Order order) except -1:
        """Send an order and its children, or deny them all; some are kept on our side first."""
        cdef ApprovedOrder approved
        cdef str reason
        if order.status_ == RELEASED:
            self.gate.recount(order)
        elif order.origin is not None:
            self.gate.recount(order.origin)
        reason = self.judged(order)
        if reason is None and order.status_ == INITIALIZED:
            reason = self.sink.place(order)
            if reason == "":
                return 0
        if reason is not None:
            if is_first_of_pair(order) and not self.sink.has(order.sibling):
                self.answers.refuse(order.sibling, EV_DENIED, reason)
            return self.deny(order, reason)
        approved = self.gate.approve(order)
        if is_first_of_pair(order) and not self.sink.has(order.sibling):
            return self.submit_pair(approved, order.sibling)
        self.answers.note(order, EV_SENT, 0)
        if order.take_profit is not None and not order.keeps_exits:
            self.answers.note(order.take_profit, EV_SENT, 0)
        if order.stop_loss is not None and not order.keeps_exits:
            self.answers.note(order.stop_loss, EV_SENT, 0)
        return self.venue.submit(approved, self.clock.now)

    cdef int deny(self, Order order, str reason) except -1:
        """Deny an order that has not left, and the exits that would have gone with it.

        Exits that were kept on our side end as those of any entry that ends.
        """
        cdef Order leg
        for leg in (order.take_profit, order.stop_loss):
            if leg is not None and leg.status_ == INITIALIZED:
                self.answers.refuse(leg, EV_DENIED, reason)
        return self.answers.refuse(order, EV_DENIED, reason)

    cdef int submit_pair(self, ApprovedOrder first, Order second) except -1:
        """Send, or keep, the second of a pair with the first, or neither: half of one is none."""
        cdef ApprovedOrder approved
        cdef str reason = self.judged(second)
        if reason is None:
            reason = self.sink.place(second)
        if reason:
            self.answers.refuse(second, EV_DENIED, reason)
            return self.answers.refuse(
                first.order, EV_DENIED, f"oco: the other order of the pair was denied: {reason}"
            )
        self.answers.note(first.order, EV_SENT, 0)
        if reason is not None:
            return self.venue.submit(first, self.clock.now)
        approved = self.gate.approve(second)
        self.answers.note(second, EV_SENT, 0)
        self.venue.submit(first, self.clock.now)
        return self.venue.submit(approved, self.clock.now)

    def validate(self, StrategyCore owner not None, str symbol, int side, quantity,
                 dict terms not None):
        """Return what risk and venue would say of an order; nothing is sent or counted."""
        cdef Order order = self.desk.draft(owner, symbol, side, quantity, terms)
        cdef str reason = self.gate.preview(order, self.clock.now)
        cdef str by = "risk"
        if reason is None:
            reason = self.sink.forecast(order)
            if reason is None:
                by = "venue"
                reason = self.venue.refusal(order, self.clock.now)
        return Verdict(order, by if reason else "", reason or "")

    # -- what follows rows of data -------------------------------------------------------------

    cdef int deliver_aggregates(self) except -1:
        """Process the bars that are complete; they may complete coarser ones."""
        cdef Event event
        while self.aggregates.pop(&event):
            self.process(&event)
        return 0

    cdef int fire_timers(self, int64_t ts) except -1:
        """Call what is due at or before `ts`, in the order it was set."""
        return self.calls.timers(ts)

    cdef int sample(self, int64_t ts) except -1:
        """Write one point of the equity curve."""
        return self.curve.sample(ts)

    # -- life ----------------------------------------------------------------------------------

    def start(self, int64_t ts):
        """Call every strategy's `on_start` at `ts`, in order of addition."""
        cdef StrategyCore strategy
        self.advance(ts)
        self.choose_marks()
        for strategy in self.strategies:
            strategy.set_running(True, "")
        for strategy in self.strategies:
            self.calls.plain(strategy, "on_start")
        self.choose_marks()
        self.settle()

    def stop(self):
        """Call every running strategy's `on_stop`; their last commands are settled."""
        cdef StrategyCore strategy
        for strategy in self.strategies:
            if strategy.running:
                self.calls.plain(strategy, "on_stop")
        self.settle()
        for strategy in self.strategies:
            strategy.set_running(False, strategy.stop_reason)
