"""Groups of orders: whether a venue can hold one itself, and which of a pair rests there if not."""
from libc.stdint cimport int64_t
from pyrt.core.orders cimport Order

cdef bint holds_exits(Order order, object table) except -1

cdef bint holds_pair(Order order, object table) except -1

cdef bint are_exits(Order profit, Order loss) noexcept

cdef bint leaves_position(Order profit, Order loss) noexcept

cdef bint rests(Order order) noexcept

cdef int check_exits(Order order) except -1

cdef int check_pair(Order profit, Order loss) except -1
