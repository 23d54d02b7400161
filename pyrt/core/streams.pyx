"""One stream of market data inside the kernel: what feeds on it and who handles it."""
cimport cython
from libc.math cimport NAN

from pyrt.core.book cimport OrderBook
from pyrt.core.book_feed cimport BookColumns
from pyrt.core.bus cimport Channel
from pyrt.core.conditions cimport Signal
from pyrt.errors import ConfigError

BAR_COLUMNS = {"open": 0, "high": 1, "low": 2, "close": 3, "volume": 4}
COLUMNS = {
    "bars": BAR_COLUMNS,
    "quotes": {"bid_price": 0, "bid_size": 1, "ask_price": 2, "ask_size": 3},
    "trades": {"price": 0, "size": 1},
    "book": {"bid_price": 0, "bid_size": 1, "ask_price": 2, "ask_size": 3, "mid": 4},
}
# What "value" or "close" means where a stream has no such column.
DEFAULT_INPUT = {"bars": "close", "quotes": "bid_price", "trades": "price",
                 "book": "mid"}
# A trade is a bar of one price to indicators that take bars.
ALIASES = {
    "trades": {"open": 0, "high": 0, "low": 0, "close": 0, "volume": 1},
}
cdef int TIME = -1  # in place of a column: when the event happened, ns UTC


@cython.final
cdef class Feed:
    """What a stream feeds: an indicator, or what keeps its last events.

    Parameters
    ----------
    indicator : Indicator
    kind : str
        Of the stream.
    source : str
        Column that stands in for a free series.

    Raises
    ------
    ConfigError
        If the stream has no column of a name the indicator asks for.
    """

    def __init__(self, Indicator indicator, str kind, str source):
        cdef int i
        known = COLUMNS.get(kind, {})
        given = {**ALIASES.get(kind, {}), **known, "ts_event": TIME}
        if source == "close" and kind != "bars":
            source = DEFAULT_INPUT.get(kind, source)
        if len(indicator.inputs) > 8:
            raise ConfigError(f"{indicator!r} takes {len(indicator.inputs)} inputs; at most 8")
        # In an expression over several columns, (EMA(5) - EMA(15)) / ATR(10), a close is the close.
        free = ("value", "close") if len(indicator.inputs) == 1 else ("value",)
        names = [source if name in free else name for name in indicator.inputs]
        for i, name in enumerate(names):
            if name not in given:
                raise ConfigError(
                    f"{type(indicator).__name__} needs {name!r}, which {kind} do not have",
                    remedy=f"Use one of {', '.join(known)}",
                )
            self.columns[i] = given[name]
        self.indicator = indicator
        self.width = len(names)
        self.direct = all(
            self.columns[i] == self.columns[0] + i >= 0 for i in range(self.width)
        )

    cdef int push(self, Event* event) except -1:
        """Gather the inputs from where they lie; see `direct`."""
        cdef double[8] gathered
        cdef int i
        if self.recent is not None:
            return self.recent.take(event)
        for i in range(self.width):
            if self.columns[i] == TIME:
                gathered[i] = event.ts_event
            else:
                gathered[i] = event.values[self.columns[i]]
        return self.indicator.feed(gathered)


