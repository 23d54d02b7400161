"""What is kept on our side, until when, and which orders at the venue we end for it."""
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport Event, EventQueue
from pyrt.core.hours cimport Hours
from pyrt.core.instruments cimport Instrument
from pyrt.core.orders cimport Order
from pyrt.core.records cimport Texts
from pyrt.core.streams cimport Stream
from pyrt.execution.desk cimport Desk
from pyrt.execution.triggers cimport Kept

cdef bint is_fraction(Order order) noexcept

cdef class Custody:
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
    cdef Hours hours
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

    cdef object capabilities(self, Order order)
    cdef int time_for(self, Order order, object table) except -1
    cdef int adapt_leaving(self, Order order) except -1
    cdef int keep(self, Order order, bint asleep) except -1
    cdef int watch(self, Kept kept) except -1
    cdef Stream marking(self, Instrument instrument)
    cdef bint starts_at_mark(self, Order order) except -1
    cdef int drop(self, Kept kept) except -1
    cdef int withdraw(self, Order order, int kind, str reason) except -1
    cdef int set_units(self, Order order, int64_t units) except -1
    cdef int limit_units(self, Order order, int64_t held) except -1
    cdef int reword(self, Event* event) except -1
