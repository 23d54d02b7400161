"""What a kernel is made of, and what strategies may ask of it besides commands."""
cimport cython
from libc.stdint cimport INT64_MAX

from pyrt.core.instruments cimport Instrument
from pyrt.core.streams cimport Stream
from pyrt.data.aggregation cimport Aggregator
from pyrt.execution.manager cimport OrderManager
from pyrt.kernel.calls cimport ROUNDS_MAX
from pyrt.kernel.hooks cimport Hooks
from pyrt.kernel.notices cimport Notices
from pyrt.kernel.probe cimport Probe
from pyrt.kernel.world cimport World
from pyrt.strategy.core cimport StrategyCore

import logging

from pyrt.core.times import timestamp_ns
from pyrt.errors import ConfigError
from pyrt.kernel.portfolio import Portfolio
from pyrt.kernel.subscriptions import HANDLERS, named_bars
from pyrt.kernel.subscriptions import subscribe as open_subscription
from pyrt.kernel.subscriptions import subscribe_made as open_made

# Of an instrument's streams the first by this order marks its positions: ticks before bars.
cdef dict MARK_ORDER = {"trades": 0, "quotes": 1, "bars": 2, "book": 3}


@cython.final
cdef class _TopicHandler:
    """A strategy's handler of a topic: called while that runs, and what it raises is that one's.

    The bus tells subscriptions apart by their handlers, so it is equal to the one that it wraps.
    """
    cdef StrategyCore owner
    cdef object handler

    def __init__(self, StrategyCore owner not None, handler):
        self.owner = owner
        self.handler = handler

    def __call__(self, message):
        if self.owner.running:
            self.handler(message)

    @property
    def __self__(self):
        return self.owner

    @property
    def __name__(self):
        return getattr(self.handler, "__name__", repr(self.handler))

    def __eq__(self, other):
        if isinstance(other, _TopicHandler):
            other = (<_TopicHandler>other).handler
        return self.handler == other

    def __hash__(self):
        return hash(self.handler)

    def __repr__(self):
        return repr(self.handler)


