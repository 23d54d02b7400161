"""Orders that are kept on our side because the venue lacks what they ask for.

A kept order is EMULATED until the market triggers it, then RELEASED: it goes through risk to the
venue as a market or limit order. Both worlds run this code: the kernel shows it the prices that
mark positions, before any handler sees them, and it answers with events and commands that take
their place in the instant like all others.

Bars are met as a broker's own data would show them: the trigger is compared with the bar's extremes
(a trailing one first where it stood, then, moved by the favorable extreme, with the close), and
what is released meets the market after the bar.

Where an instrument has sessions, orders heed the prices of those alone, as an exchange's own do;
those that are sent with `extended_hours` heed all.
"""
cimport cython

from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport nano_from_double
from pyrt.core.orders cimport no_price
from pyrt.core.ports cimport MODIFY
from pyrt.core.streams cimport Stream
from pyrt.core.types cimport (
    DAY, DENIED, EMULATED, EV_CANCEL_REJECTED, EV_CANCELED, EV_EXPIRED, EV_FILL, EV_MODIFIED,
    EV_MODIFY_REJECTED, EV_UNKNOWN, FILLED, GTC, GTD, INITIALIZED, LIMIT, REJECTED, RELEASED,
    is_final,
)
from pyrt.execution.custody cimport Custody
from pyrt.execution.groups cimport holds_exits, holds_pair, rests
from pyrt.execution.leaving cimport fire, go_on, may_rest, release
from pyrt.execution.targets cimport MAKES_WAY, could_meet
from pyrt.execution.triggers cimport tell, trails, units_told
from pyrt.execution.waits cimport has_asked

from pyrt.core.types import TIF_NAMES, TYPE_NAMES
from pyrt.execution.custody import ENDED, RETRY_NS

LEFT = "exit: the position it guards has been left"


cdef bint moves_trigger(Command command) noexcept:
    """Whether new terms are met by another price than the old ones."""
    cdef Order order = command.order
    return (
        command.stop_price not in (no_price(), order.stop_price_raw)
        or command.trail not in (no_price(), order.trail_amount_raw, order.trail_percent_raw)
        or (order.type == LIMIT and command.limit_price not in (
            no_price(), order.limit_price_raw))
    )


