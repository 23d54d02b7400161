"""The compiled half of Strategy: commands and lookups that handlers call per event."""

from cpython.dict cimport PyDict_GetItemWithError
from cpython.object cimport PyObject

from pyrt.core.conditions cimport Condition
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Indicator, OrderDesk, Owner
from pyrt.core.streams cimport Stream

import functools

from pyrt.core.exits import exit_condition
from pyrt.core.times import duration_ns
from pyrt.errors import ConfigError
from pyrt.strategy.signals import check_unfed, make_signal, stream_of

cdef extern from *:
    int set_attribute "PyObject_GenericSetAttr" (object o, object name, object value) except -1


cdef tuple described(dict order):
    """An order's description in parts: side, symbol, quantity, terms that were given."""
    side = order.get("side")
    if side not in ("buy", "sell"):
        raise ConfigError(f"side is {side!r}; expected 'buy' or 'sell'")
    if not isinstance(order.get("symbol"), str):
        raise ConfigError(f"symbol is {order.get('symbol')!r}; expected a name such as 'SPY'")
    terms = {
        name: value for name, value in order.items()
        if name not in ("side", "symbol", "quantity") and value is not None and value is not False
    }
    return 1 if side == "buy" else -1, order["symbol"], order.get("quantity"), terms


cdef class StrategyCore(Owner):
    """What handlers may do: send orders, look at positions, set timers, speak over the bus."""

    def __cinit__(self, *args, **kwargs):
        self._frozen = frozenset()
        self._attached = []
        self.name = type(self).__name__
        self.stop_reason = ""

    def __setattr__(self, str name, value):
        if name in self._frozen:
            raise AttributeError(
                f"{name!r} is a parameter of {type(self).__name__} and fixed at construction; "
                f"give it by keyword, {type(self).__name__}({name}={value!r}), "
                "or keep changing state under another name"
            )
        set_attribute(self, name, value)

    def _freeze(self, dict values, capital):
        """Set the parameters once and make them read-only."""
        for name, value in values.items():
            set_attribute(self, name, value)
        self._frozen = frozenset(values)
        self.capital = capital

    cdef int attach_to(self, int number, str name, object kernel, OrderDesk desk, Clock clock,
                       dict book) except -1:
        self.number = number
        self.name = name
        self._kernel = kernel
        self._desk = desk
        self._book = book
        self._clock = clock
        self.has_run = True
        return 0

    cdef int set_running(self, bint running, str reason) except -1:
        self.running = running
        self.stop_reason = reason
        return 0

    cdef object kernel(self):
        if self._kernel is None:
            raise ConfigError(
                f"{type(self).__name__} is not in an engine yet",
                remedy="Commands and lookups work from on_start on",
            )
        return self._kernel

    # -- orders --------------------------------------------------------------------------------

    def buy(self, str symbol, quantity=None, *, notional=None, limit_price=None, stop_price=None,
            trail_amount=None, trail_percent=None, trigger_price=None, take_profit=None,
            stop_loss=None, time_in_force=None, expires_at=None, post_only=False,
            reduce_only=False, extended_hours=False, queue=False, tag=None,
            algorithm=None, display_quantity=None, market_to_limit=False):
        """Send a buy order and return it at once; what becomes of it arrives as events.

        Without prices it is a market order; `limit_price` and `stop_price` make limit, stop and
        stop-limit orders, `trail_amount` or `trail_percent` a trailing stop, `trigger_price` an
        if-touched order.

        Parameters
        ----------
        symbol : str
        quantity : number, optional
            Units, > 0; exactly one of `quantity` and `notional` is given.
        notional : number, optional
            Value in the quote currency; market orders only.
        limit_price, stop_price, trigger_price : number, optional
        trail_amount : number, optional
            Distance of a trailing stop in the quote currency.
        trail_percent : number, optional
            Distance of a trailing stop in percent of the best price.
        take_profit : number, optional
            Limit price of a child order that leaves the position.
        stop_loss : number or (stop, limit), optional
            Stop price of a child order that leaves the position. With both it is a bracket: one
            cancels the other. Either may be a dict of `buy` arguments in place of a price, such
            as ``{"trail_percent": 2}`` or ``{"trigger_price": 105}``.
        time_in_force : {"day", "gtc", "gtd", "ioc", "fok", "opg", "cls"}, optional
            Default is the venue's.
        expires_at : int, str or datetime, optional
            For gtd.
        post_only, reduce_only, extended_hours : bool
        queue : bool
            Live: accept an order for the next session while the market is closed.
        tag : str, optional
            Kept with the order and its round trip.
        algorithm : ExecutionAlgorithm, optional
            What works the order through smaller ones, such as ``TWAP("30m", slices=6)``.
        display_quantity : number, optional
            Of an iceberg: how much is shown at a time. Each part goes behind what rests at its
            price already.
        market_to_limit : bool
            A market order at the best price only: what that does not fill rests there as a limit.

        Raises
        ------
        OrderError, ConfigError
            If the arguments make no sense together; nothing was sent.
        """
        return self.order(1, symbol, quantity, notional, limit_price, stop_price, trail_amount,
                          trail_percent, trigger_price, take_profit, stop_loss, time_in_force,
                          expires_at, post_only, reduce_only, extended_hours, queue, tag,
                          algorithm, display_quantity, market_to_limit)

    def sell(self, str symbol, quantity=None, *, notional=None, limit_price=None, stop_price=None,
             trail_amount=None, trail_percent=None, trigger_price=None, take_profit=None,
             stop_loss=None, time_in_force=None, expires_at=None, post_only=False,
             reduce_only=False, extended_hours=False, queue=False, tag=None,
             algorithm=None, display_quantity=None, market_to_limit=False):
        """Send a sell order and return it at once; arguments as for `buy`.

        Selling more than is held opens a short position where the account and venue allow it.
        """
        return self.order(-1, symbol, quantity, notional, limit_price, stop_price, trail_amount,
                          trail_percent, trigger_price, take_profit, stop_loss, time_in_force,
                          expires_at, post_only, reduce_only, extended_hours, queue, tag,
                          algorithm, display_quantity, market_to_limit)

    cdef Order order(self, int side, str symbol, quantity, notional, limit_price, stop_price,
                     trail_amount, trail_percent, trigger_price, take_profit, stop_loss,
                     time_in_force, expires_at, post_only, reduce_only, extended_hours, queue,
                     tag, algorithm, display_quantity, market_to_limit):
        cdef dict terms = {}
        self.kernel()
        if notional is not None:
            terms["notional"] = notional
        if limit_price is not None:
            terms["limit_price"] = limit_price
        if stop_price is not None:
            terms["stop_price"] = stop_price
        if trail_amount is not None:
            terms["trail_amount"] = trail_amount
        if trail_percent is not None:
            terms["trail_percent"] = trail_percent
        if trigger_price is not None:
            terms["trigger_price"] = trigger_price
        if take_profit is not None:
            terms["take_profit"] = take_profit
        if stop_loss is not None:
            terms["stop_loss"] = stop_loss
        if time_in_force is not None:
            terms["time_in_force"] = time_in_force
        if expires_at is not None:
            terms["expires_at"] = expires_at
        if post_only:
            terms["post_only"] = True
        if reduce_only:
            terms["reduce_only"] = True
        if extended_hours:
            terms["extended_hours"] = True
        if queue:
            terms["queue"] = True
        if tag is not None:
            terms["tag"] = tag
        if algorithm is not None:
            terms["algorithm"] = algorithm
        if display_quantity is not None:
            terms["display_quantity"] = display_quantity
        if market_to_limit:
            terms["market_to_limit"] = True
        return self._desk.place(self, symbol, side, quantity, terms)

    def submit(self, order, **changes):
        """Send one order, or several, described as dicts of `buy`/`sell` arguments.

        Each dict has ``side`` ("buy" or "sell"), ``symbol`` and the arguments of `buy`; a list is
        sent in its order. Returns the Order or the list of Orders.
        """
        if isinstance(order, dict):
            terms = {**order, **changes}
            side = terms.pop("side", None)
            if side not in ("buy", "sell"):
                raise ConfigError(f"side is {side!r}; expected 'buy' or 'sell'")
            return (self.buy if side == "buy" else self.sell)(**terms)
        return [self.submit(one, **changes) for one in order]

    def validate(self, order, **changes):
        """Judge an order, or several, as `submit` takes them, and send nothing.

        Each is judged by all risk controls and by the venue's rules, as they stand now and for
        itself alone; nothing is counted. Returns the Verdict, true if the order may leave, or the
        list of them.

        Raises
        ------
        OrderError, ConfigError
            If the arguments make no sense together.
        """
        if not isinstance(order, dict):
            return [self.validate(one, **changes) for one in order]
        side, symbol, quantity, terms = described({**order, **changes})
        return self.kernel().validate(self, symbol, side, quantity, terms)

    def oco(self, str symbol, quantity, *, take_profit, stop_loss, time_in_force=None, tag=None,
            partial="reduce"):
        """Protect a held position by a limit and a stop, of which one cancels the other.

        `quantity` is unsigned; the side is the one that leaves the position. A partial fill of
        one takes as much off the other (``partial="reduce"``), or cancels it (``"cancel"``).
        Returns the pair
        (take-profit order, stop-loss order).

        Raises
        ------
        OrderError
            If nothing is held in the symbol.
        """
        self.kernel()
        if partial not in ("reduce", "cancel"):
            raise ConfigError(f"partial is {partial!r}; expected 'reduce' or 'cancel'")
        terms = {"take_profit": take_profit, "stop_loss": stop_loss, "oco": True,
                 "partial": partial}
        if time_in_force is not None:
            terms["time_in_force"] = time_in_force
        if tag is not None:
            terms["tag"] = tag
        position = self._desk.position_of(self, symbol)
        cdef Order first = self._desk.place(
            self, symbol, -1 if position.quantity > 0 else 1, quantity, terms
        )
        return first, first.sibling

    def pair(self, first, second, *, partial="reduce"):
        """Send two orders of one symbol of which a fill of one takes from the other.

        Parameters
        ----------
        first, second : dict
            ``side`` ("buy" or "sell"), ``symbol``, ``quantity`` and further arguments of `buy`.
        partial : {"reduce", "cancel"}
            One fills in part: the other shrinks by as much (one updates the other), or is
            canceled (one cancels the other). A full fill, and an end, cancel it in any case.
            At a venue without such pairs one of the two is kept on our side until its price is
            there; the other is canceled before it leaves.

        Returns
        -------
        tuple of Order
        """
        self.kernel()
        if partial not in ("reduce", "cancel"):
            raise ConfigError(f"partial is {partial!r}; expected 'reduce' or 'cancel'")
        described = []
        for terms in (first, second):
            terms = dict(terms)
            side = terms.pop("side", None)
            if side not in ("buy", "sell"):
                raise ConfigError(f"side is {side!r}; expected 'buy' or 'sell'")
            described.append((
                1 if side == "buy" else -1, terms.pop("symbol"), terms.pop("quantity"), terms
            ))
        return self._desk.pair(self, described[0], described[1], partial)

    def cancel(self, Order order not None):
        """Ask for an order to be canceled; does nothing if it is closed or being canceled."""
        self.kernel()
        self._desk.cancel(self, order)

    def modify(self, Order order not None, **changes):
        """Ask for new terms: `quantity` (the new total), `limit_price`, `stop_price`, trails.

        Raises
        ------
        OrderError
            If the order is closed, or has no such price.
        """
        self.kernel()
        self._desk.modify(self, order, changes)

    def cancel_all(self, symbol=None):
        """Ask for all open orders of this strategy to be canceled, in one symbol or in all."""
        self.kernel()
        self._desk.cancel_all(self, symbol)

    def close(self, str symbol):
        """Leave the position: cancel the exits that hold it, send what flattens it.

        Working quantity counts, so a second call before the fill does nothing. Returns the Order
        or None when there is nothing to do.
        """
        self.kernel()
        return self._desk.target(self, symbol, 0, "close")

    def target_position(self, str symbol, quantity):
        """Trade the difference between `quantity` (signed) and what is held and working."""
        self.kernel()
        return self._desk.target(self, symbol, quantity, None)

    def target_percent(self, str symbol, double fraction):
        """Trade toward `fraction` of this strategy's own equity (0.5 is half, -0.5 is half short).

        Raises
        ------
        OrderError
            If the symbol has no price yet.
        """
        self.kernel()
        return self._desk.target_percent(self, symbol, fraction)

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

    def attach(self, Indicator indicator, stream, input="close"):
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

    def __repr__(self):
        values = ", ".join(f"{k}={getattr(self, k)!r}" for k in sorted(self._frozen))
        return f"{type(self).__name__}({values})"
