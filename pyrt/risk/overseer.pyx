"""What watches beside the gate: days, breaker, margin calls, stops, kill switch, states."""
from libc.stdint cimport INT64_MAX, INT64_MIN, int32_t, int64_t

from pyrt.core.int128 cimport i128_to_double
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport decimal_from_scaled, nano_to_double
from pyrt.core.orders cimport Order
from pyrt.core.positions cimport Position
from pyrt.core.records cimport TripRow
from pyrt.core.types cimport (
    INITIALIZED, ST_HALTED, ST_LIMIT, ST_QUOTING, ST_TRADING, is_final,
)
from pyrt.risk.assessor cimport Assessor
from pyrt.risk.breaker cimport HALF_OPEN, OPEN
from pyrt.risk.claims cimport magnitude
from pyrt.risk.states cimport HALTED, REDUCING
from pyrt.risk.stops cimport Guard

from decimal import Decimal

from pyrt.core.suggest import did_you_mean
from pyrt.core.times import duration_ns
from pyrt.core.types import TRADING_STATUS_NAMES
from pyrt.errors import ConfigError, UnknownName
from pyrt.risk.checks import NUMERIC
from pyrt.risk.states import TradingState, check_named, state_of

cdef str ENGINE = "risk engine"
cdef int64_t SECOND = 1_000_000_000
cdef int64_t MINUTE = 60_000_000_000
cdef int64_t PAUSE_MAX = 10_000_000_000


