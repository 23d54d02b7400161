"""Targets: how far a position is from what is wanted, what counts on the way, and what waits."""
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command
from pyrt.core.positions cimport Position
from pyrt.core.types cimport INITIALIZED, MARKET, OPEN, is_final


cdef inline int64_t share(Order order) noexcept:
    """Units of an order that work for its position; two of one pair and side work once."""
    cdef Order other = order.sibling
    cdef int64_t units = order.leaves() - order.allotted
    cdef int64_t theirs
    if other is None or other.side_sign != order.side_sign or is_final(other.status_):
        return units
    theirs = other.leaves()
    if units == theirs:
        return units if order.number < other.number else 0
    return units if units > theirs else 0


cdef inline bint is_to_leave(Order order) noexcept:
    """Whether an order's submission is under way to the venue, and still here."""
    return order is not None and order.status_ == INITIALIZED and order.submit_request == OPEN


cdef inline bint leaves_before(Order other, Order order) noexcept:
    """Whether another order is to leave what is held against this one, and was sent first.

    What waits for its symbol to be left does not leave it.
    """
    return (
        other.number < order.number and other.side_sign == order.side_sign
        and (other.type == MARKET or other.moves) and other.algorithm is None
        and not (other.moves and other.status_ == INITIALIZED and not other.is_exit)
    )


# In `units` of a submission: entries that it would undo, or could meet, have been asked to end.
cdef enum:
    CALLS_BACK = -3
    MAKES_WAY = -4

# In `asked` alone: an entry has come behind a way out.
cdef enum:
    COMES_BEHIND = -5


cdef inline bint is_undone(Order other, Order order) noexcept:
    """Whether an entry was sent first, and an order to a target trades against it."""
    return (
        other.number < order.number and other.side_sign != order.side_sign
        and not other.is_exit and other.origin is None
    )


cdef inline bint goes_on(Order order) noexcept:
    """Whether an order leaves what is held, and its target lies where it trades to."""
    cdef int64_t held = order.side_sign * order.position.units
    return held < 0 and order.side_sign * order.target > held


cdef int64_t PATIENCE_NS

cdef list in_the_way(Cache cache, Order order)

cdef bint could_meet(Order order, Order other) noexcept

cdef int64_t distance(Cache cache, Position position, int64_t wanted,
                      int64_t before) except? -1

cdef bint only_leaves(Cache cache, Order order) except -1

cdef bint is_unanswered(Order order, bint by_change) noexcept

cdef bint must_wait(Cache cache, Command command, int64_t now) except -1

cdef int64_t units_of_share(Position position, double fraction, object capital_of,
                            int strategy) except? -1
