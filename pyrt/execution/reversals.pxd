"""Targets across zero at venues where no order takes a position from one side to the other."""
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command
from pyrt.execution.desk cimport Desk


cdef inline bint undoes(Order order) noexcept:
    """Whether an order trades more than its target is away: what works is to be undone first."""
    cdef int64_t away = order.side_sign * (order.target - order.position.units)
    return 0 <= away < order.units


cdef int64_t beyond_flat(Cache cache, Order order) except? -1

cdef str divide(Desk desk, Command command)

cdef str call_back(Desk desk, Command command)

cdef bint make_way(Desk desk, Command command) except -1
