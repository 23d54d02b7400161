"""Room for what leaves a position among orders that rest, where a venue keeps units for them.

Where what works may not come to more than is held, a target that leaves something held is refused
beside exits for all of it. They are made smaller first, the newest first, and the order waits for
the answers. Two exits of which one cancels the other keep their quantity (decision 0019). A way out
that is kept here, and whose price has come, has them give up what it needs.
"""
from pyrt.core.pairs cimport is_venue_pair
from pyrt.core.types cimport (
    EMULATED, HELD, INITIALIZED, MARKET, NONE, OPEN, RELEASED, UNKNOWN, is_final,
)
from pyrt.execution.targets cimport leaves_before, share
from pyrt.execution.waits cimport has_asked, hold, hold_for


cdef int64_t claim(Order other, Order order) noexcept:
    """Units that another order keeps from one that leaves the same position."""
    if other is order or other.side_sign != order.side_sign:
        return 0
    if leaves_before(other, order):
        return other.leaves()
    if other.type == MARKET or other.status_ in (INITIALIZED, EMULATED, RELEASED, HELD):
        return 0
    if other.sibling is not None and other.sibling.status_ == EMULATED:
        # Only this one is at the venue.
        return other.leaves()
    return share(other)


cdef bint can_shrink(Order other, Order order) except -1:
    """Whether the quantity of an order that rests can be changed in favor of another."""
    return (
        claim(other, order) > 0 and other.type != MARKET and other.is_exit
        and not is_venue_pair(other) and other.cancel_request == NONE
    )


cdef int64_t units_missing(Cache cache, Order order) except? -1:
    """Units of an order that leaves a position which others keep from it; 0 if it has room.

    More than is held may be kept for a moment: exits of an entry that ended half filled.
    """
    cdef int64_t free = -order.side_sign * order.position.units
    cdef Order other
    for other in cache.orders_open(order.position.strategy, order.instrument.id):
        free -= claim(other, order)
    return max(order.units - free, 0)


cdef bint make_room(Desk desk, Command command) except -1:
    """Let exits give up what an order needs, if they have as much; True if it waits for them."""
    cdef Order order = command.order, other
    cdef int64_t missing, cut
    cdef list exits
    if has_asked(command, MADE_ROOM) or order.target == 0 or not is_crowded(order):
        return False
    missing = units_missing(desk.cache, order)
    exits = [
        other for other in desk.cache.orders_open(order.position.strategy, order.instrument.id)
        if can_shrink(other, order)
    ]
    if missing == 0 or sum([(<Order>other).leaves() for other in exits]) < missing:
        return False
    for other in exits:
        if other.modify_request in (OPEN, UNKNOWN):
            command.units = ASKS_LATER
            return hold(desk, command)
    for other in reversed(exits):
        cut = min(missing, other.leaves())
        if cut == other.leaves():
            desk.cancel(other.strategy, other)
        elif cut:
            desk.set_quantity(other, other.units - cut)
        missing -= cut
    return hold_for(desk, command, MADE_ROOM, True)


cdef int64_t units_free(Cache cache, Order order, int64_t held) except? -1:
    """Units of what is held that nothing which rests at the venue keeps from a way out."""
    cdef Order other
    for other in cache.orders_open(order.position.strategy, order.instrument.id):
        if other is not order.sibling and not other.moves:
            held -= claim(other, order)
    return held


cdef list keepers(Cache cache, Order order, int64_t missing):
    """Return what rests and keeps units that a way out needs, the newest first.

    A pair that keeps more stays out of it: what it guards beyond would have no exit.
    """
    cdef Order other
    cdef int64_t kept
    cdef list found = []
    for other in reversed(cache.orders_open(order.position.strategy, order.instrument.id)):
        kept = 0 if other is order.sibling or other.moves else claim(other, order)
        if kept <= 0 or missing <= 0:
            continue
        if kept <= missing or other.sibling is None or is_final(other.sibling.status_) or (
                is_asked(other)):
            found.append(other)
            missing -= kept
    return found


cdef bint reclaim(Desk desk, Order order, int64_t missing) except -1:
    """Have what rests give up units that a way out needs, the newest first; True if any is asked.

    What keeps no more than that is canceled, and of what keeps more a part is taken off. While one
    has yet to answer a change none is asked: in vain, if that one gives up nothing.
    """
    cdef list found = keepers(desk.cache, order, missing)
    cdef Order other
    cdef int64_t kept
    cdef bint asks = False
    for other in found:
        if other.modify_request in (OPEN, UNKNOWN):
            return False
    for other in found:
        kept = claim(other, order)
        if not is_asked(other):
            if kept <= missing:
                desk.cancel(other.strategy, other)
            else:
                desk.set_quantity(other, other.units - missing)
            asks = True
        missing -= kept
    return asks
