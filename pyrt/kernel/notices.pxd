"""Telling a strategy, and whoever listens on the bus, what became of an order."""
cimport cython
from pyrt.core.accounts cimport Account
from pyrt.core.bus cimport MessageBus
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport Event
from pyrt.core.orders cimport Fill, Order
from pyrt.core.records cimport Records
from pyrt.kernel.calls cimport Calls
from pyrt.kernel.hooks cimport Hooks
from pyrt.strategy.core cimport StrategyCore

@cython.final
cdef class Notices:
    cdef Calls calls
    cdef MessageBus bus
    cdef Clock clock
    cdef Account account
    cdef Records records
    cdef list strategies
    cdef list hooks

    cdef int of_order(self, Order order, Event* event) except -1
    cdef int tell(self, StrategyCore owner, Hooks hooks, Order order, Event* event) except -1
    cdef int of_fill(self, StrategyCore owner, Hooks hooks, Order order, Event* event) except -1
    cdef Fill fill_of(self, Order order, Event* event)
