"""Orders that an algorithm works through smaller ones: what was sent, filled, and is left."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport Event, EventQueue
from pyrt.core.orders cimport Order
from pyrt.core.records cimport Texts
from pyrt.execution.desk cimport Desk

@cython.final
cdef class Parents:
    cdef Desk desk
    cdef Clock clock
    cdef EventQueue inbox
    cdef Texts texts
    cdef readonly object world
    """What algorithms ask for prices, sessions and streams."""
    cdef dict open
    """Number → [order, reason of its cancel or None, children that work by number, ratio of a split
    its algorithm is to be told of or None]."""

    cdef int begin(self, Order order) except -1
    cdef int withdraw(self, Order order, str reason) except -1
    cdef int account(self, Order child, Event* event) except -1
    cdef int on_order(self, Order order, Event* event) except -1
    cdef int on_child(self, Order child, Event* event) except -1
    cdef int end(self, Order order) except -1
