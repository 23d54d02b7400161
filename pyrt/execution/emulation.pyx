"""Orders that are kept on our side because the venue lacks what they ask for.

A kept order is EMULATED until the market triggers it, then RELEASED: it goes through risk to the
venue as a market or limit order. Both worlds run this code: the kernel shows it the prices that
mark positions, before any handler sees them, and it answers with events and commands that take
their place in the instant like all others.

Bars are met as a broker's own data would show them: the trigger is compared with the bar's extremes
(a trailing one first where it stood, then, moved by the favorable extreme, with the close), and
what is released meets the market after the bar.
"""
cimport cython
from libc.stdint cimport INT64_MAX

import numpy as np

from pyrt.core.events cimport clear_event
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport POWERS_OF_TEN, nano_from_double
from pyrt.core.orders cimport no_price, trailing_stop_price
from pyrt.core.ports cimport SUBMIT
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport (
    DAY, EV_CANCELED, EV_EMULATED, EV_EXPIRED, EV_FILL, EV_MODIFIED, EV_RELEASED, FILLED, GTC, GTD,
    LIMIT, LIMIT_IF_TOUCHED, MARKET, MARKET_IF_TOUCHED, MARKET_TO_LIMIT, STOP, TRAILING_STOP,
    TRAILING_STOP_LIMIT, is_final,
)
from pyrt.core.types import TIF_NAMES, TYPE_NAMES

DAY_NS = 86_400_000_000_000
ENDED = "time_in_force: it has ended"


cdef Event* tell(EventQueue inbox, Order order, int kind, int64_t now, int reason) except NULL:
    """Push what happened to an order on our side; return the record to fill in."""
    cdef Event* event = inbox.push()
    clear_event(event)
    event.kind = kind
    event.order = order.number
    event.instrument = order.instrument.index
    event.ts_event = event.ts_init = now
    event.price = event.cumulative = no_price()
    event.reason = reason
    return event


cdef bint trails(Order order) noexcept:
    return order.type == TRAILING_STOP or order.type == TRAILING_STOP_LIMIT


cdef bint is_fraction(Order order) noexcept:
    return order.instrument.kind == "equity" and (
        order.notional_raw != 0 or order.units % POWERS_OF_TEN[order.instrument.decimals] != 0
    )


@cython.final
cdef class Kept:
    """An order on our side, and what triggers it."""


