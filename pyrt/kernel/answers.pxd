"""What the venue answers about orders: taken into order, position and account, then announced."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport Event
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport CommandSink, RiskGate
from pyrt.core.records cimport Records
from pyrt.execution.booking cimport Booking
from pyrt.execution.desk cimport Desk
from pyrt.kernel.curve cimport EquityCurve
from pyrt.kernel.notices cimport Notices
from pyrt.risk.watch cimport Watcher

@cython.final
cdef class Answers:
    cdef Cache cache
    cdef Clock clock
    cdef Records records
    cdef Desk desk
    cdef Booking booking
    cdef EquityCurve curve
    cdef Notices notices
    cdef CommandSink sink
    """What follows orders for the sake of others: emulation, execution algorithms."""
    cdef RiskGate gate
    cdef Watcher watcher
    """The gate, if it wants to hear of orders; else None."""

    cdef int apply(self, Event* event) except -1
    cdef int note(self, Order order, int kind, int64_t value) except -1
    cdef int refuse(self, Order order, int kind, str reason) except -1
    cdef int announce(self, Order order, int kind, int64_t ts, int64_t quantity,
                      int64_t price) except -1
    cdef int take_fill(self, Order order, Event* event) except -1
    cdef int take_change(self, Order order, Event* event) except -1
    cdef int take_answer(self, Order order, Event* event, bint is_answer) except -1
