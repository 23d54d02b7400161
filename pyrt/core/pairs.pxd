"""Two orders of which one cancels the other."""
from pyrt.core.orders cimport Order
from pyrt.core.types cimport EMULATED, is_final


cdef inline bint is_venue_pair(Order order) noexcept:
    """Whether a venue has both of two orders, and takes off each what the other fills."""
    return (
        order.sibling is not None and not order.keeps_exits and order.status_ != EMULATED
        and not is_final(order.sibling.status_)
    )
