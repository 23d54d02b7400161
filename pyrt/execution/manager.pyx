"""The order manager: what stands between risk and venue.

It emulates what the venue lacks and keeps account of orders that algorithms work. Everything else
passes it by.
"""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.instruments cimport Instrument
from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.records cimport Records
from pyrt.core.types cimport EV_CANCELED, LIMIT
from pyrt.execution.desk cimport Desk

from pyrt.execution.reactive import Iceberg
from pyrt.venues.capabilities import EVERYTHING


cdef str objection_to_parts(Order order):
    """Why our own iceberg cannot work an order at a venue without any; None if it can."""
    if order.type != LIMIT:
        return "iceberg: the venue shows orders whole, and only limit orders are split for it"
    if order.take_profit is not None or order.stop_loss is not None or order.sibling is not None:
        return "iceberg: the venue shows orders whole, and an order that is split takes no exits"
    if order.post_only or order.reduce_only:
        return "iceberg: the venue shows orders whole; split, it is neither post- nor reduce-only"
    return None


@cython.final
cdef class OrderManager(CommandSink):
    """Emulation and execution algorithms behind the kernel's one port.

    Parameters
    ----------
    desk, cache, clock, inbox, records
        Of the kernel.
    world : object
        The kernel, as algorithms see it.
    capabilities : dict, optional
        Kind of instrument → `Capabilities` of the venue, key "" for all others; by default the
        venue can do everything.
    """

    def __init__(self, Desk desk, Cache cache, Clock clock, EventQueue inbox, Records records,
                 world, dict capabilities=None):
        tables = {"": EVERYTHING} if capabilities is None else capabilities
        self.emulator = Emulator(
            desk, cache, clock, inbox, records.texts, tables, world.sessions_of,
            world.halts,
        )
        self.parents = Parents(desk, clock, inbox, records.texts, world)

    cdef str place(self, Order order):
        cdef str verdict
        if order.algorithm is None and self.emulator.shows_whole(order):
            verdict = objection_to_parts(order)
            if verdict is not None:
                return verdict
            order.algorithm = Iceberg(
                decimal_from_scaled(order.display, order.instrument.decimals)
            ).bound_to(order)
        if order.algorithm is not None:
            self.parents.begin(order)
            self.emulator.limit_time(order)
            return ""
        verdict = self.emulator.place(order)
        self.watching = self.emulator.watching
        return verdict

    cdef str forecast(self, Order order):
        cdef str reason
        if order.algorithm is not None:
            return ""
        if self.emulator.shows_whole(order):
            reason = objection_to_parts(order)
            return "" if reason is None else reason
        return self.emulator.forecast(order)

    def flips(self, Order order not None):
        """Return whether the venue lets one order take a position across zero."""
        table = self.emulator.capabilities(order)
        return table is None or table.flips

    def shorts_fractions(self, Instrument instrument not None):
        """Return whether the venue lets fractions of a unit be sold short."""
        table = self.emulator.tables.get(instrument.kind, self.emulator.tables[""])
        return table is None or table.fractional_shorts

    def keeps_back(self, Order order not None):
        """Return whether a way out that waits for others to end would be refused for an entry."""
        return self.emulator.keeps_back(order)

    cdef bint has(self, Order order):
        # One that an algorithm is to work may wait on the desk before it comes here.
        return order.number in (
            self.emulator.kept if order.algorithm is None else self.parents.open
        )

    cdef int withdraw(self, Order order) except -1:
        if order.algorithm is not None:
            return self.parents.withdraw(order, "")
        self.emulator.withdraw(order, EV_CANCELED, None)
        self.watching = self.emulator.watching
        return 0

    cdef str change(self, Command command):
        if command.order.algorithm is not None:
            return "algorithm: an order that is worked by one cannot be changed; cancel it"
        self.emulator.change(command)
        return None

    cdef int on_bar(self, Py_ssize_t index, const double* values, int64_t ts_open) except -1:
        self.emulator.on_bar(index, values, ts_open)
        self.watching = self.emulator.watching
        return 0

    cdef int on_tick(self, Py_ssize_t index, double bid, double ask) except -1:
        self.emulator.on_tick(index, bid, ask)
        self.watching = self.emulator.watching
        return 0

    def split(self, Py_ssize_t index, int64_t new, int64_t old):
        self.emulator.split(index, new, old)
        self.parents.split(index, new, old)
        self.watching = self.emulator.watching

    cdef int reword(self, Event* event) except -1:
        return self.emulator.reword(event)

    cdef int account(self, Order order, Event* event) except -1:
        return 0 if order.origin is None else self.parents.account(order, event)

    cdef int on_order(self, Order order, Event* event) except -1:
        if order.origin is not None or order.algorithm is not None:
            self.parents.on_order(order, event)
        self.emulator.on_order(order, event)
        self.watching = self.emulator.watching
        return 0
