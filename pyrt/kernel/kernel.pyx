"""The kernel: two inputs, `advance` and `process`; both worlds call these and nothing else."""
cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF
from libc.stdint cimport INT64_MAX, INT64_MIN

from pyrt.core.accounts cimport Account
from pyrt.core.bus cimport MessageBus
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock, TimerEvent
from pyrt.core.conditions cimport TRUE, Signal
from pyrt.core.data cimport Bar, Quote, Trade
from pyrt.core.events cimport Event, EventQueue, clear_event
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport i128_to_double
from pyrt.core.numbers cimport nano_from_double
from pyrt.core.orders cimport Fill, Order, OrderEvent, no_price
from pyrt.core.ports cimport CANCEL, SUBMIT, ApprovedOrder, Command, RiskGate, Venue
from pyrt.core.positions cimport Position
from pyrt.core.records cimport EquityRow, Records
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport (
    CONFIRMED, EV_ACCEPTED, EV_BAR, EV_CANCEL_REJECTED, EV_CANCELED, EV_DENIED,
    EV_DIVIDEND, EV_EXPIRED, EV_FILL, EV_MODIFIED, EV_MODIFY_REJECTED, EV_QUOTE, EV_REJECTED,
    EV_SENT, EV_SPLIT, EV_TRADE, EV_TRIGGERED, EV_UNKNOWN, NONE, OPEN, REFUSED, UNKNOWN, is_final,
)
from pyrt.core.types import EVENT_NAMES, LIQUIDITY_NAMES
from pyrt.data.aggregation cimport Aggregator, BarRow
from pyrt.execution.booking cimport Booking
from pyrt.execution.desk cimport Desk
from pyrt.kernel.portfolio import Portfolio
from pyrt.kernel.subscriptions import subscribe as open_subscription
from pyrt.risk.watch cimport Watcher
from pyrt.strategy.core cimport StrategyCore

import logging

from pyrt.core.times import format_ns, timestamp_ns
from pyrt.errors import ConfigError, RunawayError, StrategyError

cdef extern from "Python.h":
    object PyObject_CallOneArg(object callable, object argument)
    PyObject* call_one "PyObject_CallOneArg" (PyObject* callable, PyObject* argument) noexcept


cdef int raise_set_error() except -1:
    return -1


cdef int ROUNDS_MAX = 10_000
cdef int64_t DAY_NS = 86_400_000_000_000

NARROW = {
    "on_accept": (EV_ACCEPTED,), "on_reject": (EV_REJECTED,), "on_deny": (EV_DENIED,),
    "on_cancel": (EV_CANCELED,), "on_expire": (EV_EXPIRED,), "on_trigger": (EV_TRIGGERED,),
    "on_modify": (EV_MODIFIED, EV_MODIFY_REJECTED),
}


cdef inline Bar bar_of(Stream stream, Event* event):
    cdef Bar bar = Bar.__new__(Bar)
    bar.symbol = stream.symbol
    bar.timeframe = stream.timeframe
    bar.open = event.values[0]
    bar.high = event.values[1]
    bar.low = event.values[2]
    bar.close = event.values[3]
    bar.volume = event.values[4]
    bar.ts_open = event.ts_open
    bar.ts_event = event.ts_event
    bar.ts_init = event.ts_init
    return bar


cdef inline Quote quote_of(Stream stream, Event* event):
    cdef Quote quote = Quote.__new__(Quote)
    quote.symbol = stream.symbol
    quote.bid_price = event.values[0]
    quote.bid_size = event.values[1]
    quote.ask_price = event.values[2]
    quote.ask_size = event.values[3]
    quote.ts_event = event.ts_event
    quote.ts_init = event.ts_init
    return quote


cdef inline Trade trade_of(Stream stream, Event* event):
    cdef Trade trade = Trade.__new__(Trade)
    trade.symbol = stream.symbol
    trade.price = event.values[0]
    trade.size = event.values[1]
    trade.aggressor = event.quantity
    trade.ts_event = event.ts_event
    trade.ts_init = event.ts_init
    return trade


cdef object view_of(Stream stream, Event* event):
    """Make what a handler of this event is given."""
    if event.kind == EV_BAR:
        return bar_of(stream, event)
    return quote_of(stream, event) if event.kind == EV_QUOTE else trade_of(stream, event)