cdef class Wiring:
    """Makes the parts of a kernel and joins them; see `Kernel`."""

    def __init__(self, Account account, RiskGate gate, *, str prefix="bt-", str on_error="raise",
                 str cost="average", bint keep_closed=False, dict default_tif=None,
                 dict capabilities=None):
        self.account = account
        self.gate = gate
        self.watcher = <Watcher>gate if isinstance(gate, Watcher) else None
        self.clock = Clock()
        self.cache = Cache(keep_closed=keep_closed, cost=cost)
        self.bus = MessageBus()
        self.records = Records()
        self.inbox = EventQueue()
        self.strategies = []
        self.hooks = []
        self.booking = Booking(account, self.records)
        self.curve = EquityCurve(
            account, self.cache, self.records, self.strategies, self.watcher
        )
        self.desk = Desk(
            self.cache, self.clock, self.records, prefix=prefix, default_tif=default_tif,
            capital_of=self.curve.of_strategy,
        )
        self.calls = Calls(self.bus, self.clock, self.cache, self.desk, self.hooks, on_error)
        self.aggregates = Aggregates(self.cache, self.clock)
        self.market = Market(
            account, self.booking, self.clock, self.calls, self.aggregates, self.watcher
        )
        self.answers = Answers(
            self.cache, self.clock, self.records, self.desk, self.booking, self.curve,
            Notices(self.calls, account, self.records, self.strategies, self.hooks), self.watcher,
        )
        self.sink = OrderManager(
            self.desk, self.cache, self.clock, self.inbox, self.records,
            World(self.clock, self.cache, self.calls, self.answers, self.sessions_of),
            capabilities,
        )
        self.market.sink = self.answers.sink = self.sink
        self.rounds_max = ROUNDS_MAX
        self.answers.gate = gate
        self.desk.halts = gate.halts
        # `object`: what few orders ask has no place in the port.
        self.desk.shorts_fractions = (<object>self.sink).shorts_fractions
        self.desk.keeps_back = (<object>self.sink).keeps_back
        self.portfolio = Portfolio(self)
        if self.watcher is not None:
            self.watcher.attach(
                account=account, cache=self.cache, clock=self.clock, desk=self.desk,
                records=self.records, strategies=self.strategies, sessions=self.sessions_of,
            )

    # -- before the run ------------------------------------------------------------------------

    def measure(self, Probe probe):
        """Let a probe note how long books, indicators, handlers and risk take; None for no more."""
        self.market.probe = probe

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

    def subscription(self, str kind, str symbol, str timeframe=""):
        """Return the stream of a kind of data, opening it where the world can."""
        return open_subscription(self, kind, symbol, timeframe)

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
        for stream in self.cache.streams:
            stream.set_marks(False)
            key = (MARK_ORDER[stream.kind], stream.timeframe_ns, stream.index)
            known = best.get(stream.instrument.index)
            if known is None or key < known[0]:
                best[stream.instrument.index] = (key, stream)
        for _, stream in best.values():
            stream.set_marks(True)

    def makes(self, Stream stream not None):
        """Return whether a stream's bars are made in the run, not given."""
        return self.aggregates.makes(stream)

    def link_aggregate(self, Stream source, Aggregator aggregator, Stream target):
        """Let `aggregator` build the bars of `target` from the events of `source`."""
        self.aggregates.link(source, aggregator, target)

    def set_handlers_from(self, int64_t ts):
        """Feed indicators only, no handlers, with rows learned before `ts`."""
        self.market.handlers_from = ts

    # -- what strategies ask for ---------------------------------------------------------------

    def subscribe(self, StrategyCore owner, str kind, str symbol, str timeframe):
        """Subscribe a strategy to a stream, making it from a finer one where needed."""
        cdef Stream stream = open_subscription(self, kind, symbol, timeframe)
        handler = HANDLERS[kind]
        if owner.handles(handler):
            stream.add_handler(owner, getattr(owner, handler))
        return stream

    def subscribe_made(self, StrategyCore owner, str symbol, aggregator, str source,
                       str name):
        """Subscribe a strategy to bars that an aggregator of its own makes."""
        cdef Stream stream = open_made(self, symbol, aggregator, source, name)
        if owner.handles("on_bar"):
            stream.add_handler(owner, owner.on_bar)
        return stream

    def keep(self, str kind, str symbol, str timeframe, n):
        """Keep the last events of a stream from now on, and return them."""
        cdef Stream stream
        if kind == "bars" and not timeframe[:1].isdigit():
            stream = named_bars(self, symbol, timeframe)
        else:
            stream = open_subscription(self, kind, symbol, timeframe)
        return stream.keep(n)

    def subscribe_topic(self, owner, str topic, handler, int priority):
        """Subscribe a handler to user messages; while its strategy runs it is called."""
        if callable(handler):
            handler = _TopicHandler(owner, handler)
        return self.bus.subscribe(topic, handler, priority=priority)

    def request_history(self, StrategyCore owner, str symbol, str timeframe, int bars, handler):
        """Deliver the last `bars` bars known now to `handler`, after the current dispatch."""
        if self.world is not None:
            self.world.request_history(owner, symbol, timeframe, bars, handler)
            return
        if self.history is None:
            raise ConfigError("this run has no history to ask for")
        found = self.history(symbol, timeframe, bars)
        self.later(owner, 0, lambda event: handler(found))

    def compute(self, StrategyCore owner, fn, args, then):
        """Run `fn(*args)` now; deliver its result after the stated latency."""
        if self.world is not None:
            self.world.compute(owner, fn, args, then)
            return
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

    @property
    def errors(self):
        """What handlers raised and the policy let pass, oldest first."""
        return self.calls.errors
