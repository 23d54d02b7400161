"""What is kept on our side, until when, and which orders at the venue we end for it."""
from libc.stdint cimport INT64_MAX

import numpy as np

from pyrt.core.numbers cimport POWERS_OF_TEN
from pyrt.core.types cimport (
    DAY, EV_CANCELED, EV_EMULATED, EV_EXPIRED, EV_MODIFIED, GTC, GTD, is_final,
)
from pyrt.execution.triggers cimport tell, trails, units_told

from pyrt.core.types import TIF_NAMES

DAY_NS = 86_400_000_000_000
RETRY_NS = 5_000_000_000
"""How long after a refused cancel an order whose time is over is canceled again."""
ENDED = "time_in_force: it has ended"


cdef bint is_fraction(Order order) noexcept:
    return order.instrument.kind == "equity" and (
        order.notional_raw != 0 or order.units % POWERS_OF_TEN[order.instrument.decimals] != 0
    )


cdef class Custody:
    """Keeps orders, and ends those whose time a venue does not know.

    Parameters
    ----------
    desk, cache, clock, inbox, texts
        Of the kernel.
    tables : dict
        Kind of instrument → `Capabilities` of the venue; key "" for all others.
    sessions_of : callable
        Instrument → (opens, closes) or None.
    halts : callable
        Order → whether trading is HALTED for it.
    """

    def __init__(self, Desk desk, Cache cache, Clock clock, EventQueue inbox, Texts texts,
                 dict tables, sessions_of, halts):
        self.desk = desk
        self.cache = cache
        self.clock = clock
        self.inbox = inbox
        self.texts = texts
        # None stands for a venue that can do everything.
        self.tables = {k: None if t.is_everything else t for k, t in tables.items()}
        self.is_idle = not any(self.tables.values())
        self.sessions_of = sessions_of
        self.hours = Hours(sessions_of)
        self.halts = halts
        self.kept = {}
        self.by_index = {}
        self.reducing = {}
        self.ending = set()

    cdef object capabilities(self, Order order):
        return self.tables.get(order.instrument.kind, self.tables[""])

    # -- what is kept --------------------------------------------------------------------------

    cdef int keep(self, Order order, bint asleep) except -1:
        cdef Kept kept = Kept.__new__(Kept)
        kept.order = order
        kept.asleep = asleep
        self.kept[order.number] = kept
        tell(self.inbox, order, EV_EMULATED, self.clock.now, 0)
        return 0 if asleep else self.watch(kept)

    cdef int watch(self, Kept kept) except -1:
        """Let it be met by prices from now on."""
        kept.asleep = False
        kept.since = self.clock.now
        self.limit_time(kept.order)
        self.by_index.setdefault(kept.order.instrument.index, []).append(kept)
        self.watching += 1
        if (trails(kept.order) and kept.order.position.mark > 0
                and self.starts_at_mark(kept.order)):
            kept.follow(self.inbox, self.clock.now, kept.order.position.mark)
        return 0

    cdef Stream marking(self, Instrument instrument):
        """The stream whose prices mark the positions in an instrument; None without one."""
        cdef Stream stream
        for stream in self.cache.streams:
            if stream.instrument is instrument and stream.marks:
                return stream
        return None

    cdef bint starts_at_mark(self, Order order) except -1:
        """Whether an order may trail from the last price: one of hours in which it works."""
        cdef Stream stream
        cdef int64_t end = self.clock.now
        if order.extended_hours:
            return True
        stream = self.marking(order.instrument)
        if stream is None or stream.timeframe_ns >= DAY_NS:
            # Bars of days are of sessions, whenever they began.
            return True
        if stream.timeframe_ns > 0:
            # When the last bar that is complete has ended.
            end -= end % stream.timeframe_ns
        return self.hours.touch(order.instrument, end - stream.timeframe_ns, end)

    cdef int drop(self, Kept kept) except -1:
        """Let go of an order."""
        del self.kept[kept.order.number]
        watchers = self.by_index.get(kept.order.instrument.index, ())
        if kept in watchers:
            # Replaced, not changed: a round over the old list may be under way.
            self.by_index[kept.order.instrument.index] = [k for k in watchers if k is not kept]
            self.watching -= 1
        return 0

    cdef int withdraw(self, Order order, int kind, str reason) except -1:
        """End a kept order."""
        cdef Kept kept = self.kept[order.number]
        self.drop(kept)
        self.reducing.pop(order.number, None)
        tell(
            self.inbox, order, kind, self.clock.now,
            0 if reason is None else self.texts.number(reason),
        ).cumulative = order.filled
        return 0

    cdef int set_units(self, Order order, int64_t units) except -1:
        """Change the quantity of a kept order."""
        cdef Event* event
        if units_told(self.inbox, order) != units:
            event = tell(self.inbox, order, EV_MODIFIED, self.clock.now, 0)
            event.quantity = units
        return 0

    cdef int limit_units(self, Order order, int64_t held) except -1:
        """Cut a kept order to what it can leave."""
        self.set_units(order, min(units_told(self.inbox, order), held))
        return 0

    # -- time ----------------------------------------------------------------------------------

    def adapt_time(self, Order order not None, table):
        """Give an order, and its exits, a time in force the venue has, and end it ourselves."""
        if TIF_NAMES[order.tif] in table.times_in_force or order.tif != GTD:
            return
        self.end_at(order, order.expires_ns)
        order.tif = self.time_for(order, table)
        for leg in (order.take_profit, order.stop_loss):
            if leg is not None:
                self.end_at(leg, order.expires_ns)
                (<Order>leg).tif = order.tif

    cdef int time_for(self, Order order, object table) except -1:
        """The time in force under which an order goes out that we end ourselves."""
        return GTC if "gtc" in table.times_in_force and not is_fraction(order) else DAY

    cdef int adapt_leaving(self, Order order) except -1:
        """Let an order that was kept leave for as long as the venue takes it: met, it is to trade.

        What we have kept of its time still ends it.
        """
        table = self.capabilities(order)
        if TIF_NAMES[order.tif] not in table.times_in_force or (
                order.tif == GTC and is_fraction(order)):
            order.tif = self.time_for(order, table)
        return 0

    def limit_time(self, Order order not None):
        """End an order that stays on our side when its time in force does."""
        if order.expires_ns:
            # Also one that is to leave under another time: until then its own counts.
            self.end_at(order, order.expires_ns)
        elif order.tif == DAY:
            self.end_at(order, self.end_of_day(order))

    def end_at(self, Order order not None, ts):
        """End an order at an instant, wherever it is by then."""
        if ts < INT64_MAX:
            # Nobody's timer: it ends the order of a strategy that was halted, too.
            self.clock.add(
                f"end-{order.number}", ts, 0, INT64_MAX, None, lambda event: self.end(order)
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

    def resume(self, Order order not None):
        """Go on with what the venue lacks for an order that works there since an earlier run."""
        table = None if self.is_idle else self.capabilities(order)
        if table is None:
            return
        if order.expires_ns and order.tif != GTD:
            self.end_at(order, order.expires_ns)
        if (order.reduce_only and "reduce_only" not in table.instructions) or (
                order.is_child and order.keeps_exits):
            self.reducing[order.number] = order

    cdef int reword(self, Event* event) except -1:
        """What we canceled because its time was over has expired."""
        if event.kind == EV_CANCELED and event.order in self.ending:
            event.kind = EV_EXPIRED
            event.reason = self.texts.number(ENDED)
        return 0
