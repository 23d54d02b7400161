"""Targets across zero at venues where no order takes a position from one side to the other."""
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command
from pyrt.execution.desk cimport Desk

cdef int64_t beyond_flat(Cache cache, Order order) except? -1

cdef str divide(Desk desk, Command command)
