"""Two orders of which one cancels the other."""
from pyrt.core.orders cimport Order
from pyrt.core.types cimport EMULATED


cdef inline bint is_venue_pair(Order order) noexcept:
    """Whether a venue has an order as one of a pair, and takes off it what the other fills."""
    return (
        order.sibling is not None and order.parent is None and not order.keeps_exits
        and order.status_ != EMULATED
    )
