"""The kernel's way to the simulated venue: orders become venue orders, in memory."""
cimport cython
from libc.stdint cimport INT64_MAX, int64_t

from pyrt.core.ports cimport ApprovedOrder, Command
from pyrt.core.types cimport GTD


cdef VenueOrder venue_order(Order order):
    """Copy an order's terms; links between orders are set by the caller."""
    cdef VenueOrder copy = VenueOrder.__new__(VenueOrder)
    copy.number = order.number
    copy.owner = order.position.strategy
    copy.index = order.instrument.index
    copy.instrument = order.instrument
    copy.side = order.side_sign
    copy.type = order.type
    copy.tif = order.tif
    copy.units = order.units
    copy.limit_price = order.limit_price_raw
    copy.stop_price = order.stop_price_raw
    copy.trail_amount = order.trail_amount_raw
    copy.trail_percent = order.trail_percent_raw
    copy.notional = order.notional_raw
    copy.expires = order.expires_ns if order.tif == GTD else INT64_MAX
    copy.display = order.display
    copy.cancels = order.cancels_pair
    copy.post_only = order.post_only
    copy.reduce_only = order.reduce_only
    copy.guards = order.is_child
    copy.extended_hours = order.extended_hours
    copy.resizes = order.resizes
    return copy


cdef VenueOrder with_exits(Order order):
    """Copy an order's terms and those of the exits it carries."""
    cdef VenueOrder copy = venue_order(order)
    if order.keeps_exits:
        return copy
    if order.take_profit is not None:
        copy.take_profit = venue_order(order.take_profit)
        copy.take_profit.room = 0
    if order.stop_loss is not None:
        copy.stop_loss = venue_order(order.stop_loss)
        copy.stop_loss.room = 0
    if copy.take_profit is not None and copy.stop_loss is not None:
        copy.take_profit.sibling = copy.stop_loss
        copy.stop_loss.sibling = copy.take_profit
    return copy


@cython.final
cdef class BacktestVenue(Venue):
    """Hands approved orders to a SimVenue; events come back through the kernel's inbox."""

    def __init__(self, SimVenue sim):
        self.sim = sim

    cdef int submit(self, ApprovedOrder approved, int64_t now) except -1:
        self.sim.now = now
        return self.place(with_exits(approved.order), approved.order)

    cdef int place(self, VenueOrder copy, Order order) except -1:
        """Hand over an order; the second of a pair is tied to the first."""
        cdef VenueOrder pair
        if order.sibling is not None and not order.keeps_exits:
            # The second order of a pair finds the first; if that is gone, so is its reason to be.
            pair = self.sim.live.get(order.sibling.number)
            if pair is not None:
                copy.sibling = pair
                pair.sibling = copy
            elif order.number > order.sibling.number:
                return self.sim.refuse(copy, "oco: the other order of the pair has ended")
        return self.sim.accept(copy)

    cdef int change(self, Command command, int64_t now) except -1:
        self.sim.now = now
        return self.sim.change(
            command.order.number, command.units, command.limit_price, command.stop_price,
            command.trail,
        )

    cdef int withdraw(self, Order order, int64_t now) except -1:
        self.sim.now = now
        return self.sim.cancel_number(order.number)
