"""What a risk engine is set up from, is changed by, and is kept as over a restart."""
from libc.stdint cimport INT64_MIN, int64_t

from pyrt.core.hours cimport Hours
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport nano_from_object, nano_to_double
from pyrt.core.orders cimport Order, no_price
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport ACCEPTED, HELD, INITIALIZED, LIMIT, SENT, TRIGGERED
from pyrt.risk.breaker cimport CircuitBreaker
from pyrt.risk.caps cimport CapsTable
from pyrt.risk.claims cimport Book, Claim, Claims
from pyrt.risk.facts cimport trigger_of, worst_price
from pyrt.risk.overseer cimport Overseer
from pyrt.risk.readings cimport Readings
from pyrt.risk.sessions cimport DayClock
from pyrt.risk.states cimport States
from pyrt.risk.stops cimport ProtectiveStops
from pyrt.risk.traffic cimport Traffic
from pyrt.risk.verdicts cimport Verdicts

from decimal import Decimal
from math import floor

from pyrt.errors import ConfigError
from pyrt.risk.breaker import BreakerState
from pyrt.risk.depth import walked
from pyrt.risk.limit_values import number_of
from pyrt.risk.limits import Limits
from pyrt.risk.monitor import PortfolioMonitor
from pyrt.risk.report import report_of
from pyrt.risk.states import check_named
from pyrt.risk.stops import check_range


