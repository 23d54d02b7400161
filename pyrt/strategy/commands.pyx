"""The orders of a strategy: what it sends, changes, cancels and takes toward a target."""

from pyrt.core.orders cimport Order

from pyrt.errors import ConfigError


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


cdef class StrategyCommands(StrategyBase):
    """The commands that make and move orders."""

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
        return self._desk.pair(self, described(dict(first)), described(dict(second)), partial)

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
