"""Orders that wait on our side: what price triggers one, and what it becomes then."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.events cimport Event, EventQueue
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command

cdef Event* tell(EventQueue inbox, Order order, int kind, int64_t now, int reason) except NULL

cdef int split_prices(Order order, int64_t new, int64_t old) except -1

cdef bint trails(Order order) noexcept

cdef int64_t units_told(EventQueue inbox, Order order) noexcept

cdef bint is_told_of(EventQueue inbox, Order order) noexcept

@cython.final
cdef class Kept:
    cdef Order order
    cdef int64_t best
    """Trailing orders: best price seen; 0 before."""
    cdef int64_t offset
    """Trailing stop-limit: limit minus stop, kept while the stop trails."""
    cdef int64_t since
    """When it began to watch: what a bar did before does not trigger it."""
    cdef int64_t asked
    """When entries that are in its way were last asked to end; 0 before."""
    cdef int64_t asked_units
    """When orders that rest were last asked to give up units; 0 before."""
    cdef bint asleep
    """An exit whose entry has not ended."""
    cdef bint fired
    """Triggered; it leaves when the other one of its pair, or what is in its way, has ended."""

    cdef bint meet(self, EventQueue inbox, int64_t now, int64_t low, int64_t high,
                   int64_t last) except -1
    cdef int follow(self, EventQueue inbox, int64_t now, int64_t price) except -1
    cdef int move_stop(self) except -1
    cdef int say_terms(self, EventQueue inbox, int64_t now) except -1
    cdef int change(self, Command command) except -1
    cdef bint split(self, EventQueue inbox, int64_t now, int64_t new, int64_t old) except -1
    cdef int become(self, EventQueue inbox) except -1
    cdef int forget_triggers(self, EventQueue inbox) except -1
