"""What watches beside the gate: days, account, portfolio risk, breaker and repetitions."""
from libc.stdint cimport INT64_MAX, int64_t

from pyrt.core.int128 cimport i128_to_double, int128
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport nano_to_double
from pyrt.core.orders cimport Order
from pyrt.core.positions cimport Position
from pyrt.core.records cimport TripRow
from pyrt.core.types cimport INITIALIZED, is_final
from pyrt.risk.breaker cimport HALF_OPEN, OPEN
from pyrt.risk.checks cimport Caps
from pyrt.risk.claims cimport magnitude
from pyrt.risk.leaver cimport Leaver
from pyrt.risk.states cimport HALTED

from decimal import Decimal

from pyrt.risk.states import ENGINE

cdef int64_t MINUTE = 60_000_000_000
cdef double ONE = 1e9


cdef class Overseer(Leaver):
    """Watches days, account and trades, whatever orders come."""

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
                # Where a person lets nothing leave, no rule does.
                self.stop_all(
                    ENGINE, self.breaker.take_halt(),
                    self.limits.halt_flattens and self.states.everywhere != HALTED,
                )
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
        cdef set working = set()
        self.age_due = INT64_MAX
        if self.limits.max_order_age is None:
            return 0
        most = self.limits.max_order_age
        self.age_due = now + MINUTE
        for order in self.cache.orders_open():
            working.add(order.client_order_id)
            if order.client_order_id not in self.aged and now - order.ts_init > most:
                self.aged.add(order.client_order_id)
                self.states.note(now, f"order {order.client_order_id}", "working", "old", ENGINE, (
                    f"max_order_age: it works for {(now - order.ts_init) / 1e9:.0f} s, "
                    f"more than {most / 1e9:.0f} s"
                ))
        ended = self.aged - working
        if ended:
            self.aged -= ended
            self.states.forget({f"order {name}" for name in ended})
        return 0

    cdef int warn(self, Caps* caps, int64_t now) except -1:
        """Tell of limits that the order just approved has come near to, as the ramp has them."""
        cdef double gross = i128_to_double(self.case.gross), equity = self.account.equity
        if caps.gross_exposure > 0:
            self.warn_of("max_gross_exposure", gross / i128_to_double(caps.gross_exposure), now)
        if caps.net_exposure > 0:
            self.warn_of(
                "max_net_exposure",
                i128_to_double(self.case.net) / i128_to_double(caps.net_exposure), now,
            )
        if caps.leverage > 0 and equity > 0.0:
            self.warn_of("max_leverage", gross / (equity * (caps.leverage / ONE)), now)
        if caps.open_orders > 0:
            self.warn_of("max_open_orders", <double>self.case.open_orders / caps.open_orders, now)
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

        One position at a time, that of the largest value first: what it frees may be enough. Those
        that may not leave are told of, and passed over.
        """
        cdef Position position, largest = None
        cdef str reason = "margin_call: equity is below what margin asks for"
        cdef int128 value, most = -1
        cdef bint was_called = self.called
        self.called = self.account.call_raw() > 0
        if self.called and not was_called:
            self.states.note(now, "margin", "met", "called", ENGINE, (
                f"equity lacks {self.account.margin_call:.2f} to what margin asks for"
            ))
        if not self.called or self.account.rules.on_call != "liquidate":
            return 0
        for position in self.cache.positions():
            exit = self.stops.guard(position).exit
            if exit is not None and not is_final((<Order>exit).status_):
                return 0
            value = magnitude(self.claims.value_of(
                position.instrument.index, position.units, position.mark
            ))
            if self.is_halted(position):
                self.leave(position, reason, now)
            elif value > most:
                largest, most = position, value
        if largest is not None:
            self.leave(largest, reason, now)
        return 0

    cdef int roll_day(self, int64_t day) except -1:
        """Begin another day: sums start at nothing, and the ramp rises."""
        limits = self.limits
        self.day = day
        self.traffic.roll(day)
        self.duplicates.clear()
        if self.ramp_from is None:
            self.ramp_from = day
        if limits.ramp_start is not None and limits.ramp_start < 1 and limits.ramp_days:
            passed = min(limits.ramp_days, day - self.ramp_from)
            share = limits.ramp_start + (1 - limits.ramp_start) * passed / limits.ramp_days
            if share > self.ramp_share:
                self.ramp_share = share
                self.compile()
        return 0

    # -- breaker and repetitions ---------------------------------------------------------------

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
