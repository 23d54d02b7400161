"""The kernel's way out in a live world: approved commands to a client core."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.numbers cimport decimal_from_scaled
from pyrt.core.orders cimport Order, no_price
from pyrt.core.ports cimport ApprovedOrder, Command, Venue


@cython.final
cdef class Outlet(Venue):
    """The kernel's way out: hands approved commands to a client core.

    Parameters
    ----------
    client : object
        With `submit(order)`, `change(order, changes)` and `withdraw(order)`.
    preflight : callable, optional
        Takes an order that is not to be sent; returns how the broker would refuse it, or None.
    """

    cdef public object client
    cdef object preflight

    def __init__(self, client, preflight=None):
        self.client = client
        self.preflight = preflight

    cdef int submit(self, ApprovedOrder approved, int64_t now) except -1:
        cdef Order order = approved.order, other = order.sibling
        if other is not None and order.parent is None and not order.keeps_exits:
            if order.number > other.number:
                # One request has brought both.
                return 0
        self.client.submit(order)
        return 0

    cdef int change(self, Command command, int64_t now) except -1:
        changes = {}
        if command.units:
            decimals = command.order.instrument.decimals
            changes["quantity"] = f"{decimal_from_scaled(command.units, decimals):f}"
        for name, raw in (("limit_price", command.limit_price), ("stop_price", command.stop_price),
                          ("trail", command.trail)):
            if raw != no_price():
                changes[name] = f"{decimal_from_scaled(raw, 9):f}"
        self.client.change(command.order, changes)
        return 0

    cdef int withdraw(self, Order order, int64_t now) except -1:
        self.client.withdraw(order)
        return 0

    cdef str refusal(self, Order order, int64_t now):
        return None if self.preflight is None else self.preflight(order)
