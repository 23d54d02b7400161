"""Room for what leaves a position among orders that rest, where a venue keeps units for them."""
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command
from pyrt.core.types cimport OPEN, UNKNOWN
from pyrt.execution.desk cimport Desk

# In `units` of a submission: exits have been asked to give up a part of what they hold, or are
# to be once they have answered to something else.
cdef enum:
    MADE_ROOM = -1
    ASKS_LATER = -2


cdef inline bint is_crowded(Order order) noexcept:
    """Whether an order leaves what is held, and more than that is to be sold or works already."""
    cdef int64_t held = -order.side_sign * order.position.units
    return held > 0 and (order.units > held or order.position.orders_working > 1)


cdef inline bint is_asked(Order order) noexcept:
    """Whether an order has yet to answer a cancel or a change."""
    return order.cancel_request in (OPEN, UNKNOWN) or order.modify_request in (OPEN, UNKNOWN)


cdef int64_t units_missing(Cache cache, Order order) except? -1

cdef int64_t units_free(Cache cache, Order order, int64_t held) except? -1

cdef list keepers(Cache cache, Order order, int64_t missing)

cdef bint reclaim(Desk desk, Order order, int64_t missing) except -1

cdef bint make_room(Desk desk, Command command) except -1
