"""What may leave at all: trading states, halts of symbols, and who passes a control once."""
from libc.stdint cimport INT64_MIN, int32_t

from pyrt.core.orders cimport Order, no_price
from pyrt.core.types cimport ST_HALTED, ST_LIMIT, ST_QUOTING, ST_TRADING
from pyrt.risk.assessor cimport Assessor
from pyrt.risk.checks cimport Caps
from pyrt.risk.claims cimport Claim
from pyrt.risk.states cimport HALTED

from pyrt.core.suggest import did_you_mean
from pyrt.core.times import duration_ns
from pyrt.core.types import TRADING_STATUS_NAMES
from pyrt.errors import ConfigError, UnknownName
from pyrt.risk.checks import NUMERIC
from pyrt.risk.states import TradingState, check_named, state_of


cdef class Warden(Assessor):
    """Keeps what people and venues say of trading, and hears what it has to hear for that."""

    cdef int tell(self, str method, dict arguments) except -1:
        """Let it be written down that somebody asks for a change; refused if that fails."""
        if self.recorder is not None:
            self.recorder(method, arguments)
        return 0

    cdef int look(self) except -1:
        """Decide what has to be heard of, and begin or end to count orders with it."""
        cdef bint was_on = self.is_on
        limits = self.limits
        self.follows_margin = (
            self.account is not None and self.account.margin
            and self.account.rules.on_call != "none"
        )
        self.is_on = (
            self.strict or not limits.is_empty or not self.states.plain or self.follows_margin
            or len(self.halted) > 0 or len(self.limited) > 0
        )
        self.watches_orders = self.is_on
        self.watches_equity = (
            self.breaker.watches_equity or self.follows_margin or self.monitor is not None
        )
        self.warn_at = 0.0 if limits.warn_at is None else float(limits.warn_at)
        self.watches_quotes = limits.max_slippage_bps is not None or any(
            "max_slippage_bps" in own for own in limits.symbols.values()
        ) or self.protects_markets()
        self.watches_marks = (
            self.caps.needs_value or self.stops.is_on or self.jump >= 0
            or limits.stale_data_after is not None or limits.max_order_age is not None
            or self.flattening
        )
        if self.is_on and not was_on:
            self.resync()
        elif was_on and not self.is_on:
            self.forget()
        return 0

    cdef int forget(self) except -1:
        """Count no order any more: what happens to those that work is not heard from here on."""
        cdef Claim claim
        if self.claims is not None:
            for claim in self.claims.open.values():
                self.claims.put(claim, 0, 0, False)
                self.claims.recount(claim.order.instrument.index)
            self.claims.open.clear()
        return 0

    cdef bint protects_markets(self) except -1:
        return self.limits.market_protection_bps is not None or any(
            "market_protection_bps" in own for own in self.limits.symbols.values()
        )

    # -- states --------------------------------------------------------------------------------

    @property
    def now(self):
        """The clock's time, ns UTC; 0 before a run."""
        return 0 if self.clock is None else self.clock.now

    @property
    def changes(self):
        """Every change of states, limits and breaker, oldest first, with actor and reason."""
        return self.states.changes

    def set_state(self, state, actor, reason, *, strategy=None, symbol=None):
        """Set the trading state of the whole, of one strategy or of one symbol.

        Raises
        ------
        ConfigError
            Without an actor and a reason, or before the engine is part of a run, which starts with
            no state but ACTIVE; nothing is changed.
        UnknownName
            If the run has no such strategy or symbol; nothing is changed.
        """
        strategy, symbol = self.names_of(strategy, symbol)
        check_named("a state", actor, reason)
        self.tell("set_state", {
            "state": TradingState(state_of(state)).name, "actor": actor, "reason": reason,
            "strategy": strategy, "symbol": symbol,
        })
        self.put_state(state, actor, reason, strategy, symbol)

    cdef int put_state(self, object state, object actor, object reason, object strategy,
                       object symbol) except -1:
        self.states.set(state, actor, reason, ts=self.now, strategy=strategy, symbol=symbol)
        if strategy is None and symbol is None:
            # Whoever says how everything stands ends a kill that is not over.
            self.flattening = False
        return self.look()

    cdef int note_status(self, int32_t index, int status) except -1:
        """Without limits a simulated venue's halts are its own affair: what is sent waits there."""
        if self.strict or not self.limits.is_empty:
            self.take_status(index, status)
        return 0

    cdef int take_status(self, int32_t index, int status) except -1:
        if status == ST_HALTED or status == ST_QUOTING:
            self.halted[index] = None
        elif status == ST_TRADING and index in self.halted:
            del self.halted[index]
            self.claims.book(index).ts_reference = INT64_MIN
        if status == ST_LIMIT:
            self.limited[index] = None
        else:
            self.limited.pop(index, None)
        return self.look()

    def set_status(self, str symbol, str status):
        """Say whether and how a symbol trades.

        While it is halted, or in a limit state, nothing leaves that could raise exposure; after a
        halt, nothing is known of its price until the next one comes.

        Parameters
        ----------
        status : str
            ``trading``, ``halted``, ``quoting`` (which is no trading yet), ``limit_state`` or
            ``straddle_state``; other words change nothing.
        """
        if status in TRADING_STATUS_NAMES:
            index = self.cache.instrument(symbol).index
            self.tell("set_status", {"symbol": symbol, "status": status})
            self.take_status(index, TRADING_STATUS_NAMES.index(status))

    def set_halted(self, str symbol, bint halted):
        """Say that a symbol's trading is halted, or goes on; see `set_status`."""
        self.set_status(symbol, "halted" if halted else "trading")

    @property
    def halted_symbols(self):
        """Symbols whose trading is halted, as `set_status` was told."""
        return [self.cache.instruments[index].symbol for index in self.halted]

    @property
    def limited_symbols(self):
        """Symbols in a limit state, as `set_status` was told."""
        return [self.cache.instruments[index].symbol for index in self.limited]

    def allow_once(self, control, actor, reason, for_="60s"):
        """Let one order past a control, once, within a time; on record when given and when used.

        Parameters
        ----------
        control : str
            Code of a numeric control, such as ``"max_order_notional"``.
        actor, reason : str
        for_ : duration
        """
        if control not in NUMERIC:
            raise ConfigError(
                f"{control!r} is no control that one order may pass",
                remedy=did_you_mean(str(control), list(NUMERIC)), name="control",
            )
        until = self.now + duration_ns(for_)
        check_named("an override", actor, reason)
        self.tell("allow_once", {
            "control": control, "actor": actor, "reason": reason, "for_": until - self.now,
        })
        self.states.note(self.now, f"override {control}", "none", str(until), actor, reason)
        self.pardons[control] = (until, actor, reason)

    def state(self, *, strategy=None, symbol=None):
        """Return the trading state of the whole, of one strategy or of one symbol alone.

        UnknownName if the run has no such strategy or symbol.
        """
        if self.cache is not None:
            strategy, symbol = self.names_of(strategy, symbol)
        return self.states.get(strategy, symbol)

    def halts(self, Order order not None):
        """Return whether nothing but cancels leaves for this order's strategy and symbol."""
        return self.states.of(order) == HALTED

    def could_raise(self, Order order not None):
        """Return whether an order that was approved could make its position larger, or turn it.

        All else that works or waits on its side is taken to fill; of orders whose cancel is under
        way as much as is held. Without controls nothing is counted: then all but exits could.
        """
        if not self.is_on:
            return not order.is_exit
        return self.lifts(order, self.claims.book(order.instrument.index), 0)

    def price_doubt(self, Order order not None):
        """Return why an approved order would be denied by now for its price; "" if it would not.

        It may have waited since it was judged, and the price that it was judged by may have been a
        wrong one. Only orders that could make a position larger are judged: by ``price_collar_bps``
        and ``max_tick_jump_bps``.
        """
        cdef Caps* caps
        if not self.is_on or not self.could_raise(order):
            return ""
        if self.book_of(order).suspects > 0:
            return "its prices contradict each other (max_tick_jump_bps)"
        caps = self.caps_of(order)
        if caps.collar < 0 or order.limit_price_raw == no_price():
            return ""
        self.terms.limit_price = order.limit_price_raw
        self.terms.stop_price = order.stop_price_raw
        self.terms.raises = True
        if self.collar_distance(order, caps.collar) == 0:
            return ""
        return "its limit price is far from the market by now (price_collar_bps)"

    def names_of(self, strategy, symbol):
        """Return the names by which orders are looked up: a strategy's, an instrument's id."""
        if self.cache is None:
            raise ConfigError(
                "the risk engine is in no run yet, and a run starts with every state ACTIVE",
                remedy="Set states from a handler, or after the run has started",
            )
        if strategy is not None:
            names = [each.name for each in self.strategies]
            if strategy not in names:
                raise UnknownName(
                    f"no strategy {strategy!r} in this run",
                    remedy=did_you_mean(str(strategy), names), name=strategy,
                )
        return strategy, None if symbol is None else self.cache.instrument(symbol).id
