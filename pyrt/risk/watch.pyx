"""What a gate that keeps count hears from the kernel, besides the orders it judges."""
from libc.stdint cimport int64_t

from pyrt.core.int128 cimport int128
from pyrt.core.orders cimport Order
from pyrt.risk.gate cimport BasicGate


cdef class Watcher(BasicGate):
    """A gate with hooks; each does nothing until a subclass says otherwise."""

    def attach(self, *, account, cache, clock, desk, records, strategies, sessions=None):
        """Take what the kernel keeps, at the start of a run; state of an earlier run is dropped.

        Parameters
        ----------
        account, cache, clock, desk, records
            Of the kernel.
        strategies : list
            The kernel's list, filled as strategies are added.
        sessions : callable, optional
            Instrument → (opens, closes) of its sessions, or None where there are none.
        """

    cdef int on_mark(self, Py_ssize_t index, int64_t price, int64_t now) except -1:
        return 0

    cdef int on_quote(self, Py_ssize_t index, int64_t bid, int64_t ask) except -1:
        return 0

    cdef int on_order(self, Order order, int kind, int64_t now) except -1:
        return 0

    cdef int on_cancel(self, Order order, int64_t now) except -1:
        return 0

    cdef int on_equity(self, int64_t now) except -1:
        return 0

    cdef int on_corporate_action(self, Py_ssize_t index, int64_t new, int64_t old) except -1:
        """`old` units have become `new` ones; 1 and 1 where prices change without that."""
        return 0

    cdef int on_deposit(self, int128 amount) except -1:
        return 0
