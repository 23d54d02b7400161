"""What an order that is kept waits for before it leaves, and how it leaves."""
from libc.stdint cimport int64_t

from pyrt.core.orders cimport no_price
from pyrt.core.ports cimport SUBMIT, Command
from pyrt.core.types cimport EV_RELEASED, INITIALIZED, LIMIT, MARKET, OPEN, UNKNOWN, is_final
from pyrt.execution.desk cimport Desk
from pyrt.execution.room cimport is_asked, keepers, reclaim, units_free
from pyrt.execution.targets cimport in_the_way
from pyrt.execution.triggers cimport tell, trails

from pyrt.core.types import TYPE_NAMES
from pyrt.execution.custody import RETRY_NS


cdef int fire(Custody custody, Kept kept) except -1:
    """Release a triggered order, once what stands in its way has ended.

    That is the other one of its pair and, for a way out, entries that it would trade against.
    """
    cdef Order other = kept.order.sibling
    found = None if other is None else custody.kept.get(other.number)
    if found is not None and (<Kept>found).fired:
        # Prices have met the other one before it: that leaves, and ends this one.
        return 0
    if is_barred(custody, kept.order):
        return 0
    found = entries_before(custody, kept.order)
    if found:
        # Where a cancel was refused, not every price asks again.
        if kept.asked == 0 or custody.clock.now >= kept.asked + RETRY_NS:
            kept.asked = custody.clock.now
            for other in found:
                custody.desk.cancel(other.strategy, other)
        # Of several the first that ends may not be the last: the price has come all the same.
        kept.fired = any([is_being_canceled(other) for other in found])
        return 0
    if other is None or is_final(other.status_):
        return leave(custody, kept)
    kept.fired = True
    return custody.desk.cancel(other.strategy, other)


cdef list entries_before(Custody custody, Order order):
    """Return entries that have to end before a way out leaves: it would be refused for them."""
    table = custody.capabilities(order)
    if table is None or table.flips or not (order.is_exit or order.reduce_only):
        return []
    return in_the_way(custody.cache, order)


cdef int go_on(Custody custody, Order other) except -1:
    """Fire ways out that waited for an order to end, or to give up units; else a later price asks.

    What they wait for besides is looked at again: news of one order settles nothing about another.

    One that waits for the other of its pair goes on when that has ended, or is lost with it.
    """
    cdef Kept kept
    for kept in list(custody.by_index.get(other.instrument.index, ())):
        if (kept.fired and other is not kept.order.sibling
                and not is_being_canceled(kept.order.sibling)):
            if (other.side_sign != kept.order.side_sign
                    or other.position is kept.order.position):
                kept.fired = False
                fire(custody, kept)
    return 0


cdef inline bint is_leaving(Order order) noexcept:
    """Whether an order has left, or is about to, and trades as soon as it can."""
    return (
        (order.type == MARKET or order.moves) and order.algorithm is None
        and order.status_ != INITIALIZED
    )


cdef inline bint is_being_canceled(Order order) noexcept:
    """Whether an order works yet, and has been asked to end."""
    return (
        order is not None and not is_final(order.status_)
        and order.cancel_request in (OPEN, UNKNOWN)
    )


cdef bint is_barred(Custody custody, Order order) except -1:
    """Whether a way out stays here for now: denied in a halt, it would be lost."""
    return (order.is_exit or order.reduce_only) and custody.halts(order)


cdef bint may_rest(Custody custody, Order leg, object table) except -1:
    """Whether an exit leaves before its price is there.

    Beside an entry that it could meet, or as a stop on the wrong side of the price, it would be
    refused: it waits here, for its price.
    """
    if is_barred(custody, leg) or (leg.type != LIMIT and (
            leg.sibling is not None or TYPE_NAMES[leg.type] not in table.order_types)):
        return False
    if leg.stop_price_raw != no_price() and leg.position.mark > 0 and (
            leg.side_sign * (leg.position.mark - leg.stop_price_raw) >= 0):
        return False
    return table.flips or trails(leg) or not in_the_way(custody.cache, leg)


cdef int leave(Custody custody, Kept kept) except -1:
    """Release a triggered order, an exit for no more than others that have left leave of it."""
    cdef Order order = kept.order, each
    cdef int64_t held = -order.side_sign * order.position.units
    if order.number in custody.reducing:
        for each in custody.cache.orders_open(order.position.strategy, order.instrument.id):
            if (each.side_sign == order.side_sign and is_leaving(each)
                    and each.number not in custody.kept):
                held -= each.leaves()
        if held <= 0:
            # Were they refused, it would leave at the next price.
            return 0
        if lacks_units(custody, kept, held):
            return 0
        custody.limit_units(order, held)
    return release(custody, kept, True)


cdef bint lacks_units(Custody custody, Kept kept, int64_t held) except -1:
    """Ask what rests for units that a way out needs, where the venue keeps them; True if it waits.

    It would be refused for them, and lost. What is not given up is asked for at a later price.
    """
    cdef Order order = kept.order, other
    cdef int64_t missing
    if (<object>custody.capabilities(order)).flips:
        return False
    missing = min(order.leaves(), held) - units_free(custody.cache, order, held)
    if missing <= 0:
        return False
    if kept.asked_units == 0 or custody.clock.now >= kept.asked_units + RETRY_NS:
        if reclaim(custody.desk, order, missing):
            kept.asked_units = custody.clock.now
    # Of several the first that answers may not be the last: the price has come all the same.
    kept.fired = any([is_asked(other) for other in keepers(custody.cache, order, missing)])
    return True


cdef int release(Custody custody, Kept kept, bint is_met) except -1:
    """Send an order on: as what its trigger has made of it, or, not met yet, as it is."""
    cdef Order order = kept.order
    cdef Command command = Command.__new__(Command)
    custody.drop(kept)
    custody.adapt_leaving(order)
    if is_met:
        kept.become(custody.inbox)
    tell(custody.inbox, order, EV_RELEASED, custody.clock.now, 0).cumulative = order.filled
    command.kind = SUBMIT
    command.order = order
    custody.desk.issue(command)
    if not (<object>custody.capabilities(order)).flips and (order.is_exit or order.reduce_only):
        overtake(custody.desk, order)
    return 0


cdef int overtake(Desk desk, Order order) except -1:
    """Let entries that are about to leave do so behind a way out: it would be refused for them."""
    cdef Command command
    cdef list behind = [
        command for command in desk.commands
        if command.kind == SUBMIT and command.order.instrument is order.instrument
        and command.order.side_sign != order.side_sign and not command.order.is_exit
    ]
    if behind:
        desk.commands = [command for command in desk.commands if command not in behind] + behind
    return 0