@cython.final
cdef class Emulator:
    """Does for a venue what it cannot do itself.

    Parameters
    ----------
    desk, cache, clock, inbox, texts
        Of the kernel.
    tables : dict
        Kind of instrument → `Capabilities` of the venue; key "" for all others.
    sessions_of : callable
        Instrument → (opens, closes) or None.
    """

    def __init__(self, Desk desk, Cache cache, Clock clock, EventQueue inbox, Texts texts,
                 dict tables, sessions_of):
        self.desk = desk
        self.cache = cache
        self.clock = clock
        self.inbox = inbox
        self.texts = texts
        # None stands for a venue that can do everything.
        self.tables = {k: None if t.is_everything else t for k, t in tables.items()}
        self.is_idle = not any(self.tables.values())
        self.sessions_of = sessions_of
        self.kept = {}
        self.by_index = {}
        self.reducing = {}
        self.ending = set()

    cdef object capabilities(self, Order order):
        return self.tables.get(order.instrument.kind, self.tables[""])

    cdef bint shows_whole(self, Order order) except -1:
        """Whether the venue shows all of an order that is to be shown in parts."""
        if self.is_idle or not order.display:
            return False
        table = self.capabilities(order)
        return table is not None and "iceberg" not in table.instructions

    # -- taking in -----------------------------------------------------------------------------

    cdef str place(self, Order order):
        """Look at an approved order: None if it is to be sent, "" if it is kept, else why not."""
        if self.is_idle:
            return None
        table = self.capabilities(order)
        if table is None:
            return None
        is_native = TYPE_NAMES[order.type] in table.order_types
        is_pair = order.sibling is not None and "oco" not in table.groups
        reason = self.objection(order, table, is_native and not is_pair)
        if reason is not None:
            return reason
        self.adapt_time(order, table)
        if order.reduce_only and "reduce_only" not in table.instructions:
            self.reducing[order.number] = order
        exits = (order.take_profit is not None) + (order.stop_loss is not None)
        if exits and ("oto" if exits == 1 else "bracket") not in table.groups:
            self.keep_exits(order)
        if is_pair:
            order.keeps_exits = order.sibling.keeps_exits = True
            # The limit rests at the venue, the stop on our side: the units are there once.
            is_native = is_native and order.type == LIMIT
        if is_native:
            return None
        self.keep(order, False)
        return ""

    cdef str objection(self, Order order, object table, bint is_sent):
        """Why an order cannot be placed; None if it can."""
        if order.post_only and "post_only" not in table.instructions and self.would_take(order):
            return "post_only: it would take liquidity"
        if not is_sent and not self.has_prices(order.instrument):
            return f"emulation: no data of {order.symbol} come in that could trigger it"
        return None

    cdef str forecast(self, Order order):
        """Say what `place` would, and give the order the form it would be sent in."""
        table = None if self.is_idle else self.capabilities(order)
        if table is None:
            return None
        is_native = TYPE_NAMES[order.type] in table.order_types
        reason = self.objection(order, table, is_native)
        if reason is not None:
            return reason
        if order.tif == GTD and "gtd" not in table.times_in_force:
            order.tif = self.time_for(order, table)
        exits = (order.take_profit is not None) + (order.stop_loss is not None)
        if exits and ("oto" if exits == 1 else "bracket") not in table.groups:
            order.keeps_exits = True
        return None if is_native else ""

    def keep_exits(self, Order order not None):
        """Keep the exits of an order until it has ended."""
        cdef Order leg
        order.keeps_exits = True
        for leg in (order.take_profit, order.stop_loss):
            if leg is not None:
                leg.keeps_exits = True
                self.keep(leg, True)

    cdef int keep(self, Order order, bint asleep) except -1:
        cdef Kept kept = Kept.__new__(Kept)
        kept.order = order
        kept.asleep = asleep
        self.kept[order.number] = kept
        tell(self.inbox, order, EV_EMULATED, self.clock.now, 0)
        if asleep:
            return 0
        self.limit_time(order)
        return self.watch(kept)

    cdef int watch(self, Kept kept) except -1:
        """Let it be met by prices from now on."""
        kept.asleep = False
        kept.since = self.clock.now
        self.by_index.setdefault(kept.order.instrument.index, []).append(kept)
        self.watching += 1
        if trails(kept.order) and kept.order.position.mark > 0:
            self.follow(kept, kept.order.position.mark)
        return 0

    cdef int drop(self, Kept kept) except -1:
        """Let go of an order."""
        del self.kept[kept.order.number]
        watchers = self.by_index.get(kept.order.instrument.index, ())
        if kept in watchers:
            # Replaced, not changed: a round over the old list may be under way.
            self.by_index[kept.order.instrument.index] = [k for k in watchers if k is not kept]
            self.watching -= 1
        return 0

    def has_prices(self, Instrument instrument not None):
        """Return whether a stream of the instrument marks its positions."""
        cdef Stream stream
        for stream in self.cache.streams:
            if stream.instrument is instrument and stream.marks:
                return True
        return False

    def would_take(self, Order order not None):
        """Return whether a limit order would trade at once, at the last price."""
        cdef int64_t price = order.position.mark
        if price <= 0:
            return False
        return price <= order.limit_price_raw if order.side_sign > 0 else (
            price >= order.limit_price_raw)

    # -- time ----------------------------------------------------------------------------------

    def adapt_time(self, Order order not None, table):
        """Give an order, and its exits, a time in force the venue has, and end it ourselves."""
        if TIF_NAMES[order.tif] in table.times_in_force or order.tif != GTD:
            return
        self.end_at(order, order.expires_ns)
        order.tif = self.time_for(order, table)
        for leg in (order.take_profit, order.stop_loss):
            if leg is not None:
                (<Order>leg).tif = order.tif

    cdef int time_for(self, Order order, object table) except -1:
        """The time in force under which an order goes out that we end ourselves."""
        return GTC if "gtc" in table.times_in_force and not is_fraction(order) else DAY

    def limit_time(self, Order order not None):
        """End an order that stays on our side when its time in force does."""
        if order.tif == DAY:
            self.end_at(order, self.end_of_day(order))
        elif order.tif == GTD:
            self.end_at(order, order.expires_ns)

    def end_at(self, Order order not None, ts):
        """End an order at an instant, wherever it is by then."""
        if ts < INT64_MAX:
            self.clock.add(
                f"end-{order.number}", ts, 0, INT64_MAX, order.strategy,
                lambda event: self.end(order),
            )

    def end(self, Order order not None):
        """End an order whose time is over."""
        if is_final(order.status_):
            return
        if order.number in self.kept:
            self.withdraw(order, EV_EXPIRED, ENDED)
            return
        self.ending.add(order.number)
        self.desk.cancel(order.strategy, order)

    def end_of_day(self, Order order not None):
        """Return the close of the session that runs or comes next; UTC days without sessions."""
        sessions = self.sessions_of(order.instrument)
        now = self.clock.now
        if sessions is None:
            return now - now % DAY_NS + DAY_NS
        row = int(np.searchsorted(sessions[1], now, side="right"))
        return int(sessions[1][row]) if row < len(sessions[1]) else INT64_MAX

    cdef int reword(self, Event* event) except -1:
        """What we canceled because its time was over has expired."""
        if event.kind == EV_CANCELED and event.order in self.ending:
            event.kind = EV_EXPIRED
            event.reason = self.texts.number(ENDED)
        return 0

    # -- commands ------------------------------------------------------------------------------

    cdef int withdraw(self, Order order, int kind, str reason) except -1:
        """End a kept order."""
        cdef Kept kept = self.kept[order.number]
        self.drop(kept)
        tell(
            self.inbox, order, kind, self.clock.now,
            0 if reason is None else self.texts.number(reason),
        ).cumulative = order.filled
        return 0

    cdef int change(self, Command command) except -1:
        """Put new terms of a kept order in force."""
        cdef Order order = command.order
        cdef Kept kept = self.kept[order.number]
        cdef Event* event
        if command.limit_price != no_price():
            order.limit_price_raw = command.limit_price
        if command.stop_price != no_price():
            order.stop_price_raw = command.stop_price
        if command.trail != no_price():
            if order.trail_amount_raw != no_price():
                order.trail_amount_raw = command.trail
            else:
                order.trail_percent_raw = command.trail
        if command.limit_price != no_price() and kept.best:
            kept.offset = order.limit_price_raw - order.stop_price_raw
        if command.trail != no_price() and kept.best:
            self.move_stop(kept)
        event = tell(self.inbox, order, EV_MODIFIED, self.clock.now, 0)
        event.quantity = command.units
        event.price = order.limit_price_raw
        event.cumulative = order.stop_price_raw
        return 0

    # -- prices --------------------------------------------------------------------------------

    cdef int on_bar(self, Py_ssize_t index, const double* values, int64_t ts_open) except -1:
        """Meet the kept orders of an instrument with a bar: open, high, low, close."""
        cdef Kept kept
        cdef int64_t close
        found = self.by_index.get(index)
        if not found:
            return 0
        close = nano_from_double(values[3])
        for kept in found:
            if kept.since > ts_open:
                # It came while the bar ran: only its end is certain to be later.
                self.meet(kept, close, close, close)
            else:
                self.meet(
                    kept, nano_from_double(values[2]), nano_from_double(values[1]), close
                )
        return 0

    cdef int on_tick(self, Py_ssize_t index, double bid, double ask) except -1:
        """Meet the kept orders of an instrument with a quote, or a trade as both sides of one."""
        cdef Kept kept
        cdef int64_t price
        found = self.by_index.get(index)
        if not found:
            return 0
        for kept in found:
            price = nano_from_double(ask if kept.order.side_sign > 0 else bid)
            self.meet(kept, price, price, price)
        return 0

    cdef int meet(self, Kept kept, int64_t low, int64_t high, int64_t last) except -1:
        """Trigger an order if the price has been there; else let it trail."""
        cdef Order order = kept.order
        cdef bint rises = order.side_sign > 0
        if kept.fired or is_final(order.status_):
            return 0
        if order.type == MARKET_TO_LIMIT:
            # The other side's price, now that one is there: what it does not fill rests at it.
            order.limit_price_raw = last
            self.say_terms(order)
            return self.fire(kept)
        if order.type == MARKET_IF_TOUCHED or order.type == LIMIT_IF_TOUCHED:
            if low <= order.stop_price_raw if rises else high >= order.stop_price_raw:
                return self.fire(kept)
            return 0
        if order.stop_price_raw != no_price() and (
                high >= order.stop_price_raw if rises else low <= order.stop_price_raw):
            return self.fire(kept)
        if trails(order):
            self.follow(kept, low if rises else high)
            if last >= order.stop_price_raw if rises else last <= order.stop_price_raw:
                return self.fire(kept)
        return 0

    cdef int follow(self, Kept kept, int64_t price) except -1:
        """Let the trigger follow a new best price; it never backs off."""
        cdef Order order = kept.order
        if kept.best != 0 and (price >= kept.best if order.side_sign > 0 else price <= kept.best):
            return 0
        if kept.best == 0 and order.type == TRAILING_STOP_LIMIT:
            kept.offset = order.limit_price_raw - trailing_stop_price(
                order.instrument, order.side_sign, order.trail_amount_raw,
                order.trail_percent_raw, price,
            )
        kept.best = price
        before = order.stop_price_raw
        self.move_stop(kept)
        if order.stop_price_raw != before:
            self.say_terms(order)
        return 0

    def say_terms(self, Order order not None):
        """Announce the prices in force."""
        cdef Event* event = tell(self.inbox, order, EV_MODIFIED, self.clock.now, 0)
        event.price = order.limit_price_raw
        event.cumulative = order.stop_price_raw

    def move_stop(self, Kept kept not None):
        """Put the trigger, and a limit that goes with it, behind the best price."""
        cdef Order order = kept.order
        order.stop_price_raw = trailing_stop_price(
            order.instrument, order.side_sign, order.trail_amount_raw, order.trail_percent_raw,
            kept.best,
        )
        if order.type == TRAILING_STOP_LIMIT:
            order.limit_price_raw = order.stop_price_raw + kept.offset

    # -- leaving -------------------------------------------------------------------------------

    cdef int fire(self, Kept kept) except -1:
        """Release a triggered order, once the other one of its pair is out of the way."""
        cdef Order other = kept.order.sibling
        if other is None or is_final(other.status_):
            return self.release(kept, True)
        kept.fired = True
        return self.desk.cancel(other.strategy, other)

    cdef int release(self, Kept kept, bint is_met) except -1:
        """Send an order on: as what its trigger has made of it, or, not met yet, as it is."""
        cdef Order order = kept.order
        cdef Command command = Command.__new__(Command)
        self.drop(kept)
        if is_met and order.type != LIMIT:
            order.type = (
                MARKET if order.type in (STOP, TRAILING_STOP, MARKET_IF_TOUCHED) else LIMIT
            )
            order.stop_price_raw = order.trail_amount_raw = order.trail_percent_raw = no_price()
            self.forget_triggers(order)
        tell(self.inbox, order, EV_RELEASED, self.clock.now, 0).cumulative = order.filled
        command.kind = SUBMIT
        command.order = order
        return self.desk.issue(command)

    cdef int forget_triggers(self, Order order) except -1:
        """Of terms that were told at this instant and not heard yet the trigger is no more."""
        cdef Event* event
        cdef Py_ssize_t i
        for i in range(self.inbox.count):
            event = &self.inbox.items[(self.inbox.head + i) & (self.inbox.capacity - 1)]
            if event.order == order.number and event.kind == EV_MODIFIED:
                event.cumulative = no_price()
        return 0

    # -- what becomes of others ----------------------------------------------------------------

    cdef int on_order(self, Order order, Event* event) except -1:
        """Follow an order that others here depend on."""
        cdef bint is_over
        if self.is_idle:
            if self.ending and is_final(order.status_):
                self.ending.discard(order.number)
            return 0
        is_over = is_final(order.status_)
        if order.keeps_exits:
            if order.sibling is not None:
                self.follow_pair(order, event)
            elif is_over:
                self.wake_exits(order)
        if event.kind == EV_FILL and self.reducing:
            self.follow_position(order)
        if is_over:
            self.reducing.pop(order.number, None)
            self.ending.discard(order.number)
            if order.number in self.kept:
                self.drop(self.kept[order.number])
        return 0

    cdef int wake_exits(self, Order entry) except -1:
        """Let the exits of an entry that has ended work for what it filled."""
        cdef Order leg
        cdef Kept kept
        table = self.capabilities(entry)
        for leg in (entry.take_profit, entry.stop_loss):
            if leg is None or leg.number not in self.kept:
                continue
            kept = self.kept[leg.number]
            if entry.filled == 0:
                self.withdraw(leg, EV_CANCELED, "parent: the entry ended without a fill")
                continue
            self.set_units(leg, entry.filled - entry.taken)
            if leg.type == LIMIT or (
                    leg.sibling is None and TYPE_NAMES[leg.type] in table.order_types):
                self.release(kept, False)
            else:
                self.watch(kept)
        return 0

    def set_units(self, Order order not None, int64_t units):
        """Change the quantity of a kept order."""
        cdef Event* event
        if order.units != units:
            event = tell(self.inbox, order, EV_MODIFIED, self.clock.now, 0)
            event.quantity = units

    cdef int follow_pair(self, Order order, Event* event) except -1:
        """Let one of two exits follow the other: shrink with its fills, end with it, or leave."""
        cdef Order other = order.sibling
        cdef Kept kept
        found = self.kept.get(other.number)
        if found is None:
            # A kept stop that ended on its own takes the limit at the venue with it.
            if is_final(order.status_) and not is_final(other.status_):
                self.desk.cancel(other.strategy, other)
            return 0
        kept = found
        if event.kind == EV_FILL:
            if order.status_ == FILLED or other.units <= event.quantity:
                return self.withdraw(
                    other, EV_CANCELED, "oco: the other order of the pair has filled"
                )
            self.set_units(other, other.units - event.quantity)
        elif is_final(order.status_) and kept.fired:
            return self.release(kept, True)
        elif is_final(order.status_):
            return self.withdraw(other, EV_CANCELED, "oco: the other order of the pair has ended")
        return 0

    cdef int follow_position(self, Order order) except -1:
        """Keep reduce-only orders within what they can reduce."""
        cdef Order each
        cdef int64_t held
        for each in list(self.reducing.values()):
            if each.position is not order.position or is_final(each.status_) or each is order:
                continue
            held = -each.side_sign * each.position.units
            if held <= 0:
                self.desk.cancel(each.strategy, each)
            elif each.leaves() > held:
                self.desk.set_quantity(each, each.filled + held)
        return 0
