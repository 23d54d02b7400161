"""The compiled half of Strategy: what handlers look at, hear of and say."""

from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject

from pyrt.core.conditions cimport Condition
from pyrt.core.ports cimport Indicator
from pyrt.core.streams cimport Stream

import functools

from pyrt.core.exits import exit_condition
from pyrt.core.times import duration_ns
from pyrt.errors import ConfigError
from pyrt.strategy.signals import check_unfed, make_signal, stream_of


cdef class StrategyCore(StrategyCommands):
    """What handlers may do: send orders, look at positions, set timers, speak over the bus."""

    # -- looking -------------------------------------------------------------------------------

    def position(self, str symbol):
        """Return this strategy's Position in a symbol; flat before the first fill."""
        cdef PyObject* found
        if self._book is None:
            self.kernel()
        found = PyDict_GetItemWithError(self._book, symbol)
        if found is NULL:
            return self._desk.position_of(self, symbol)
        return <object>found

    def positions(self):
        """Return this strategy's Positions that hold units."""
        return self.kernel().cache.positions(self.number)

    def orders(self, symbol=None):
        """Return this strategy's open Orders, oldest first."""
        return self.kernel().cache.orders_open(self.number, symbol)

    @property
    def account(self):
        """The account: `cash`, `equity`, `buying_power`, balances."""
        return self.kernel().account

    @property
    def portfolio(self):
        """Marked-to-market view of the account: `metrics()`."""
        return self.kernel().portfolio

    @property
    def equity(self):
        """This strategy's own equity: its capital plus its profit and loss, marked."""
        return self.kernel().curve.of_strategy(self.number)

    @property
    def cache(self):
        """Instruments, positions and open orders of the whole run."""
        return self.kernel().cache

    @property
    def clock(self):
        """The clock; `timestamp_ns` is the time of the event being handled."""
        self.kernel()
        return self._clock

    @property
    def now(self):
        """Time of the event being handled, ns UTC."""
        self.kernel()
        return self._clock.now

    @property
    def log(self):
        """A standard logger named after the strategy."""
        return self.kernel().logger(self.name)

    def instrument(self, str symbol):
        """Return the Instrument of a symbol."""
        return self.kernel().cache.instrument(symbol)

    # -- data ----------------------------------------------------------------------------------

    def subscribe_bars(self, str symbol, timeframe, *, str source=None, str name=None):
        """Have `on_bar` called for every bar of this symbol; return the stream.

        Parameters
        ----------
        symbol : str
        timeframe : str or Aggregator
            Such as ``"5m"``: a coarser timeframe than the data's is aggregated, a finer one is an
            error. Or a new aggregator of `pyrt.data`, such as ``VolumeBars(10_000)``.
        source : str, optional
            What an aggregator is fed: ``"trades"``, ``"quotes"`` or a timeframe; by default the
            finest data it can be made from.
        name : str, optional
            What `bar.timeframe` says of an aggregator's bars; by default its class and a number.
        """
        if isinstance(timeframe, str):
            return self.kernel().subscribe(self, "bars", symbol, timeframe)
        return self.kernel().subscribe_made(self, symbol, timeframe, source, name)

    def subscribe_quotes(self, str symbol):
        """Have `on_quote` called for every change of the best bid or offer; return the stream."""
        return self.kernel().subscribe(self, "quotes", symbol, "")

    def subscribe_trades(self, str symbol):
        """Have `on_trade` called for every print; return the stream."""
        return self.kernel().subscribe(self, "trades", symbol, "")

    def book(self, str symbol, *, bint own=True):
        """Return the OrderBook of a symbol as it is known now; it changes with the next events.

        With ``own=False`` it is a copy without our own resting orders, those of all strategies;
        see `Cache.own_orders`. A recorded book has none of ours in it: there the copy is the book.
        """
        cdef Stream stream = self.kernel().subscription("book", symbol)
        stream.catch_up()
        if own:
            return stream.book
        shown = self._kernel.books_show_own
        return stream.book.without_own(self._kernel.cache.own_orders(symbol) if shown else ())

    def keep_bars(self, str symbol, str timeframe, n=None):
        """Keep the last `n` bars (default 1,440) from now on, and return them; see `Recent`.

        Called in `on_start` it holds what warms indicators up, too. Afterwards any strategy finds
        them as ``self.cache.bars(symbol, timeframe)``; `timeframe` may be the name of bars that an
        aggregator makes.
        """
        return self.kernel().keep("bars", symbol, timeframe, n)

    def keep_trades(self, str symbol, n=None):
        """Keep the last `n` trades (default 10,000) from now on, and return them.

        Afterwards they are ``self.cache.trades(symbol)``; ``self.cache.trade(symbol)`` is the last.
        """
        return self.kernel().keep("trades", symbol, "", n)

    def keep_quotes(self, str symbol, n=None):
        """Keep the last `n` quotes (default: the last one) from now on, and return them.

        Afterwards they are ``self.cache.quotes(symbol)``; ``self.cache.quote(symbol)`` is the last.
        """
        return self.kernel().keep("quotes", symbol, "", n)

    def subscribe_book(self, str symbol):
        """Have `on_book` called after every batch of book changes; return the stream."""
        return self.kernel().subscribe(self, "book", symbol, "")

    def attach(self, Indicator indicator not None, Stream stream not None, input="close"):
        """Feed `indicator` from `stream` before the handlers of each event; return the indicator.

        Parameters
        ----------
        indicator : Indicator
        stream : Stream
            From a `subscribe_*` call.
        input : str
            Column for indicators of a free series: open, high, low, close, volume, bid_price, ….

        Raises
        ------
        ConfigError
            If it, or an indicator it is made of, is attached already.
        """
        check_unfed(indicator, self._attached)
        stream.attach(indicator, input)
        self._attached.append((indicator, stream))
        return indicator

    def when(self, Condition condition not None, handler, *, stream=None):
        """Call `handler` at every event at which `condition` is true.

        Conditions are tested in the order they are given, each followed by its handler, after the
        indicators of the event and before `on_bar`, `on_quote` and `on_trade`.

        Parameters
        ----------
        condition : Condition
            From `pyrt.indicators`: `cross_above(fast, slow) & is_flat("SPY")`.
        handler : callable
            Takes nothing, or one argument: the bar, quote or trade, made only for this call.
        stream : Stream, optional
            Whose events the condition is tested on; default is the one its indicators are
            attached to.

        Raises
        ------
        ConfigError
            If the stream is open, an indicator is attached to none, or the condition is in use
            elsewhere; nothing is changed.
        """
        cdef Stream found = stream_of(condition, self._attached, stream)
        found.add_signal(make_signal(self, self.kernel(), condition, handler, found))

    def exit_on(self, str symbol, *, stop=None, target=None, trail=None, bars=None, stream):
        """Close the position in `symbol` as soon as an event gives a reason to.

        Parameters
        ----------
        symbol : str
        stop, target : float, optional
            Loss and gain as a fraction of the average price: 0.02 is 2 %.
        trail : float, optional
            Distance from the best price since entry, as a fraction of it.
        bars : int, optional
            Events of the stream with the position held.
        stream : Stream
            Of the symbol's bars, quotes or trades.

        Raises
        ------
        ConfigError
            If there is no reason, or the stream has no prices of the symbol.
        """
        self.when(
            exit_condition(symbol, stop=stop, target=target, trail=trail, bars=bars),
            functools.partial(self.close, symbol), stream=stream,
        )

    def request_history(self, str symbol, str timeframe, int bars, handler):
        """Call `handler(list of Bar)` with the last `bars` bars known now, oldest first."""
        self.kernel().request_history(self, symbol, timeframe, bars, handler)

    # -- time and messages ---------------------------------------------------------------------

    def set_timer(self, str name, interval, handler=None, *, start=None, stop=None):
        """Call `handler(event)`, or `on_timer`, every `interval` (timedelta, "5m" or ns).

        A bare number below a millisecond is refused: 600 would be read as 600 ns.
        """
        self.kernel()
        if isinstance(interval, int) and 0 < interval < 1_000_000:
            raise ConfigError(
                f"timer {name!r}: an interval of {interval} is {interval} nanoseconds",
                remedy=f'Write "{interval}s" for seconds, "{interval}ns" for as short as that',
            )
        self._clock.set_timer(
            name, duration_ns(interval), handler, owner=self,
            start_ns=None if start is None else self._kernel.timestamp(start),
            stop_ns=None if stop is None else self._kernel.timestamp(stop),
        )

    def set_alert(self, str name, when, handler=None):
        """Call `handler(event)`, or `on_timer`, once at `when` (ns, ISO text or datetime)."""
        self._clock_of().set_alert(name, self._kernel.timestamp(when), handler, owner=self)

    def cancel_timer(self, str name):
        """Drop a timer or alert of this strategy."""
        self._clock_of().cancel(name, owner=self)

    cdef Clock _clock_of(self):
        self.kernel()
        return self._clock

    def publish(self, str topic, message):
        """Send any object to the subscribers of `topic`, after the current dispatch."""
        self.kernel().bus.publish(topic, message)

    def subscribe(self, str topic, handler, *, priority=0):
        """Call `handler(message)` for messages whose topic matches; `*` and `?` are wildcards."""
        return self.kernel().subscribe_topic(self, topic, handler, priority)

    def compute(self, fn, *args, then):
        """Run `fn(*args)` off the trading thread when live; `then` is called with its result.

        In a backtest it runs inline and `then` is called after the stated compute latency.
        """
        self.kernel().compute(self, fn, args, then)
