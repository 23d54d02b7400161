"""Orders that are kept on our side because the venue lacks what they ask for."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport Event, EventQueue
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command
from pyrt.core.records cimport Texts
from pyrt.execution.desk cimport Desk
from pyrt.execution.triggers cimport Kept

@cython.final
cdef class Emulator:
    cdef Desk desk
    cdef Cache cache
    cdef Clock clock
    cdef EventQueue inbox
    cdef Texts texts
    cdef readonly dict tables
    """Kind of instrument → Capabilities of the venue, None if it can do everything."""
    cdef bint is_idle
    """The venue can do everything."""
    cdef object sessions_of
    cdef object halts
    cdef dict kept
    """Number → Kept, in the order in which they were taken."""
    cdef dict by_index
    """Instrument → list of Kept that watch its prices."""
    cdef dict reducing
    """Number → order that follows a position: reduce-only where the venue does not know that, or an
    exit that we hold."""
    cdef set ending
    """Numbers of orders canceled because their time is over."""
    cdef readonly Py_ssize_t watching
    """Orders that wait for a price."""

    cdef bint shows_whole(self, Order order) except -1
    cdef object capabilities(self, Order order)
    cdef str place(self, Order order)
    cdef bint is_ours(self, Order order, object table) except -1
    cdef str forecast(self, Order order)
    cdef str objection(self, Order order, object table, bint is_sent)
    cdef int time_for(self, Order order, object table) except -1
    cdef int adapt_leaving(self, Order order) except -1
    cdef int keep(self, Order order, bint asleep) except -1
    cdef int watch(self, Kept kept) except -1
    cdef int drop(self, Kept kept) except -1
    cdef int withdraw(self, Order order, int kind, str reason) except -1
    cdef int change(self, Command command) except -1
    cdef int on_bar(self, Py_ssize_t index, const double* values, int64_t ts_open) except -1
    cdef int on_tick(self, Py_ssize_t index, double bid, double ask) except -1
    cdef int meet(self, Kept kept, int64_t low, int64_t high, int64_t last) except -1
    cdef int fire(self, Kept kept) except -1
    cdef bint is_barred(self, Order order) except -1
    cdef int leave(self, Kept kept) except -1
    cdef int limit_units(self, Order order, int64_t held) except -1
    cdef int release(self, Kept kept, bint is_met) except -1
    cdef int on_order(self, Order order, Event* event) except -1
    cdef int wake_exits(self, Order entry, Event* event) except -1
    cdef int follow_pair(self, Order order, Event* event) except -1
    cdef int follow_kept(self, Kept kept, Order order, Event* event) except -1
    cdef int follow_position(self, Order order) except -1
    cdef int reword(self, Event* event) except -1