cdef class Keeper(Overseer):
    """Puts the engine's parts together, changes them on record, and writes and reads them."""

    # -- wiring --------------------------------------------------------------------------------

    def reset(self):
        """Forget everything but the limits."""
        limits = self.limits
        self.states = States()
        self.breaker = CircuitBreaker(limits)
        self.traffic = Traffic(limits)
        self.stops = ProtectiveStops(limits)
        self.stops.atr.update(self.ranges)
        self.verdicts = Verdicts()
        self.hours = Hours()
        self.claims = None
        self.unpriced = []
        self.judged = None
        self.day = INT64_MIN
        self.round_trips_seen = self.openings_seen = 0
        self.flattening = self.called = False
        self.ramp_from = None
        self.ramp_share = limits.ramp_start
        self.readings = Readings()
        self.halted = {}
        self.limited = {}
        self.pardons = {}
        self.warned = {}
        self.aged = set()
        self.duplicates = {}
        self.account = None
        self.book_streams = {}
        self.streams_seen = 0
        self.monitor = None
        self.plan()
        self.compile()

    def plan(self):
        """Set up what counts days and what computes portfolio risk, from the limits."""
        limits, before = self.limits, self.monitor
        self.days = self.breaker.days = DayClock(limits, self.session_closes)
        self.monitor = None
        self.reads_portfolio = limits.reads_portfolio
        if self.reads_portfolio:
            self.monitor = PortfolioMonitor(
                limits.risk_window, float(limits.risk_level), limits.market_symbol
            )
        if before is None or self.monitor is None or self.risk_every != limits.risk_every:
            self.risk_due = INT64_MIN
        else:
            self.monitor.inherit(before)
        self.risk_every = limits.risk_every

    def session_closes(self):
        """Return the closes of the first instrument that has sessions; None if none has."""
        if self.cache is None or self.hours.sessions_of is None:
            return None
        for instrument in self.cache.instruments:
            hours = self.hours.sessions_of(instrument)
            if hours is not None:
                return hours[1]
        return None

    def compile(self):
        """Turn the limits into raw numbers; those of symbols are looked up again when needed."""
        cdef Py_ssize_t i
        limits = self.limits
        self.caps = CapsTable(limits, Decimal(1) if self.ramp_share is None else self.ramp_share)
        if self.claims is not None:
            self.claims.keeps_sectors = limits.max_sector_concentration is not None
            self.claims.keeps_power = limits.require_buying_power
            for i in range(self.claims.n_books):
                self.claims.books[i].caps = 0
        jump = limits.max_tick_jump_bps
        self.adv_share = limits.max_adv_share
        self.age_due = INT64_MIN
        self.jump = -1 if jump is None else nano_from_object(jump / 10_000)
        missing = limits.missing() if self.strict else ()
        self.missing = missing[0] if missing else None
        self.verdicts.begin_version(limits.version)
        self.look()

    def attach(self, *, account, cache, clock, desk, records, strategies, sessions=None):
        """Take what the kernel keeps, at the start of a run; state of an earlier run is dropped."""
        self.reset()
        self.account = account
        self.cache = cache
        self.clock = clock
        self.desk = desk
        self.records = records
        self.strategies = strategies
        self.hours = Hours(sessions)
        self.claims = Claims(account)
        if self.depth is None:
            # Books that strategies follow are looked into; a depth that was given stays.
            self.depth = self.expected_in_book
        self.compile()

    def expected_in_book(self, str symbol, str side, double quantity):
        """Return what a quantity would cost on average in a book that a strategy follows."""
        cdef Stream stream
        while self.streams_seen < len(self.cache.streams):
            stream = <Stream>self.cache.streams[self.streams_seen]
            self.streams_seen += 1
            if stream.kind == "book":
                self.book_streams[stream.instrument.symbol] = stream
        found = self.book_streams.get(symbol)
        if found is None:
            return None
        stream = <Stream>found
        stream.catch_up()
        return walked(stream.book, side, quantity)

    def resync(self):
        """Count all holdings and open orders anew, such as after a reconciliation.

        Without controls nothing is counted.
        """
        cdef Order order
        cdef Instrument instrument
        cdef Book* book
        if self.claims is None or not self.is_on:
            return
        for instrument in self.cache.instruments:
            self.touch(instrument)
            book = self.claims.book(instrument.index)
            if self.jump >= 0 and book.reference != 0 and book.suspects == 0:
                # Where no limit asked for it, nobody has followed the price.
                book.reference = self.cache.last_mark(instrument)
            self.claims.recount(instrument.index)
        for order in self.cache.orders_open():
            if order.status_ != INITIALIZED and order.number not in self.claims.open:
                self.adopt(order, self.clock.now)

    cdef int adopt(self, Order order, int64_t now) except -1:
        """Count an order that was approved with another, before a restart, or elsewhere."""
        cdef int64_t price = self.price_of(order), estimate = 0
        cdef Claim claim
        if order.units == 0:
            # One by notional.
            try:
                estimate = self.units_for(order, price)
            except OverflowError:
                # A wrong price of next to nothing: no start fails for it.
                price = 0
        claim = self.claims.add(order, price, estimate, now)
        if price <= 0:
            self.unpriced.append(claim)
        # What has been answered before it came here is not answered late by what comes next.
        claim.is_answered = order.status_ != INITIALIZED and order.status_ != SENT
        cdef int since = <int>SENT if order.parent is None else <int>ACCEPTED
        if order.status_ >= since:
            self.note_resting(claim, order.limit_price_raw)
        return 0

    cdef int price_anew(self) except -1:
        """Count what was adopted before there was a price at what it is worth by now."""
        cdef Claim claim
        cdef int64_t price
        cdef list left = []
        for claim in self.unpriced:
            if claim.order.number not in self.claims.open:
                continue
            price = self.price_of(claim.order)
            if price <= 0:
                left.append(claim)
                continue
            if claim.order.units == 0:
                claim.estimate = self.units_for(claim.order, price)
            claim.price = max(claim.price, price)
            self.claims.follow(claim.order)
        self.unpriced = left
        return 0

    cdef int64_t price_of(self, Order order) except? -2:
        """Worst price of an order by the terms in force."""
        cdef int64_t mark = order.position.mark
        return worst_price(
            order.side_sign, order.limit_price_raw,
            trigger_of(order, order.stop_price_raw, no_price(), mark), mark,
        )

    cdef int note_resting(self, Claim claim, int64_t limit) except -1:
        """Note where an order may rest, for own orders that would meet it there.

        A leg of a bracket does from when its entry has filled, a stop order with a limit once it
        is triggered.
        """
        cdef int status = claim.order.status_
        if status == HELD or (claim.order.type != LIMIT and status != TRIGGERED):
            return 0
        claim.resting = limit
        return self.traffic.rest(claim, self.claims)

    def expect_change(self, Order order not None, changes, quantity, limit_price, stop_price):
        """Count changes of an earlier run that may still arrive: what they asked for at most.

        Parameters
        ----------
        changes : int
            How many have not been answered.
        quantity, limit_price, stop_price : number, str or None
            The largest of each that they ask for; None or "" where they leave it.
        """
        cdef Claim claim
        found = None if self.claims is None else self.claims.open.get(order.number)
        if found is None:
            return
        claim = <Claim>found
        asked = order.instrument.quantity_raw(quantity) if quantity else 0
        price = worst_price(
            order.side_sign,
            nano_from_object(limit_price) if limit_price else order.limit_price_raw,
            nano_from_object(stop_price) if stop_price else order.stop_price_raw,
            order.position.mark,
        )
        while len(claim.waiting or ()) < changes - 1:
            self.claims.ask(claim, 0, no_price(), no_price(), price)
        if len(claim.waiting or ()) < changes or asked > claim.asked:
            self.claims.ask(claim, asked, no_price(), no_price(), price)
        self.claims.follow(order)

    # -- audited changes -----------------------------------------------------------------------

    def set_limits(self, limits, actor, reason):
        """Replace the limits; counts go on. ConfigError, and no change, for what is no Limits."""
        if not isinstance(limits, Limits) or (self.strict and limits.is_empty):
            raise ConfigError(f"expected Limits, got {limits!r}")
        check_named("limits", actor, reason)
        self.tell("set_limits", {"limits": limits.to_dict(), "actor": actor, "reason": reason})
        self.states.note(
            self.now, "limits", self.limits.version, limits.version, actor, reason
        )
        old = self.traffic
        self.limits = limits
        self.traffic = Traffic(limits)
        self.traffic.inherit(old, self.claims)
        if not old.self_match:
            for claim in [] if self.claims is None else self.claims.open.values():
                self.traffic.rest(claim, self.claims)
        self.breaker.configure(limits)
        self.stops.configure(limits)
        self.plan()
        self.ramp_from = None
        self.ramp_share = limits.ramp_start
        self.compile()
        self.resync()

    def set_ramp(self, share, actor, reason):
        """Set the share of sizes and exposures that applies, from 0 to 1.

        A smaller share than the ramp has come to is where it goes on rising from, day by day; with
        a larger one it waits until it has come that far.
        """
        value = number_of("share", share)
        if value is None or value > 1:
            raise ConfigError(f"share is {share!r}; expected 0 to 1")
        check_named("a ramp", actor, reason)
        self.tell("set_ramp", {"share": str(value), "actor": actor, "reason": reason})
        self.states.note(self.now, "ramp", str(self.ramp_share), str(value), actor, reason)
        self.ramp_share = value
        self.delay_ramp(value)
        self.compile()

    cdef int delay_ramp(self, share) except -1:
        """Move the ramp's beginning to where it has come to no more than a share by now."""
        start, days = self.limits.ramp_start, self.limits.ramp_days
        if start is None or start == 1 or not days:
            return 0
        day = self.days.day(self.now)
        began = day - floor((share - start) * days / (1 - start))
        self.ramp_from = max(began, day if self.ramp_from is None else self.ramp_from)
        return 0

    def reset_breaker(self, actor, reason):
        """Close the circuit breaker by hand."""
        check_named("the breaker", actor, reason)
        self.tell("reset_breaker", {"actor": actor, "reason": reason})
        before = BreakerState(self.breaker.state).name
        self.states.note(self.now, "breaker", before, "CLOSED", actor, reason)
        self.breaker.close()

    def set_atr(self, str symbol, double value):
        """State the average true range of a symbol for `max_position_loss_atr`."""
        check_range(symbol, value)
        self.tell("set_atr", {"symbol": symbol, "value": value})
        self.stops.set_atr(symbol, value)
        self.ranges[symbol] = value

    def set_adv(self, str symbol, volume):
        """State the average daily volume of a symbol, in units, for `max_adv_share`."""
        value = number_of(f"the volume of {symbol}", volume)
        if not value:
            raise ConfigError(f"the volume of {symbol} is {volume!r}; expected a positive number")
        self.tell("set_adv", {"symbol": symbol, "volume": str(value)})
        self.volumes[symbol] = value

    # -- restart and report --------------------------------------------------------------------

    def save(self):
        """Return states, breaker and day sums as plain values; a restart goes on from them."""
        return {
            "limits": self.limits.version, "states": self.states.save(),
            "breaker": self.breaker.save(), "traffic": self.traffic.save(),
            "stops": self.save_stops(), "day_units": self.day_units(),
            "duplicates": dict(self.duplicates), "flattening": bool(self.flattening),
            "sizes": self.traffic.save_sizes([owner.name for owner in self.strategies or ()]),
            "ramp_from": self.ramp_from, "warned": dict(self.warned), "aged": sorted(self.aged),
            "ramp_share": None if self.ramp_share is None else str(self.ramp_share),
            "portfolio": self.save_portfolio(),
        }

    def save_stops(self):
        """Return what protective stops remember, by strategies' names: numbers may change."""
        return [
            [symbol, self.strategies[number].name, side, best]
            for symbol, number, side, best in self.stops.save()
        ]

    def save_portfolio(self):
        """Return portfolio risk as last computed and what the next is computed from."""
        if self.monitor is None:
            return None
        return {
            "every": self.risk_every, "due": self.risk_due, "readings": self.readings.save(),
            "monitor": self.monitor.save(),
        }

    def restore_portfolio(self, saved):
        """Take over what `save_portfolio` returned, if prices are sampled as they were."""
        if saved is None or self.monitor is None or saved["every"] != self.risk_every:
            return
        self.risk_due = saved["due"]
        self.monitor.restore(saved["monitor"])
        self.readings.restore(saved["readings"])

    def restore(self, saved):
        """Take over what `save` returned; after `attach`. Halts and an open breaker stay."""
        self.states.restore(saved["states"])
        self.breaker.restore(saved["breaker"])
        self.traffic.restore(saved["traffic"])
        self.day = self.traffic.day
        self.openings_seen = len(self.breaker.trips)
        if saved["limits"] == self.limits.version:
            # A ramp belongs to its limits: that of others begins anew.
            self.ramp_from = saved["ramp_from"]
            if saved["ramp_share"] is not None:
                self.ramp_share = Decimal(saved["ramp_share"])
        self.compile()
        self.resync()
        self.stops.restore(saved["stops"], self.position_of)
        self.duplicates = dict(saved["duplicates"])
        self.flattening = saved.get("flattening", False)
        self.traffic.restore_sizes(
            saved.get("sizes", {}), [owner.name for owner in self.strategies or ()]
        )
        self.look()
        self.warned = dict(saved.get("warned", {}))
        # Older versions have saved numbers: of these orders it is told once more.
        self.aged = {name for name in saved.get("aged", ()) if isinstance(name, str)}
        self.restore_portfolio(saved.get("portfolio"))
        for symbol, units in saved["day_units"].items():
            if symbol in self.cache.by_name:
                self.count_units(self.cache.instrument(symbol), units)

    def day_units(self):
        """Return what was ordered of each symbol today, in its units."""
        cdef Instrument instrument
        found = {}
        for instrument in [] if self.claims is None else self.cache.instruments:
            if self.claims.book(instrument.index).day == self.day:
                found[instrument.id] = self.claims.book(instrument.index).day_units
        return found

    cdef int count_units(self, Instrument instrument, int64_t units) except -1:
        cdef Book* book = self.claims.book(instrument.index)
        book.day = self.day
        book.day_units = units
        return 0

    def position_of(self, str symbol, strategy):
        """Return a strategy's position in a symbol; None where it holds nothing.

        A strategy goes by its name; by its number in what older versions have saved. Either may
        have been left out of this run since.
        """
        names = [owner.name for owner in self.strategies]
        if strategy in names:
            strategy = names.index(strategy)
        if strategy not in range(len(names)) or symbol not in self.cache.by_name:
            return None
        found = self.cache.positions(strategy, symbol)
        return found[0] if found else None

    def report(self):
        """Return verdicts, denials by control, changes and openings of the breaker as columns.

        Returns
        -------
        dict
            See `pyrt.risk.report.report_of`.
        """
        cdef Instrument instrument
        instruments = [] if self.cache is None else self.cache.instruments
        marks = []
        for instrument in instruments:
            marks.append(nano_to_double(self.cache.last_mark(instrument)))
        return report_of(
            self.verdicts, self.changes, self.breaker.trips, instruments, marks,
            [] if self.strategies is None else [s.name for s in self.strategies],
        )