cdef class Overseer(Assessor):
    """Keeps states and watches account, positions and trades, whatever orders come."""

    cdef int tell(self, str method, dict arguments) except -1:
        """Let it be written down that somebody asks for a change; refused if that fails."""
        if self.recorder is not None:
            self.recorder(method, arguments)
        return 0

    cdef int look(self) except -1:
        """Decide what has to be heard of."""
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
        return 0

    cdef bint protects_markets(self) except -1:
        return self.limits.market_protection_bps is not None or any(
            "market_protection_bps" in own for own in self.limits.symbols.values()
        )

    # -- the day and the account --------------------------------------------------------------

    cdef int begin(self, int64_t now) except -1:
        """Bring day and breaker to this instant before anything is judged."""
        cdef int64_t day = self.days.day(now)
        if day != self.day:
            self.roll_day(day)
        if self.monitor is not None and now >= self.risk_due:
            self.measure(now)
        if self.follows_margin:
            self.meet_call(now)
        if self.breaker.watches_equity:
            self.breaker.observe(now, self.account.equity_raw())
            self.after_breaker(now)
            if self.breaker.halt_reason is not None:
                self.stop_all(ENGINE, self.breaker.take_halt(), self.limits.halt_flattens)
            if self.warn_at > 0.0:
                for name, used in self.breaker.nearness():
                    self.warn_of(name, used, now)
        if now >= self.age_due:
            self.tell_of_old(now)
        return 0

    cdef int tell_of_old(self, int64_t now) except -1:
        """Tell of orders that work for longer than they may; looked for once a minute."""
        cdef Order order
        cdef int64_t most
        self.age_due = INT64_MAX
        if self.limits.max_order_age is None:
            return 0
        most = self.limits.max_order_age
        self.age_due = now + MINUTE
        for order in self.cache.orders_open():
            if order.number not in self.aged and now - order.ts_init > most:
                self.aged.add(order.number)
                self.states.note(now, f"order {order.client_order_id}", "working", "old", ENGINE, (
                    f"max_order_age: it works for {(now - order.ts_init) / 1e9:.0f} s, "
                    f"more than {most / 1e9:.0f} s"
                ))
        return 0

    cdef int warn(self, int64_t now) except -1:
        """Tell of limits that the order just approved has come near to."""
        cdef double equity
        limits = self.limits
        if limits.max_gross_exposure:
            self.warn_of("max_gross_exposure", i128_to_double(self.case.gross) / (
                float(limits.max_gross_exposure)), now)
        if limits.max_net_exposure:
            self.warn_of("max_net_exposure", i128_to_double(self.case.net) / (
                float(limits.max_net_exposure)), now)
        if limits.max_leverage:
            equity = self.account.equity
            if equity > 0.0:
                self.warn_of("max_leverage", i128_to_double(self.case.gross) / (
                    equity * float(limits.max_leverage)), now)
        if limits.max_open_orders:
            self.warn_of(
                "max_open_orders", <double>self.case.open_orders / limits.max_open_orders, now
            )
        return 0

    cdef int warn_of(self, str name, double used, int64_t now) except -1:
        """Tell that a limit is near, once a day."""
        if used < self.warn_at or self.warned.get(name) == self.day:
            return 0
        self.warned[name] = self.day
        self.states.note(now, f"warning {name}", "below", "near", ENGINE, (
            f"{used:.0%} of {name} is used up"
        ))
        return 0

    def measure(self, int64_t now):
        """Compute portfolio risk; the next time is due at the next multiple of `risk_every`."""
        cdef Instrument instrument
        cdef int64_t every = self.limits.risk_every
        self.risk_due = (now // every + 1) * every
        symbols, prices, values = [], [], []
        for instrument in self.cache.instruments:
            symbols.append(instrument.id)
            prices.append(nano_to_double(self.cache.last_mark(instrument)))
            values.append(i128_to_double(self.claims.held_value(instrument.index)))
        found = self.monitor.measure(symbols, prices, values, self.account.equity)
        if found is not None:
            self.readings.take(now, **found)
            self.judge_volatility(now, found["volatility"])

    def judge_volatility(self, int64_t now, volatility):
        """Open the breaker when the holdings move more than they may."""
        limit = self.limits.trip_volatility
        if limit is None or self.breaker.state == OPEN or round(Decimal(volatility), 9) <= limit:
            return
        self.breaker.trip(
            now, "trip_volatility", f"volatility {volatility:.6f} is over the limit of {limit}"
        )
        self.after_breaker(now)

    cdef int meet_call(self, int64_t now) except -1:
        """Deny entries while margin asks for more than equity; leave positions if so agreed.

        One position at a time, that of the largest value first: what it frees may be enough.
        """
        cdef Position position, largest = None
        cdef bint was_called = self.called
        self.called = self.account.call_raw() > 0
        if self.called and not was_called:
            self.states.note(now, "margin", "met", "called", ENGINE, (
                f"equity lacks {self.account.margin_call:.2f} to what margin asks for"
            ))
        if not self.called or self.account.rules.on_call != "liquidate":
            return 0
        for position in self.cache.positions():
            if largest is None or magnitude(position.value()) > magnitude(largest.value()):
                largest = position
            exit = self.stops.guard(position).exit
            if exit is not None and not is_final((<Order>exit).status_):
                return 0
        if largest is not None:
            self.leave(largest, "margin_call: equity is below what margin asks for", now)
        return 0

    cdef int roll_day(self, int64_t day) except -1:
        """Begin another day: sums start at nothing, and the ramp rises."""
        limits = self.limits
        self.day = day
        self.traffic.roll(day)
        self.duplicates.clear()
        if self.ramp_from is None:
            self.ramp_from = day
        if limits.ramp_start is not None and limits.ramp_days:
            passed = min(limits.ramp_days, day - self.ramp_from)
            share = limits.ramp_start + (1 - limits.ramp_start) * passed / limits.ramp_days
            if share > self.ramp_share:
                self.ramp_share = share
                self.compile()
        return 0

    # -- breaker, stops, kill switch -----------------------------------------------------------

    cdef int take_round_trips(self, int64_t now) except -1:
        """Hand the results of round trips that have ended to the breaker."""
        cdef TripRow* row
        while self.round_trips_seen < self.records.trips.count:
            row = <TripRow*>self.records.trips.at(self.round_trips_seen)
            self.round_trips_seen += 1
            if self.breaker.watches_trades or self.breaker.state == HALF_OPEN:
                self.breaker.add_trade(now, self.account.to_base(
                    self.account.holdings[row.instrument].currency, row.pnl
                ))
        return 0

    cdef int after_breaker(self, int64_t now) except -1:
        """Note each opening and take entries back that still work."""
        cdef Order order
        if len(self.breaker.trips) == self.openings_seen:
            return 0
        self.openings_seen = len(self.breaker.trips)
        self.states.note(now, "breaker", "CLOSED", "OPEN", ENGINE, self.breaker.reason)
        for order in self.cache.orders_open():
            if not order.is_exit and order.status_ != INITIALIZED:
                self.desk.cancel(self.strategies[order.position.strategy], order)
        return 0

    cdef int count_duplicate(self, Order order, int64_t now) except -1:
        """Halt a strategy that keeps sending the same."""
        name = order.strategy.name
        count = self.duplicates[name] = self.duplicates.get(name, 0) + 1
        if self.limits.max_duplicates is not None and count > self.limits.max_duplicates:
            self.put_state(
                HALTED, ENGINE,
                f"max_duplicates: {count} duplicate orders today are over the limit of "
                f"{self.limits.max_duplicates}",
                name, None,
            )
        return 0

    def judge_repeats(self, Order order, int64_t now):
        """Halt a strategy that trades one way over and over."""
        if not self.traffic.repeats(order, now):
            return
        side = "buy" if order.side_sign > 0 else "sell"
        self.put_state(
            HALTED, ENGINE,
            f"max_repeated_executions: more than {self.limits.max_repeated_executions} {side} "
            f"orders of {order.symbol} filled in a row",
            order.strategy.name, None,
        )

    cdef int protect(self, Py_ssize_t index, int64_t now) except -1:
        """Leave positions whose protective stop is reached."""
        cdef Position position
        cdef str reason
        for position in <list>self.cache.by_instrument[index]:
            if position.units == 0:
                continue
            reason = self.stops.judge(position, now)
            if reason is not None:
                self.leave(position, reason, now)
        return 0

    cdef int leave(self, Position position, str reason, int64_t now, int64_t rest=0,
                   bint at_once=False) except -1:
        """Cancel a position's exits and send a market order for all but `rest` of it, once.

        Where that came to nothing (denied, refused by the venue) it is sent again, after a second,
        then two, up to ten: not with every price. With `at_once` there is no waiting.
        """
        cdef Guard guard = self.stops.guard(position)
        owner = self.strategies[position.strategy]
        self.stops.follow(guard, position)
        if self.states.over(owner.name, position.instrument.id) == HALTED:
            if not guard.is_barred and self.states.everywhere != HALTED:
                guard.is_barred = True
                self.states.note(now, f"position {position.symbol}", "held", "barred", ENGINE, (
                    f"{reason}; but no order leaves while HALTED"
                ))
            return 0
        guard.is_barred = False
        if guard.exit is not None and not is_final(guard.exit.status_):
            return 0
        if now < guard.retry_at and not at_once:
            return 0
        if guard.pause == 0:
            self.states.note(now, f"position {position.symbol}", "held", "leaving", ENGINE, reason)
        guard.pause = min(max(2 * guard.pause, SECOND), PAUSE_MAX)
        guard.retry_at = now + guard.pause
        guard.exit = self.desk.target(
            owner, position.instrument.id,
            decimal_from_scaled(rest, position.instrument.decimals), ENGINE,
        )
        return 0

    cdef int flatten(self, int64_t now, bint at_once) except -1:
        """Leave what is held; halt when nothing is left, and nothing works that could fill yet."""
        cdef bint holds = False
        cdef Position position
        for position in self.cache.positions():
            holds |= self.flatten_one(position, now, at_once)
        if not holds and not self.cache.orders_open():
            self.flattening = False
            self.put_state(HALTED, ENGINE, "kill switch: everything is flat", None, None)
        return 0

    cdef bint flatten_one(self, Position position, int64_t now, bint at_once) except -1:
        """Leave one position as far as that takes the account nearer to nothing; False if not.

        What other strategies hold on the other side goes after it; what they make up for stays,
        where leaving it would make the account's position larger than it is.
        """
        cdef int64_t net = self.account.holdings[position.instrument.index].units
        cdef int64_t own = position.units, rest = own - net
        if net == 0 or (net > 0) != (own > 0):
            return False
        self.leave(
            position, "kill switch", now, rest if abs(rest) > abs(net) else 0, at_once
        )
        return True

    def kill(self, actor, reason, *, bint flatten=False):
        """Block at once and cancel all that works.

        With `flatten`, positions are left by market orders first: REDUCING until all are flat,
        HALTED from then on.

        Parameters
        ----------
        actor, reason : str
            Who, and why; on record.
        flatten : bool
        """
        check_named("all", actor, reason)
        self.names_of(None, None)
        self.tell("kill", {"actor": actor, "reason": reason, "flatten": bool(flatten)})
        self.stop_all(actor, reason, flatten)

    cdef int stop_all(self, object actor, object reason, bint flatten) except -1:
        self.put_state(REDUCING if flatten else HALTED, actor, reason, None, None)
        for owner in self.strategies:
            self.desk.cancel_all(owner, None)
        if flatten:
            self.flattening = True
            self.look()
            self.flatten(self.clock.now, True)
        return 0

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
        was_on = self.is_on
        self.look()
        if self.is_on and not was_on:
            self.resync()
        return 0

    cdef int note_status(self, int32_t index, int status) except -1:
        """Without limits a simulated venue's halts are its own affair: what is sent waits there."""
        if self.strict or not self.limits.is_empty:
            self.take_status(index, status)
        return 0

    cdef int take_status(self, int32_t index, int status) except -1:
        cdef bint was_on = self.is_on
        if status == ST_HALTED or status == ST_QUOTING:
            self.halted[index] = None
        elif status == ST_TRADING and index in self.halted:
            del self.halted[index]
            self.claims.book(index).ts_reference = INT64_MIN
        if status == ST_LIMIT and self.limits.deny_limit_state:
            self.limited[index] = None
        else:
            self.limited.pop(index, None)
        self.look()
        if self.is_on and not was_on:
            self.resync()
        return 0

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

    def could_raise(self, Order order not None):
        """Return whether an order that was approved could make its position larger, or turn it.

        All else that works or waits on its side is taken to fill; of orders whose cancel is under
        way as much as is held. Without controls nothing is counted: then all but exits could.
        """
        if not self.is_on:
            return not order.is_exit
        return self.lifts(order, self.claims.book(order.instrument.index), 0)

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