@cython.final
cdef class Stream:
    """One stream of market data inside the kernel: what feeds on it and who handles it."""

    def __init__(self, int32_t index, str kind, Instrument instrument, str topic, Channel channel,
                 str timeframe="", int64_t timeframe_ns=0, list positions=None):
        self.index = index
        self.kind = kind
        self.instrument = instrument
        self.instrument_index = instrument.index
        self.symbol = instrument.symbol
        self.timeframe = timeframe
        self.timeframe_ns = timeframe_ns
        self.topic = topic
        self.channel = channel
        self.positions = [] if positions is None else positions
        self.feeds = []
        self.handlers = []
        self.owners = []
        self.signals = []
        self.aggregates = []

    cdef int take_rows(self, BookColumns rows) except -1:
        """Go on with other rows of book events; what was delivered of the old ones is applied."""
        if self.book is None:
            self.book = OrderBook(
                self.symbol, "L3" if rows.dialect in ("mbo", "lobster") else "L2"
            )
        self.catch_up()
        self.rows = rows
        self.applied = self.known = 0
        return 0

    cdef int catch_up(self) except -1:
        """Bring the book up to the events delivered: nobody may have looked at it for long."""
        if self.applied < self.known:
            self.book.apply_columns(self.rows, self.applied, self.known)
            self.applied = self.known
        return 0

    cdef int read_touch(self, Event* event) except -1:
        """Write the touch and its middle into an event: what indicators read; NaN where none is.

        The middle of a crossed book is none: one of its sides is out of date.
        """
        cdef OrderBook book = self.book
        event.values[0] = book.best_bid
        event.values[1] = book.best_bid_size
        event.values[2] = book.best_ask
        event.values[3] = book.best_ask_size
        event.values[4] = NAN if book.is_crossed else book.mid
        return 0

    def attach(self, Indicator indicator, str source="close"):
        """Feed `indicator` from this stream from now on, before any handler."""
        self.feeds.append(Feed(indicator, self.kind, source))
        self.n_feeds = len(self.feeds)
        return indicator

    @property
    def lookbacks(self):
        """Lookback of each attached indicator, in updates."""
        cdef Feed feed
        return [feed.indicator.lookback for feed in self.feeds if feed.recent is None]

    def keep(self, n=None):
        """Keep the last `n` events from now on and return them; at least as many as before.

        Raises
        ------
        ConfigError
            If `n` is below 1, or this is a stream of book events.
        """
        cdef Feed feed
        if self.recent is None:
            self.recent = Recent(self.kind, self.symbol, self.timeframe, n)
            # Among what is fed, so that a stream of which nothing is kept pays nothing for it.
            feed = Feed.__new__(Feed)
            feed.recent = self.recent
            self.feeds.insert(0, feed)
            self.n_feeds = len(self.feeds)
        elif n is not None:
            self.recent.widen(n)
        return self.recent

    @cython.nonecheck(False)  # a list of feeds and nothing else
    cdef int feed(self, Event* event) except -1:
        """Feed what is attached."""
        cdef Feed feed
        cdef Py_ssize_t i
        for i in range(self.n_feeds):
            feed = <Feed>self.feeds[i]
            if feed.direct:
                feed.indicator.feed(&event.values[feed.columns[0]])
            else:
                feed.push(event)
        return 0

    cdef int add_aggregate(self, object aggregator, Stream target) except -1:
        """Let `aggregator` build the bars of `target` from these events from now on."""
        self.aggregates.append((aggregator, target))
        self.n_aggregates = len(self.aggregates)
        return 0

    cdef int add_signal(self, Signal signal) except -1:
        # Replaced, not changed: see `add_handler`.
        self.signals = [*self.signals, signal]
        self.n_signals = len(self.signals)
        return 0

    cdef int add_handler(self, object owner, object method) except -1:
        # Replaced, not changed: a dispatch that is under way keeps the list it began with.
        if any(o is owner and m == method for o, m in zip(self.owners, self.handlers)):
            return 0
        self.handlers = [*self.handlers, method]
        self.owners = [*self.owners, owner]
        self.n_handlers = len(self.handlers)
        return 0

    cdef int remove_owner(self, object owner) except -1:
        kept = [i for i in range(self.n_handlers) if self.owners[i] is not owner]
        self.handlers = [self.handlers[i] for i in kept]
        self.owners = [self.owners[i] for i in kept]
        self.n_handlers = len(self.handlers)
        self.signals = [signal for signal in self.signals if (<Signal>signal).owner is not owner]
        self.n_signals = len(self.signals)
        return 0

    cdef int remove_handler(self, object method) except -1:
        kept = [i for i in range(self.n_handlers) if self.handlers[i] != method]
        self.handlers = [self.handlers[i] for i in kept]
        self.owners = [self.owners[i] for i in kept]
        self.n_handlers = len(self.handlers)
        return 0

    def calls(self, owner):
        """Return whether a handler of `owner` is called for its events."""
        return any(each is owner for each in self.owners)

    cdef int set_marks(self, bint marks) except -1:
        self.marks = marks
        return 0

    def __repr__(self):
        return f"Stream({self.topic!r})"
