"""What a gate that keeps count hears from the kernel, besides the orders it judges."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.int128 cimport int128
from pyrt.core.orders cimport Order
from pyrt.risk.gate cimport BasicGate

cdef class Watcher(BasicGate):
    cdef readonly bint watches_marks
    """Wants every price that marks positions ..."""
    cdef readonly bint watches_quotes
    """... and both sides of quotes, ..."""
    cdef readonly bint watches_orders
    """... whatever happens to orders, ..."""
    cdef readonly bint watches_equity
    """... and every point of the equity curve. The kernel asks before it calls."""

    cdef int on_mark(self, Py_ssize_t index, int64_t price, int64_t now) except -1
    cdef int on_quote(self, Py_ssize_t index, int64_t bid, int64_t ask) except -1
    cdef int on_order(self, Order order, int kind, int64_t now) except -1
    cdef int on_cancel(self, Order order, int64_t now) except -1
    cdef int on_equity(self, int64_t now) except -1
    cdef int on_corporate_action(self, Py_ssize_t index, int64_t new, int64_t old) except -1
    cdef int on_deposit(self, int128 amount) except -1