@cython.final
cdef class Emulator(Custody):
    """Does for a venue what it cannot do itself."""

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
        is_pair = self.is_ours(order, table)
        is_native = TYPE_NAMES[order.type] in table.order_types and not (
            is_pair and not rests(order))
        reason = self.objection(order, table, is_native)
        if reason is not None:
            return reason
        self.adapt_time(order, table)
        if order.reduce_only and "reduce_only" not in table.instructions:
            self.reducing[order.number] = order
        if not holds_exits(order, table):
            self.keep_exits(order)
        if is_pair:
            order.keeps_exits = order.sibling.keeps_exits = True
            if order.is_child:
                self.reducing[order.number] = order
        if is_native:
            return None
        self.keep(order, False)
        return ""

    cdef bint is_ours(self, Order order, object table) except -1:
        """Whether we have to let a fill of one order of a pair take from the other."""
        return (
            order.sibling is not None and order.parent is None and not holds_pair(order, table)
        )

    cdef str objection(self, Order order, object table, bint is_sent):
        """Why an order cannot be placed; None if it can."""
        if order.post_only and "post_only" not in table.instructions and self.would_take(order):
            return "post_only: it would take liquidity"
        if order.post_only and not is_sent:
            return "post_only: an order that is kept leaves when its price is there, and takes it"
        if not is_sent and not self.has_prices(order.instrument):
            return f"emulation: no data of {order.symbol} come in that could trigger it"
        if not is_sent and order.tif not in (DAY, GTC, GTD) and (
                TIF_NAMES[order.tif] not in table.times_in_force):
            return (
                f"time_in_force: the venue knows no {TIF_NAMES[order.tif]!r}, as which an order "
                "that is kept would leave"
            )
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
        if not holds_exits(order, table):
            order.keeps_exits = True
        return None if is_native else ""

    cdef bint keeps_back(self, Order order) except -1:
        """Whether a way out that waits for others to end would be refused for an entry.

        It would be the next to be waited for. What stays here, or goes out with its exits, is none.
        """
        cdef Command command
        cdef Kept kept
        table = None if self.is_idle else self.capabilities(order)
        if table is None or table.flips or order.algorithm is not None or not (
                TYPE_NAMES[order.type] in table.order_types):
            return False
        if (order.take_profit is not None or order.stop_loss is not None) and (
                holds_exits(order, table)):
            return False
        for command in self.desk.waiting:
            if (has_asked(command, MAKES_WAY) and command.order.instrument is order.instrument
                    and could_meet(command.order, order)):
                return True
        for kept in self.by_index.get(order.instrument.index, ()):
            if kept.fired and (kept.order.is_exit or kept.order.reduce_only) and (
                    could_meet(kept.order, order)):
                return True
        return False

    def keep_exits(self, Order order not None):
        """Keep the exits of an order until it has ended."""
        cdef Order leg
        order.keeps_exits = True
        for leg in (order.take_profit, order.stop_loss):
            if leg is not None:
                leg.keeps_exits = True
                self.keep(leg, True)

    def has_prices(self, Instrument instrument not None):
        """Return whether a stream of the instrument marks its positions."""
        return self.marking(instrument) is not None

    def would_take(self, Order order not None):
        """Return whether a limit order would trade at once, at the last price."""
        cdef int64_t price = order.position.mark
        if price <= 0:
            return False
        return price <= order.limit_price_raw if order.side_sign > 0 else (
            price >= order.limit_price_raw)

    # -- commands ------------------------------------------------------------------------------

    cdef int change(self, Command command) except -1:
        """Put new terms of a kept order in force."""
        cdef Order order = command.order
        cdef Kept kept = self.kept[order.number]
        cdef Event* event
        if moves_trigger(command):
            kept.since = self.clock.now
        kept.change(command)
        event = tell(self.inbox, order, EV_MODIFIED, self.clock.now, 0)
        event.quantity = command.units
        event.price = order.limit_price_raw
        return 0

    def split(self, Py_ssize_t index, int64_t new, int64_t old):
        """Restate the kept orders of an instrument as a venue does; less than a step ends one."""
        cdef Kept kept
        for kept in list(self.kept.values()):
            if kept.order.instrument.index == index and not kept.split(self.inbox, self.clock.now,
                                                                       new, old):
                self.withdraw(kept.order, EV_CANCELED, "split: nothing of the quantity is left")

    # -- prices --------------------------------------------------------------------------------

    cdef int on_bar(self, Py_ssize_t index, const double* values, int64_t ts_open) except -1:
        """Meet the kept orders of an instrument with a bar: open, high, low, close."""
        cdef Kept kept
        cdef int64_t close
        cdef bint is_regular
        found = self.by_index.get(index)
        if not found:
            return 0
        close = nano_from_double(values[3])
        is_regular = self.is_regular((<Kept>found[0]).order.instrument, ts_open)
        for kept in found:
            if not is_regular and not kept.order.extended_hours:
                continue
            if kept.since > ts_open:
                # It came while the bar ran: only its end is certain to be later.
                self.meet(kept, close, close, close)
            else:
                if kept.best == 0 and trails(kept.order):
                    kept.follow(self.inbox, self.clock.now, nano_from_double(values[0]))
                self.meet(
                    kept, nano_from_double(values[2]), nano_from_double(values[1]), close
                )
        return 0

    cdef bint is_regular(self, Instrument instrument, int64_t ts_open) except -1:
        """Whether the bar that has just ended is, at least in part, of a session."""
        cdef Stream stream
        cdef int64_t end = self.clock.now
        if self.hours.touch(instrument, ts_open, ts_open):
            return True
        # Live, a bar comes a moment after its end: that of the minute before the open, too.
        stream = self.marking(instrument)
        if stream.timeframe_ns > 0:
            end = min(end, ts_open + stream.timeframe_ns)
        return self.hours.touch(instrument, ts_open, end)

    cdef int on_tick(self, Py_ssize_t index, double bid, double ask) except -1:
        """Meet the kept orders of an instrument with a quote, or a trade as both sides of one."""
        cdef Kept kept
        cdef int64_t price
        cdef bint is_regular
        found = self.by_index.get(index)
        if not found:
            return 0
        is_regular = self.hours.touch(
            (<Kept>found[0]).order.instrument, self.clock.now, self.clock.now
        )
        for kept in found:
            if not is_regular and not kept.order.extended_hours:
                continue
            price = nano_from_double(ask if kept.order.side_sign > 0 else bid)
            self.meet(kept, price, price, price)
        return 0

    cdef int meet(self, Kept kept, int64_t low, int64_t high, int64_t last) except -1:
        """Trigger an order if the price has been there; else let it trail."""
        if kept.fired:
            return 0
        if kept.meet(self.inbox, self.clock.now, low, high, last):
            return fire(self, kept)
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
                self.wake_exits(order, event)
        if event.kind == EV_FILL and self.reducing:
            self.follow_position(order)
        if event.kind == EV_CANCEL_REJECTED and order.number in self.ending:
            # It still works, beyond its time: asked again until it is over.
            self.end_at(order, self.clock.now + RETRY_NS)
        if is_over or event.kind == EV_CANCEL_REJECTED or (
                event.kind in (EV_MODIFIED, EV_MODIFY_REJECTED) and order.number not in self.kept):
            go_on(self, order)
        if is_over:
            self.reducing.pop(order.number, None)
            self.ending.discard(order.number)
            if order.number in self.kept:
                self.drop(self.kept[order.number])
            self.end_exits(order)
        return 0

    def end_exits(self, Order order not None):
        """End exits that were to go to the venue with a kept entry, when it or one of them ends."""
        cdef Order entry = order.parent, leg
        if (entry is not None and entry.status_ in (EMULATED, RELEASED)
                and not entry.keeps_exits):
            # It leaves alone: as at the venue, the end of one exit is that of the other.
            entry.take_profit = entry.stop_loss = None
            if order.sibling is not None:
                self.desk.cancel(order.strategy, order.sibling)
        for leg in (order.take_profit, order.stop_loss):
            if leg is not None and leg.status_ == INITIALIZED:
                self.desk.cancel(leg.strategy, leg)

    cdef int wake_exits(self, Order entry, Event* event) except -1:
        """Let the exits of an entry that has ended work for what it filled and is still held."""
        cdef Order leg
        cdef Kept kept
        cdef int64_t left
        table = self.capabilities(entry)
        for leg in (entry.take_profit, entry.stop_loss):
            if leg is None or is_final(leg.status_):
                continue
            # The other exit may have sold a part by now, or somebody by hand.
            left = min(
                entry.filled - entry.taken - (0 if leg.sibling is None else leg.sibling.filled),
                leg.filled + entry.side_sign * entry.position.units,
            )
            if leg.number not in self.kept:
                if event.kind == EV_FILL and left >= leg.units:
                    # It came after the entry's end, and the exit has left for what was held then.
                    self.desk.set_quantity(leg, left)
                continue
            kept = self.kept[leg.number]
            if not kept.asleep:
                if event.kind == EV_FILL:
                    self.set_units(leg, left)
                continue
            if left <= 0:
                self.withdraw(
                    leg, EV_CANCELED,
                    LEFT if entry.filled else "parent: the entry ended without a fill",
                )
                continue
            if event.kind == EV_EXPIRED and leg.tif == entry.tif:
                # It has the time of its entry: that is over for both.
                self.withdraw(leg, EV_EXPIRED, ENDED)
                continue
            self.set_units(leg, left)
            self.reducing[leg.number] = leg
            if may_rest(self, leg, table):
                release(self, kept, False)
            else:
                self.watch(kept)
        return 0

    def units_asked(self, Order order not None):
        """Return the units an order at the venue is to have once what waits here has left."""
        cdef Command command
        cdef int64_t units = order.units
        for command in self.desk.commands:
            if command.order is order and command.kind == MODIFY and command.units > 0:
                # Of an execution at the same instant: not asked for yet.
                units = command.units
        return units

    cdef int follow_pair(self, Order order, Event* event) except -1:
        """Let one of a pair follow the other: shrink with its fills, end with it, or leave."""
        cdef Order other = order.sibling
        cdef int64_t left
        found = self.kept.get(other.number)
        if found is not None:
            return self.follow_kept(<Kept>found, order, event)
        if is_final(other.status_) or not is_final(order.status_):
            return 0
        if event.kind == EV_FILL and order.status_ != FILLED and not other.cancels_pair:
            # It came after the order's end, and the other has left for all that was open then.
            left = self.units_asked(other) - event.quantity
            if left > other.filled:
                self.desk.set_quantity(other, left)
                return 0
        elif event.kind in (EV_MODIFY_REJECTED, EV_CANCEL_REJECTED, EV_UNKNOWN):
            return 0
        # Also a kept order that ended on its own takes the one at the venue with it.
        return self.desk.cancel(other.strategy, other)

    cdef int follow_kept(self, Kept kept, Order order, Event* event) except -1:
        """Let a kept order follow the other one of its pair."""
        cdef Order mine = kept.order
        cdef int64_t left
        if event.kind == EV_FILL:
            # Fills of one instant come before what was told of the first of them.
            left = units_told(self.inbox, mine) - event.quantity
            if order.status_ == FILLED or left <= 0 or (mine.cancels_pair and not kept.fired):
                # What has filled in part goes on: the end of the other is not its end. One that
                # is being canceled for the kept one does not, and leaves the rest to that.
                mine.keeps_exits = False
                return self.withdraw(
                    mine, EV_CANCELED, "oco: the other order of the pair has filled"
                )
            self.set_units(mine, left)
        elif is_final(order.status_) and kept.fired:
            kept.fired = False
            return fire(self, kept)
        elif is_final(order.status_):
            if mine.parent is not None and order.status_ in (DENIED, REJECTED):
                # What the entry has filled is held: without the one exit it needs the other more.
                return 0
            return self.withdraw(mine, EV_CANCELED, "oco: the other order of the pair has ended")
        elif event.kind == EV_CANCEL_REJECTED:
            # It still works there: the next price that is met asks again.
            kept.fired = False
        return 0

    cdef int follow_position(self, Order order) except -1:
        """Keep reduce-only orders, and exits that we hold, within what they can reduce."""
        cdef Order each
        cdef int64_t held
        for each in list(self.reducing.values()):
            if each.position is not order.position or each is order:
                continue
            held = -each.side_sign * each.position.units
            if each.number in self.kept:
                if held <= 0:
                    self.withdraw(
                        each, EV_CANCELED,
                        LEFT if each.is_child else "reduce_only: nothing is left to reduce",
                    )
                else:
                    self.limit_units(each, held)
            elif held <= 0:
                self.desk.cancel(each.strategy, each)
            elif self.units_asked(each) - each.filled > held:
                self.desk.set_quantity(each, each.filled + held)
        return 0
