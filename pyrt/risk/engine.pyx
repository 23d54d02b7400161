"""The risk engine: one gate with all controls, states, breaker, stops and record of verdicts."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport i128_to_double, int128
from pyrt.core.orders cimport Order, no_price
from pyrt.core.ports cimport ApprovedOrder, Command, RiskGate
from pyrt.core.records cimport OrderRow
from pyrt.core.types cimport (
    EV_ACCEPTED, EV_DENIED, EV_FILL, EV_HELD, EV_MODIFIED, EV_MODIFY_REJECTED, EV_REJECTED,
    EV_TRIGGERED, FILLED, INITIALIZED, RELEASED, is_final,
)
from pyrt.risk.breaker cimport HALF_OPEN
from pyrt.risk.claims cimport Book, Claim
from pyrt.risk.gate cimport BasicGate
from pyrt.risk.keeper cimport Keeper
from pyrt.risk.verdicts cimport VerdictRow

from pyrt.errors import ConfigError, OrderError
from pyrt.risk.limits import Limits
from pyrt.risk.states import ENGINE, TradingState

cdef int64_t ONE = 1_000_000_000
cdef int CONFIRMATIONS = 3


@cython.final
cdef class RiskEngine(Keeper):
    """Judges every order and change by all limits that are set, and keeps the worst case.

    Without limits it checks grids and permissions only and costs nothing more. A strict engine,
    for live trading, refuses to be made without limits, and denies what could raise exposure
    while one of those that `Limits.missing` names is not set.

    Parameters
    ----------
    limits : Limits, optional
    strict : bool
        Missing limits deny.

    Raises
    ------
    ConfigError
        If a strict engine gets no limits at all.
    """

    def __init__(self, limits=None, *, bint strict=False):
        if limits is None:
            limits = Limits()
        if not isinstance(limits, Limits):
            raise ConfigError(f"expected Limits, got {limits!r}", remedy="Write Limits(...)")
        if strict and limits.is_empty:
            raise ConfigError(
                "live trading needs risk limits",
                remedy=f"Set at least {', '.join(limits.missing())}",
            )
        self.limits = limits
        self.strict = strict
        self.volumes = {}
        self.ranges = {}
        self.reset()

    # -- the gate ------------------------------------------------------------------------------

    cdef str judge(self, Order order, int64_t now):
        """Approve (None) or say why not, beginning with the control's code."""
        cdef OrderRow* row
        cdef str reason = None
        self.judged = None
        self.is_weighed = False
        self.ask_for(order)
        if self.is_on:
            # What is asked for here arrives while the day and the breaker are looked at.
            row = <OrderRow*>self.records.orders.at(order.number - 1)
            self.claims.fetch_facts(order, row.instrument)
            reason = self.begun(now)
        if reason is None:
            reason = BasicGate.judge(self, order, now)
        if reason is None and self.is_on:
            reason = self.weighed(order, now)
        if reason is not None:
            return self.deny(order, now, reason)
        if self.is_on:
            self.note(order, now, None)
        self.judged = order
        return None

    cdef str begun(self, int64_t now):
        """Bring day, breaker and what is counted to this instant; say so where sums fail."""
        try:
            self.begin(now)
            if self.unpriced:
                self.price_anew()
        except OverflowError as error:
            return f"overflow: {error}"
        return None

    cdef str weighed(self, Order order, int64_t now):
        """Judge by everything but the grid; what cannot be summed up is denied."""
        try:
            return self.weigh(order, now)
        except OverflowError as error:
            return f"overflow: {error}"

    cdef int ask_for(self, Order order) except -1:
        """Begin to judge an order as it stands."""
        self.terms.is_change = False
        self.terms.units = order.units
        self.terms.limit_price = order.limit_price_raw
        self.terms.stop_price = order.stop_price_raw
        self.terms.trail = no_price()
        return 0

    cdef ApprovedOrder approve(self, Order order):
        """Count the order just judged into the worst case and let it go."""
        cdef Claim claim
        cdef int64_t now
        if self.judged is not order:
            raise OrderError(
                f"order {order.client_order_id} has no verdict", code="no_verdict"
            )
        self.judged = None
        if self.is_on:
            now = self.clock.now
            claim = self.claims.add(order, self.terms.price, self.terms.leaves, now)
            self.note_resting(claim, order.limit_price_raw)
            for leg in (order.take_profit, order.stop_loss):
                if leg is not None:
                    self.adopt(<Order>leg, now)
            self.count_day(self.claims.book(order.instrument.index))
            self.traffic.count(
                order, self.terms.value, self.terms.more_value, now, self.claims
            )
            if self.breaker.state == HALF_OPEN and self.terms.raises:
                self.breaker.probes += 1
                self.breaker.trial = order.client_order_id
            if self.warn_at > 0.0 and self.terms.raises:
                self.warn(self.caps_of(order), now)
        return RiskGate.approve(self, order)

    cdef int count_day(self, Book* book) except -1:
        """Count the units just approved among those of the day."""
        if book.day != self.day:
            book.day = self.day
            book.day_units = 0
        book.day_units += self.terms.more_units
        return 0

    cdef str preview(self, Order order, int64_t now):
        """Judge an order that is not to be sent: nothing is counted, noted or used up."""
        cdef str reason = BasicGate.judge(self, order, now)
        cdef int64_t day
        if reason is not None or not self.is_on:
            return reason
        day = self.days.day(now)
        if day != self.day:
            self.roll_day(day)
        self.ask_for(order)
        self.is_preview = True
        try:
            return self.weighed(order, now)
        finally:
            self.is_preview = False

    cdef str judge_change(self, Command command, int64_t now):
        """Judge an order as it would be after the change, like a new one."""
        cdef Order order = command.order
        cdef Claim claim
        cdef str reason = BasicGate.judge_change(self, command, now)
        self.is_weighed = False
        self.ask_for(order)
        self.terms.is_change = True
        if command.units:
            self.terms.units = command.units
        if command.limit_price != no_price():
            self.terms.limit_price = command.limit_price
        if command.stop_price != no_price():
            self.terms.stop_price = command.stop_price
        self.terms.trail = command.trail
        self.terms.is_priced = (
            command.limit_price != no_price() or command.stop_price != no_price()
        )
        if reason is None and self.is_on:
            reason = self.begun(now)
        if reason is None and self.is_on:
            reason = self.weighed(order, now)
        if reason is not None:
            claim = self.claim_of(order)
            if claim is not None:
                # The kernel answers it; the venue never hears of it.
                claim.denied += 1
            return self.deny(order, now, reason)
        if self.is_on:
            self.note(order, now, None)
            self.accept_change(command, now)
        return None

    cdef Claim claim_of(self, Order order):
        return None if self.claims is None else self.claims.open.get(order.number)

    cdef int recount(self, Order order) except -1:
        """Count an order that has changed on our side; one that is released is judged anew."""
        cdef Claim claim
        found = None if self.claims is None else self.claims.open.get(order.number)
        if found is None:
            return 0
        if order.status_ == RELEASED:
            claim = <Claim>found
            self.claims.put(claim, 0, 0, False)
            del self.claims.open[order.number]
            return self.claims.recount(order.instrument.index)
        return self.claims.follow(order)

    cdef int accept_change(self, Command command, int64_t now) except -1:
        """Count the largest of old and new terms until the venue has answered every change.

        One that asks for the total in force counts as well: another may be in force by then.
        """
        cdef Order order = command.order
        cdef Claim claim = self.claim_of(order)
        if claim is not None:
            self.claims.ask(
                claim, command.units, command.limit_price, command.stop_price, self.terms.price
            )
            self.claims.follow(order)
            if claim.resting != no_price():
                # Until the answer it may rest at either price: the better one is met first.
                if order.side_sign * (self.terms.limit_price - claim.resting) > 0:
                    self.note_resting(claim, self.terms.limit_price)
        self.count_day(self.claims.book(order.instrument.index))
        return self.traffic.count_change(self.terms.more_value, now)

    # -- the record ----------------------------------------------------------------------------

    cdef int note(self, Order order, int64_t now, str reason) except -1:
        """Write the verdict's row; without a reason it is an approval."""
        cdef VerdictRow* row
        cdef int code = 0, text = 0
        if reason is not None:
            code = self.verdicts.code(reason)
            text = self.verdicts.text(reason)
        row = self.verdicts.append(order, now)
        row.control = code
        row.text = text
        row.price = order.position.mark
        if self.is_on:
            row.is_change = self.terms.is_change
            row.quantity = self.terms.leaves
            row.value = i128_to_double(self.terms.value)
            row.exposure = i128_to_double(self.case.gross) if self.caps.needs_value else 0.0
        return 0

    cdef str deny(self, Order order, int64_t now, str reason):
        if self.is_on and not self.is_weighed:
            self.weigh_for_record(order)
        self.note(order, now, reason)
        if reason.startswith("duplicate_order"):
            self.count_duplicate(order, now)
        return reason

    cdef int weigh_for_record(self, Order order) except -1:
        """Find what an order would have come to that was denied before it was weighed."""
        try:
            self.read_terms(order)
            if self.caps.needs_value:
                self.fill_portfolio(order, self.caps_of(order))
        except OverflowError:
            self.terms.leaves = self.terms.units - order.filled
            self.terms.value = self.case.gross = 0
        return 0

    # -- what the kernel reports ---------------------------------------------------------------

    cdef int on_order(self, Order order, int kind, int64_t now) except -1:
        cdef Claim claim
        found = self.claims.open.get(order.number)
        if found is None:
            if is_final(order.status_) or order.status_ == INITIALIZED:
                self.claims.recount(order.instrument.index)
            else:
                self.adopt(order, now)
        else:
            claim = <Claim>found
            if kind == EV_MODIFIED or kind == EV_MODIFY_REJECTED:
                self.take_terms(claim, kind)
            self.claims.follow(order)
            if claim.resting == no_price() and (kind == EV_ACCEPTED or kind == EV_TRIGGERED):
                self.note_resting(claim, order.limit_price_raw)
            if not claim.is_answered and kind in (EV_ACCEPTED, EV_HELD, EV_FILL, EV_REJECTED):
                claim.is_answered = True
                if self.breaker.watches_answers:
                    # A venue takes an exit up once its entry has filled, however long that takes.
                    self.breaker.add_answer(
                        now, kind == EV_REJECTED,
                        now - claim.ts_sent if order.parent is None else 0,
                    )
        if kind == EV_FILL:
            self.take_round_trips(now)
            if self.stops.is_on or order.position in self.stops.guards:
                # A kill or a margin call keeps a guard too: what is opened anew is left anew.
                self.stops.follow(self.stops.guard(order.position), order.position)
            if self.limits.max_repeated_executions is not None and order.status_ == FILLED:
                self.judge_repeats(order, now)
        if self.breaker.state == HALF_OPEN and self.breaker.probes and is_final(order.status_):
            if order.filled == 0 and order.client_order_id == self.breaker.trial:
                self.breaker.end_trial()
        if len(self.breaker.trips) != self.openings_seen:
            self.after_breaker(now)
        if self.flattening and kind != EV_DENIED:
            # What was denied just now would be denied again: the next news may have changed that.
            # An exit that the venue has refused or ended is not sent again in the same breath.
            self.flatten(now, kind == EV_FILL or order.tag != ENGINE)
        return 0

    cdef int take_terms(self, Claim claim, int kind) except -1:
        """Count the terms in force alone, once no change is on its way any more."""
        cdef Order order = claim.order
        cdef int64_t price = self.price_of(order)
        self.claims.take_answer(claim, kind)
        if claim.waiting:
            claim.price = max(claim.price, price)
            return 0
        claim.price = price
        return self.note_resting(claim, order.limit_price_raw)

    cdef int on_cancel(self, Order order, int64_t now) except -1:
        self.traffic.count_message(now, False)
        return self.claims.follow(order)

    cdef int on_mark(self, Py_ssize_t index, int64_t price, int64_t now) except -1:
        cdef Book* book = self.claims.book(index)
        if now >= self.age_due:
            self.tell_of_old(now)
        if self.flattening:
            self.flatten(now, False)
        if book.buys != 0 or book.sells != 0 or self.claims.keeps_sectors:
            # The account has moved what is held to this price, believed or not.
            self.claims.recount(index)
        if self.believe(book, price, now) and self.stops.is_on:
            self.protect(index, now)
        return 0

    cdef int on_quote(self, Py_ssize_t index, int64_t bid, int64_t ask) except -1:
        cdef Book* book = self.claims.book(index)
        # One that is crossed, or of a single side, says nothing about either.
        book.bid = bid if bid <= ask else 0
        book.ask = ask if bid <= ask else 0
        return 0

    cdef int on_equity(self, int64_t now) except -1:
        return self.begin(now)

    cdef int on_deposit(self, int128 amount) except -1:
        return self.breaker.shift(amount)

    cdef int on_corporate_action(self, Py_ssize_t index, int64_t new, int64_t old) except -1:
        cdef Book* book = self.claims.book(index)
        book.reference = book.suspects = 0
        self.stops.split(self.cache.instruments[index], new, old, self.clock.now)
        if new != old:
            split_volumes(self, self.cache.instruments[index], new, old)
            if self.monitor is not None:
                self.monitor.rescale(self.cache.instruments[index].id, <double>old / <double>new)
            self.claims.restate(index)
        return self.claims.recount(index)

    cdef bint believe(self, Book* book, int64_t price, int64_t now) except -1:
        """Take a price as the reference; one that jumps needs others near it first."""
        cdef int64_t near, jump
        if self.jump >= 0 and book.reference > 0:
            jump = abs(price - book.reference)
            if price <= 0 or <int128>jump * ONE > <int128>self.jump * book.reference:
                near = abs(price - book.suspect)
                if book.suspects and <int128>near * ONE <= <int128>self.jump * book.suspect:
                    book.suspects += 1
                else:
                    book.suspects = 1
                book.suspect = price if price > 0 else 1
                if price <= 0 or book.suspects < CONFIRMATIONS:
                    return False
        book.suspects = 0
        book.reference = price
        book.ts_reference = now
        return True

    def __repr__(self):
        state = TradingState(self.states.everywhere).name
        return f"RiskEngine({state}, limits {self.limits.version}, strict={bool(self.strict)})"


cdef int split_volumes(RiskEngine gate, Instrument instrument, int64_t new, int64_t old) except -1:
    """Turn what is known of daily volumes into those of `new` units for `old` ones."""
    for name in {instrument.id, instrument.symbol} & gate.volumes.keys():
        gate.volumes[name] = gate.volumes[name] * new / old
    # A function of one's own says what holds when it is asked, splits included.
    if hasattr(gate.daily_volume, "split"):
        gate.daily_volume.split(instrument, gate.clock.now, <double>new / <double>old)
    return 0
