"""Trading states of the whole, of strategies and of symbols, and who changed what and why."""
cimport cython
from pyrt.core.orders cimport Order

cpdef enum TradingState:
    ACTIVE = 0
    REDUCING = 1
    HALTED = 2

@cython.final
cdef class States:
    cdef readonly int everywhere
    cdef readonly list changes
    """`Change`s, oldest first."""
    cdef list lasting
    """Those of them that are saved: what was told of an order goes with it."""
    cdef dict strategies
    """Name → state; the symbols by id. Names outlive a restart, numbers do not."""
    cdef dict symbols
    cdef bint plain
    """Nothing but ACTIVE anywhere."""

    cdef inline int of(self, Order order) except -1:
        """The most restrictive state that applies to an order."""
        if self.plain:
            return ACTIVE
        return self.worst(order)

    cdef int worst(self, Order order) except -1
    cdef int over(self, str strategy, str symbol) except -1