@cython.final
cdef class Hooks:
    """The handlers one strategy defines, looked up once; None where it defines none."""

    def __init__(self, strategy, MessageBus bus, str name):
        def found(handler):
            return getattr(strategy, handler) if strategy.handles(handler) else None

        self.on_order = found("on_order")
        self.on_fill = found("on_fill")
        self.on_position = found("on_position")
        self.on_timer = found("on_timer")
        self.on_status = found("on_status")
        self.narrow = {
            kind: found(handler) for handler, kinds in NARROW.items() for kind in kinds
            if strategy.handles(handler)
        }
        self.listens = bool(
            self.narrow or self.on_order or self.on_fill or self.on_position
        )
        self.orders = bus.channel(f"order.{name}")
        self.fills = bus.channel(f"fill.{name}")
        self.positions = bus.channel(f"position.{name}")


@cython.final
cdef class Kernel:
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
    """

    def __init__(self, Account account, RiskGate gate, *, str prefix="bt-", str on_error="raise",
                 str cost="average", bint keep_closed=False, dict default_tif=None):
        if on_error not in ("raise", "halt", "log"):
            raise ConfigError(f"on_error is {on_error!r}; expected 'raise', 'halt' or 'log'")
        self.clock = Clock()
        self.cache = Cache(keep_closed=keep_closed, cost=cost)
        self.bus = MessageBus()
        self.account = account
        self.gate = gate
        self.records = Records()
        self.booking = Booking(account, self.records)
        self.desk = Desk(
            self.cache, self.clock, self.records, prefix=prefix, default_tif=default_tif,
            capital_of=self.strategy_equity,
        )
        self.inbox = EventQueue()
        self.strategies = []
        self.hooks = []
        self.errors = []
        self.aggregated = []
        self.on_error = on_error
        self.portfolio = Portfolio(self)
        self.handlers_from = INT64_MIN
        self.aggregates_due = INT64_MAX
        self.opening_equity_day = INT64_MIN
        self.booked = True
        self.initial_equity = self.last_equity = self.day_equity = account.equity
        self.bus.on_error = self.bus_failed
        if isinstance(gate, Watcher):
            self.watcher = <Watcher>gate
            self.watcher.attach(
                account=account, cache=self.cache, clock=self.clock, desk=self.desk,
                records=self.records, strategies=self.strategies, sessions=self.sessions_of,
            )

    # -- wiring --------------------------------------------------------------------------------

    def connect(self, Venue venue):
        """Name the venue that commands go to; it answers through `inbox`."""
        self.venue = venue

    def add_instrument(self, Instrument instrument):
        """Make an instrument known to cache, account and booking."""
        self.cache.add_instrument(instrument)
        self.booking.add_instrument(instrument)
        return instrument

    def add_strategy(self, StrategyCore strategy, str name=None):
        """Take a strategy in; ConfigError if it has run before or its name is taken."""
        if strategy.has_run:
            raise ConfigError(
                f"this {type(strategy).__name__} has been in a run already",
                remedy="Give a new one, or this one's .fresh()",
            )
        names = [s.name for s in self.strategies]
        name = name or type(strategy).__name__
        if name in names:
            numbered = (f"{name}-{i}" for i in range(2, len(names) + 3))
            name = next(other for other in numbered if other not in names)
        number = self.cache.add_strategy()
        strategy.attach_to(
            number, name, self, self.desk, self.clock, self.cache.books[number]
        )
        self.strategies.append(strategy)
        self.hooks.append(Hooks(strategy, self.bus, name))
        return strategy

    def subscribe(self, StrategyCore owner, str kind, str symbol, str timeframe):
        """Subscribe a strategy to a stream, making it from a finer one where needed."""
        cdef Stream stream = open_subscription(self, kind, symbol, timeframe)
        handler = {"bars": "on_bar", "quotes": "on_quote", "trades": "on_trade",
                   "book": "on_book"}[kind]
        if owner.handles(handler):
            stream.add_handler(owner, getattr(owner, handler))
        return stream

    def add_stream(self, str kind, Instrument instrument, str topic, str timeframe="",
                   int64_t timeframe_ns=0):
        """Register one stream of market data and return it."""
        cdef Stream stream = Stream(
            len(self.cache.streams), kind, instrument, topic, self.bus.channel(topic), timeframe,
            timeframe_ns, self.cache.positions_in(instrument),
        )
        self.cache.add_stream(stream)
        return stream

    def choose_marks(self):
        """Let the finest stream of each instrument mark its positions: ticks before bars."""
        cdef Stream stream
        best = {}
        rank = {"quotes": 1, "trades": 0, "bars": 2, "book": 3}
        for stream in self.cache.streams:
            stream.set_marks(False)
            key = (rank[stream.kind], stream.timeframe_ns, stream.index)
            known = best.get(stream.instrument.index)
            if stream.kind != "book" and (known is None or key < known[0]):
                best[stream.instrument.index] = (key, stream)
        for _, stream in best.values():
            stream.set_marks(True)

    def link_aggregate(self, Stream source, Aggregator aggregator, Stream target):
        """Let `aggregator` build the bars of `target` from the events of `source`."""
        source.aggregates.append((aggregator, target))
        self.aggregates_due = min(self.aggregates_due, aggregator.next_due)

    def subscribe_topic(self, owner, str topic, handler, int priority):
        """Subscribe a handler to user messages."""
        return self.bus.subscribe(topic, handler, priority=priority)

    def request_history(self, StrategyCore owner, str symbol, str timeframe, int bars, handler):
        """Deliver the last `bars` bars known now to `handler`, after the current dispatch."""
        if self.history is None:
            raise ConfigError("this run has no history to ask for")
        found = self.history(symbol, timeframe, bars)
        self.later(owner, 0, lambda event: handler(found))

    def compute(self, StrategyCore owner, fn, args, then):
        """Run `fn(*args)` now; deliver its result after the stated latency."""
        result = fn(*args)
        self.later(owner, self.compute_latency_ns, lambda event: then(result))

    def later(self, StrategyCore owner, int64_t delay_ns, handler):
        """Call `handler(event)` on behalf of `owner` when `delay_ns` have passed."""
        self.clock.add(
            f"later-{self.clock.made}", self.clock.now + delay_ns, 0, INT64_MAX, owner, handler
        )

    def timestamp(self, value):
        """Read a point in time; a relative text such as "+5m" counts from now."""
        return timestamp_ns(value)

    def logger(self, str name):
        """Return the standard logger of a strategy."""
        return logging.getLogger(f"pyrt.strategy.{name}")

    def sessions_of(self, Instrument instrument):
        """Return (opens, closes) of an instrument's sessions, or None where there are none."""
        return None if self.sessions is None else self.sessions(instrument.calendar)

    def set_handlers_from(self, int64_t ts):
        """Feed indicators only, no handlers, with rows learned before `ts`."""
        self.handlers_from = ts

    # -- life ----------------------------------------------------------------------------------

    def start(self, int64_t ts):
        """Call every strategy's `on_start` at `ts`, in order of addition."""
        cdef StrategyCore strategy
        self.advance(ts)
        self.choose_marks()
        for strategy in self.strategies:
            strategy.set_running(True, "")
        for strategy in self.strategies:
            self.call_plain(strategy, "on_start")
        self.choose_marks()
        self.settle()

    def stop(self):
        """Call every running strategy's `on_stop`; their last commands are settled."""
        cdef StrategyCore strategy
        for strategy in self.strategies:
            if strategy.running:
                self.call_plain(strategy, "on_stop")
        self.settle()
        for strategy in self.strategies:
            strategy.set_running(False, strategy.stop_reason)

    def call_plain(self, StrategyCore strategy, str handler):
        """Call a handler without arguments under the error policy."""
        self.bus.begin()
        try:
            getattr(strategy, handler)()
        except Exception as error:
            self.failed(strategy, handler, None, error)
        finally:
            self.bus.end()

    def halt_strategy(self, StrategyCore strategy, str reason):
        """Stop one strategy: no handler of it is called any more; its entries are canceled."""
        cdef Order order
        strategy.set_running(False, reason)
        for stream in self.cache.streams:
            (<Stream>stream).remove_owner(strategy)
        self.clock.cancel_all(owner=strategy)
        for order in self.cache.orders_open(strategy.number):
            if not order.is_exit:
                self.desk.cancel(strategy, order)

    # -- the two inputs ------------------------------------------------------------------------

    cdef int advance(self, int64_t ts) except -1:
        """Move time forward; an earlier `ts` leaves it where it is."""
        if ts > self.clock.now:
            self.clock.now = ts
        return 0

    cdef int process(self, Event* event) except -1:
        """Take one event in: state first, then indicators, then handlers."""
        if event.kind == EV_BAR:
            return self.on_bar(<Stream>self.cache.streams[event.stream], event)
        if event.kind == EV_QUOTE:
            return self.on_quote(<Stream>self.cache.streams[event.stream], event)
        if event.kind == EV_TRADE:
            return self.on_trade(<Stream>self.cache.streams[event.stream], event)
        if event.kind == EV_SPLIT or event.kind == EV_DIVIDEND:
            return self.on_corporate_action(event)
        return self.on_order_event(event)

    # -- market data ---------------------------------------------------------------------------

    cdef int mark(self, Stream stream, double price) except -1:
        cdef list positions = stream.positions
        cdef int64_t raw
        cdef Py_ssize_t i, n = len(positions)
        stream.last_price = price
        if n:
            raw = nano_from_double(price)
            self.account.set_mark(stream.instrument.index, raw)
            for i in range(n):
                (<Position>positions[i]).mark = raw
        if self.watcher is not None and self.watcher.watches_marks:
            self.watcher.on_mark(stream.instrument.index, nano_from_double(price), self.clock.now)
        return 0

    cdef int on_bar(self, Stream stream, Event* event) except -1:
        cdef object view = None
        if stream.marks:
            self.mark(stream, event.values[3])
            self.booking.bars[stream.instrument.index] += 1
        stream.update(event)
        if stream.n_signals:
            view = self.raise_signals(stream, event)
        if event.ts_init >= self.handlers_from and stream.is_heard():
            self.dispatch(stream, bar_of(stream, event) if view is None else view)
        if stream.aggregates:
            self.aggregate_bar(stream, event)
        return 0

    cdef int on_quote(self, Stream stream, Event* event) except -1:
        cdef object view = None
        if stream.marks and event.values[0] > 0.0 and event.values[2] > 0.0:
            self.mark(stream, 0.5 * (event.values[0] + event.values[2]))
            if self.watcher is not None and self.watcher.watches_quotes:
                self.watcher.on_quote(
                    stream.instrument.index, nano_from_double(event.values[0]),
                    nano_from_double(event.values[2]),
                )
        stream.update(event)
        if stream.n_signals:
            view = self.raise_signals(stream, event)
        if event.ts_init >= self.handlers_from and stream.is_heard():
            self.dispatch(stream, quote_of(stream, event) if view is None else view)
        return 0

    cdef int on_trade(self, Stream stream, Event* event) except -1:
        cdef object view = None
        if stream.marks:
            self.mark(stream, event.values[0])
        stream.update(event)
        if stream.n_signals:
            view = self.raise_signals(stream, event)
        if event.ts_init >= self.handlers_from and stream.is_heard():
            self.dispatch(stream, trade_of(stream, event) if view is None else view)
        if stream.aggregates:
            self.aggregate_trade(stream, event)
        return 0

    cdef object raise_signals(self, Stream stream, Event* event):
        """Test the stream's conditions, each followed by its handler; return the view if made."""
        cdef list signals = stream.signals
        cdef Signal signal
        cdef object view = None
        cdef bint is_live = event.ts_init >= self.handlers_from
        cdef Py_ssize_t i, n = len(signals)
        for i in range(n):
            signal = <Signal>signals[i]
            # Tested in warm-up too: a condition remembers what it has seen.
            if signal.condition.test(event, stream.count) != TRUE:
                continue
            if not is_live or not signal.owner.running:
                continue
            if signal.takes_view and view is None:
                view = view_of(stream, event)
            self.call_signal(signal, view)
        return view

    cdef int call_signal(self, Signal signal, object view) except -1:
        self.bus.begin()
        try:
            if signal.takes_view:
                signal.handler(view)
            else:
                signal.handler()
        except Exception as error:
            self.failed(<StrategyCore>signal.owner, signal.handler, view, error)
        finally:
            self.bus.end()
        return 0

    cdef int dispatch(self, Stream stream, object view) except -1:
        """Call the stream's handlers in order; messages they publish follow after."""
        # The bus is held by its counter, and a result is looked at without a try: both are
        # on the path of every event.
        cdef MessageBus bus = self.bus
        cdef list handlers = stream.handlers, owners = stream.owners
        cdef PyObject* result
        cdef Py_ssize_t i, n = len(handlers)
        bus.depth += 1
        for i in range(n):
            if not (<StrategyCore>owners[i]).running:
                continue
            result = call_one(<PyObject*>handlers[i], <PyObject*>view)
            if result is NULL:
                self.failed_in_dispatch(<StrategyCore>owners[i], handlers[i], view)
            else:
                Py_DECREF(<object>result)
        bus.depth -= 1
        if stream.channel.has_handlers:
            stream.channel.publish_c(view)
        if bus.pending and bus.depth == 0:
            bus.flush()
        return 0

    cdef int failed_in_dispatch(self, StrategyCore owner, object method, object view) except -1:
        """Apply the error policy to the exception that is set."""
        try:
            raise_set_error()
        except Exception as error:
            self.bus.leave()
            self.failed(owner, method, view, error)
            self.bus.depth += 1
        except BaseException:
            self.bus.leave()
            raise
        return 0

    cdef int call(self, StrategyCore owner, object method, object argument) except -1:
        try:
            PyObject_CallOneArg(method, argument)
        except Exception as error:
            self.failed(owner, method, argument, error)
        return 0

    cdef int failed(self, StrategyCore owner, object method, object argument,
                    object error) except -1:
        """Apply the error policy to an exception that a handler let out."""
        name = method if isinstance(method, str) else getattr(method, "__name__", repr(method))
        what = "" if argument is None else f" for {argument!r}"
        message = (
            f"{owner.name}.{name} raised {type(error).__name__}: {error}"
            f"{what} at {format_ns(self.clock.now)}"
        )
        wrapped = StrategyError(
            message, strategy=owner.name, handler=name, event=repr(argument), ts=self.clock.now
        )
        if self.on_error == "raise":
            raise wrapped from error
        self.errors.append(wrapped)
        wrapped.__cause__ = error
        self.logger(owner.name).error(message, exc_info=error)
        if self.on_error == "halt":
            self.halt_strategy(owner, message)
        return 0

    def bus_failed(self, handler, message, error):
        """Apply the error policy to a handler of a bus message; true goes on with the next."""
        owner = getattr(handler, "__self__", None)
        if not isinstance(owner, StrategyCore) or not isinstance(error, Exception):
            return False
        self.failed(owner, handler, message, error)
        return True

    # -- aggregation ---------------------------------------------------------------------------

    cdef int aggregate_bar(self, Stream stream, Event* event) except -1:
        cdef Aggregator aggregator
        cdef int n
        for pair in stream.aggregates:
            aggregator = <Aggregator>(<tuple>pair)[0]
            n = aggregator.add_bar(
                event.ts_open, event.ts_event, event.values[0], event.values[1], event.values[2],
                event.values[3], event.values[4],
            )
            self.collect(aggregator, (<tuple>pair)[1], n)
        return 0

    cdef int aggregate_trade(self, Stream stream, Event* event) except -1:
        cdef Aggregator aggregator
        cdef int n
        for pair in stream.aggregates:
            aggregator = <Aggregator>(<tuple>pair)[0]
            n = aggregator.add_trade(
                event.ts_event, event.values[0], event.values[1], <int>event.quantity
            )
            self.collect(aggregator, (<tuple>pair)[1], n)
        return 0

    cdef object collect(self, Aggregator aggregator, Stream target, int n):
        cdef int i
        cdef BarRow* row
        for i in range(n):
            row = &aggregator.completed.at[i]
            self.aggregated.append((
                target.timeframe_ns, target.index, row.ts_open, row.ts_close, row.open, row.high,
                row.low, row.close, row.volume,
            ))
        if aggregator.next_due < self.aggregates_due:
            self.aggregates_due = aggregator.next_due
        return None

    cdef int close_aggregates(self, int64_t ts) except -1:
        """Complete the bars whose time is over at `ts` although nothing came."""
        cdef Aggregator aggregator
        cdef Stream stream
        self.aggregates_due = INT64_MAX
        for stream in self.cache.streams:
            for pair in stream.aggregates:
                aggregator = <Aggregator>(<tuple>pair)[0]
                self.collect(aggregator, (<tuple>pair)[1], aggregator.advance(ts))
        return 0

    cdef int deliver_aggregates(self) except -1:
        """Hand on completed bars, finest timeframe first; they may complete coarser ones."""
        cdef Event event
        cdef list ready
        cdef Stream stream
        while self.aggregated:
            ready = sorted(self.aggregated)
            self.aggregated = []
            for row in ready:
                clear_event(&event)
                stream = <Stream>self.cache.streams[<int>row[1]]
                event.kind = EV_BAR
                event.stream = stream.index
                event.instrument = stream.instrument.index
                event.ts_open = row[2]
                event.ts_event = row[3]
                event.ts_init = self.clock.now
                event.values[0] = row[4]
                event.values[1] = row[5]
                event.values[2] = row[6]
                event.values[3] = row[7]
                event.values[4] = row[8]
                self.process(&event)
        return 0

    # -- corporate actions ---------------------------------------------------------------------

    cdef int on_corporate_action(self, Event* event) except -1:
        cdef Position position
        cdef Stream stream
        self.quiet = False
        self.booked = True
        for stream in self.cache.streams if event.kind == EV_SPLIT else ():
            if stream.instrument.index == event.instrument:
                stream.last_price *= <double>event.price / <double>event.quantity
        for position in self.cache.by_instrument[event.instrument]:
            if event.kind == EV_SPLIT:
                self.booking.split(position, event)
            else:
                self.booking.dividend(position, event)
        if self.watcher is not None:
            self.watcher.on_corporate_action(event.instrument)
        return 0

    # -- orders: what the venue answers --------------------------------------------------------

    cdef int on_order_event(self, Event* event) except -1:
        cdef Order order = self.cache.order(event.order)
        if order is None:
            raise StrategyError(
                f"an event {EVENT_NAMES.get(event.kind, event.kind)} came for order number "
                f"{event.order}, which is not open", code="unknown_order",
            )
        if event.kind == EV_FILL:
            if event.cumulative <= order.filled:
                return 0
            self.take_fill(order, event)
        else:
            self.take_answer(order, event)
            order.transition(event.kind)
            if event.kind == EV_MODIFIED:
                self.take_change(order, event)
            if event.reason:
                order.reason_ = self.records.texts.names[event.reason]
        order.ts_last = event.ts_event
        self.records.event(
            event.ts_event, order.number, event.kind, order.status_,
            event.price if event.kind == EV_MODIFIED else event.cumulative,
        )
        self.desk.settle(order)
        if self.watcher is not None and self.watcher.watches_orders:
            self.watcher.on_order(order, event.kind, self.clock.now)
        return self.notify(order, event)

    cdef int take_answer(self, Order order, Event* event) except -1:
        """Close or mark the request this event answers."""
        cdef int kind = event.kind
        cdef int step
        if kind == EV_UNKNOWN:
            if order.submit_request == OPEN:
                order.submit_request = UNKNOWN
            elif order.cancel_request == OPEN:
                order.cancel_request = UNKNOWN
            elif order.modify_request == OPEN:
                order.modify_request = UNKNOWN
            step = 1
        else:
            step = 0 if not order.unknown() else -1
            if order.submit_request in (OPEN, UNKNOWN) and kind != EV_SENT:
                order.submit_request = REFUSED if kind in (EV_REJECTED, EV_DENIED) else CONFIRMED
            if kind == EV_CANCEL_REJECTED:
                order.cancel_request = REFUSED
            elif kind == EV_CANCELED and order.cancel_request != NONE:
                order.cancel_request = CONFIRMED
            elif kind == EV_MODIFY_REJECTED:
                order.modify_request = REFUSED
            elif kind == EV_MODIFIED and order.modify_request != NONE:
                order.modify_request = CONFIRMED
            if step and order.unknown():
                step = 0
        if step and order.side_sign > 0:
            order.position.unknown_buys += step
        elif step:
            order.position.unknown_sells += step
        return 0

    cdef int take_fill(self, Order order, Event* event) except -1:
        """Admit and book an execution; raises with nothing changed if the table refuses it."""
        cdef int64_t before = order.filled
        if before + event.quantity > order.units:
            raise StrategyError(
                f"order {order.client_order_id} of {order.quantity:g} would be filled beyond that",
                code="overfill",
            )
        order.filled = before + event.quantity
        try:
            order.transition(EV_FILL)
            self.booking.fill(order, event)
        except BaseException:
            order.filled = before
            raise
        self.take_answer(order, event)
        self.quiet = False
        self.booked = True
        return 0

    cdef int take_change(self, Order order, Event* event) except -1:
        """Put the new terms in force."""
        if event.quantity > 0:
            order.units = event.quantity
        if event.price != no_price():
            order.limit_price_raw = event.price
        if event.cumulative != no_price():
            order.stop_price_raw = event.cumulative
        return 0

    cdef int notify(self, Order order, Event* event) except -1:
        """Tell the strategy and whoever listens on the bus; nothing is made if nobody does."""
        cdef Hooks hooks = <Hooks>self.hooks[order.position.strategy]
        cdef StrategyCore owner = <StrategyCore>self.strategies[order.position.strategy]
        cdef OrderEvent view
        if not (hooks.listens or hooks.orders.has_handlers or hooks.fills.has_handlers
                or hooks.positions.has_handlers):
            return 0
        narrow = hooks.narrow.get(event.kind) if hooks.narrow else None
        self.bus.begin()
        try:
            if hooks.on_order is not None or narrow is not None or hooks.orders.has_handlers:
                view = OrderEvent.__new__(OrderEvent)
                view.order = order
                view.kind = EVENT_NAMES[event.kind]
                view.ts_event = event.ts_event
                view.ts_init = self.clock.now
                view.status = order.status
                view.reason = self.records.texts.names[event.reason]
                if hooks.orders.has_handlers:
                    hooks.orders.publish_c(view)
                if owner.running and hooks.on_order is not None:
                    self.call(owner, hooks.on_order, view)
                if owner.running and narrow is not None:
                    self.call(owner, narrow, view)
            if event.kind == EV_FILL:
                self.notify_fill(order, event, hooks)
        finally:
            self.bus.end()
        return 0

    cdef int notify_fill(self, Order order, Event* event, Hooks hooks) except -1:
        cdef StrategyCore owner = <StrategyCore>self.strategies[order.position.strategy]
        cdef Fill fill
        if hooks.on_fill is not None or hooks.fills.has_handlers:
            fill = Fill.__new__(Fill)
            fill.order = order
            fill.instrument = order.instrument
            fill.side_sign = order.side_sign
            fill.units = event.quantity
            fill.price_raw = event.price
            fill.fee_raw = event.fee
            fill.fee_currency = self.account.currencies[event.fee_currency]
            fill.liquidity = LIQUIDITY_NAMES[event.liquidity]
            fill.execution_id = f"{order.client_order_id}-{event.cumulative}"
            fill.ts_event = event.ts_event
            fill.ts_init = self.clock.now
            fill.ts_open = event.ts_open or event.ts_event
            fill.is_last = is_final(order.status_)
            if hooks.fills.has_handlers:
                hooks.fills.publish_c(fill)
            if owner.running and hooks.on_fill is not None:
                self.call(owner, hooks.on_fill, fill)
        if hooks.positions.has_handlers:
            hooks.positions.publish_c(order.position)
        if owner.running and hooks.on_position is not None:
            self.call(owner, hooks.on_position, order.position)
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
            if not self.desk.commands:
                return 0
            rounds += 1
            if rounds > ROUNDS_MAX:
                command = self.desk.commands[0]
                raise RunawayError(
                    f"{command.order.strategy.name} still issues commands after {ROUNDS_MAX} "
                    f"rounds at {format_ns(self.clock.now)}",
                    remedy="A handler answers its own orders' events without end",
                )
            batch = self.desk.commands
            self.desk.commands = []
            for command in batch:
                self.execute(command)

    cdef int execute(self, Command command) except -1:
        """Risk, then the venue; a cancel always leaves."""
        cdef Order order = command.order
        cdef str reason
        cdef Event event
        if command.kind == SUBMIT:
            if order.parent is None:
                self.submit(order)
            return 0
        if is_final(order.status_):
            if command.kind == CANCEL:
                order.cancel_request = REFUSED
            else:
                order.modify_request = REFUSED
            return 0
        if command.kind == CANCEL:
            if self.watcher is not None and self.watcher.watches_orders:
                self.watcher.on_cancel(order, self.clock.now)
            return self.venue.withdraw(order, self.clock.now)
        reason = self.gate.judge_change(command, self.clock.now)
        if reason is None:
            return self.venue.change(command, self.clock.now)
        clear_event(&event)
        event.kind = EV_MODIFY_REJECTED
        event.order = order.number
        event.ts_event = self.clock.now
        event.reason = self.records.texts.number(reason)
        return self.process(&event)

    cdef int submit(self, Order order) except -1:
        cdef ApprovedOrder approved
        cdef str reason = self.gate.judge(order, self.clock.now)
        if reason is not None:
            if order.take_profit is not None:
                self.deny(order.take_profit, reason)
            if order.stop_loss is not None:
                self.deny(order.stop_loss, reason)
            return self.deny(order, reason)
        approved = self.gate.approve(order)
        self.note(order, EV_SENT, 0)
        if order.take_profit is not None:
            self.note(order.take_profit, EV_SENT, 0)
        if order.stop_loss is not None:
            self.note(order.stop_loss, EV_SENT, 0)
        return self.venue.submit(approved, self.clock.now)

    cdef int deny(self, Order order, str reason) except -1:
        cdef Event event
        clear_event(&event)
        event.kind = EV_DENIED
        event.order = order.number
        event.ts_event = self.clock.now
        event.ts_init = self.clock.now
        event.reason = self.records.texts.number(reason)
        return self.process(&event)

    cdef int note(self, Order order, int kind, int64_t value) except -1:
        """Record and announce a step that we take ourselves."""
        cdef Event event
        order.transition(kind)
        order.ts_last = self.clock.now
        self.records.event(self.clock.now, order.number, kind, order.status_, value)
        clear_event(&event)
        event.kind = kind
        event.order = order.number
        event.ts_event = self.clock.now
        return self.notify(order, &event)

    # -- time ----------------------------------------------------------------------------------

    cdef int fire_timers(self, int64_t ts) except -1:
        """Call what is due at or before `ts`, in the order it was set."""
        cdef TimerEvent event
        cdef StrategyCore owner
        cdef int fired = 0
        while self.clock.next_due <= ts:
            event = self.clock.pop_due(ts)
            owner = event.owner
            if not owner.running:
                continue
            handler = event.handler
            if handler is None:
                handler = (<Hooks>self.hooks[owner.number]).on_timer
            if handler is None:
                raise ConfigError(f"timer {event.name!r} of {owner.name} has no handler to call")
            self.bus.begin()
            try:
                self.call(owner, handler, event)
            finally:
                self.bus.end()
            fired += 1
            if fired > ROUNDS_MAX:
                raise RunawayError(
                    f"{owner.name} sets timers for {format_ns(ts)} without end"
                )
        return 0

    cdef int sample(self, int64_t ts) except -1:
        """Write one point of the equity curve."""
        cdef EquityRow* row = <EquityRow*>self.records.equity.append()
        cdef EquityRow* last
        cdef int64_t day = ts // DAY_NS
        if day != self.opening_equity_day:
            self.opening_equity_day = day
            self.day_equity = self.last_equity
        row.ts_event = ts
        if self.quiet and self.records.equity.count > 1:
            last = <EquityRow*>self.records.equity.at(self.records.equity.count - 2)
            row.equity = last.equity
            row.cash = last.cash
            row.exposure = last.exposure
            return 0
        row.equity = i128_to_double(self.account.equity_raw())
        if self.booked:
            self.last_cash = i128_to_double(self.account.cash_raw())
            self.booked = not self.account.single
        row.cash = self.last_cash
        row.exposure = i128_to_double(self.account.exposure_raw())
        self.last_equity = row.equity
        self.quiet = self.account.open_holdings == 0
        if self.watcher is not None and self.watcher.watches_equity:
            self.watcher.on_equity(ts)
        return 0

    def strategy_equity(self, int number):
        """Return a strategy's capital plus its profit and loss, in base currency, as a float."""
        cdef Position position
        cdef StrategyCore strategy = <StrategyCore>self.strategies[number]
        share = strategy.capital
        if share is None:
            share = self.initial_equity / len(self.strategies)
        total = share
        for position in (<list>self.cache.slots[number]):
            if position is not None:
                total += position.realized_pnl + position.unrealized_pnl
        return total

    @property
    def equity_marks(self):
        """(first, start of day, last) equity, as floats."""
        return self.initial_equity, self.day_equity, self.last_equity
