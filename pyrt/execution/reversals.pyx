"""Targets across zero at venues where no order takes a position from one side to the other.

There an order across zero only leaves what is held, as `close` does. The rest is an order of its
own that waits on the desk until that is left, and is judged when it leaves. Nor does a trade
undo an entry that works there: the entry is canceled, and what has filled is left.
"""
from pyrt.core.ports cimport SUBMIT
from pyrt.core.types cimport NONE, OPEN, REFUSED
from pyrt.execution.targets cimport CALLS_BACK, MAKES_WAY, in_the_way, is_undone, leaves_before
from pyrt.execution.terms cimport read_terms
from pyrt.execution.waits cimport has_asked, hold, hold_anew, hold_for


cdef int64_t beyond_flat(Cache cache, Order order) except? -1:
    """Units of an order to a target that would open the other side of what is held.

    What is held is left by the orders before it first.
    """
    cdef int64_t left = -order.side_sign * order.position.units
    cdef Order other
    if left <= 0 or (order.units <= left and order.position.orders_working < 2):
        return 0
    for other in cache.orders_open(order.position.strategy, order.instrument.id):
        if leaves_before(other, order) and other.cancel_request != OPEN:
            left -= other.leaves()
    return min(order.units, max(order.units - left, 0))


cdef str divide(Desk desk, Command command):
    """Let an order only leave what is held: None if it is to be sent, "" if it waits, else why not.

    `command.units` are those that open the other side. They wait; what is held may still be there
    when nothing works to leave it any more. What only undoes entries on their way opens nothing.
    """
    cdef Order order = command.order
    cdef int64_t units = 0
    cdef bint is_new
    cdef str reason = call_back(desk, command) if undoes(order) else None
    if reason is not None:
        return reason
    if order.side_sign * order.target > 0:
        units = beyond_flat(desk.cache, order)
    if command.units > 0 and order.side_sign * order.position.units < 0:
        return f"target: {order.symbol} was not left, and at the venue no order crosses zero"
    if units == 0:
        return None
    if units == order.units:
        # What is held is being left already.
        command.units = units
        desk.waiting.append(command)
        return ""
    is_new = desk.cancel_resting(order)
    order.units -= units
    order.is_exit = True
    desk.waiting.append(opening(desk, order, units))
    order.target = 0
    desk.settle(order)
    return "" if (hold_anew(desk, command) if is_new else hold(desk, command)) else None


cdef str call_back(Desk desk, Command command):
    """Cancel the entries that an order would undo: None if it is to be sent, "" if it waits.

    Else why it is not: one that does not end is not undone, what it fills is left by the next order
    to a target.
    """
    cdef Order order = command.order, other
    cdef list found
    if not has_asked(command, CALLS_BACK):
        found = [
            other for other in desk.cache.orders_open(order.position.strategy, order.instrument.id)
            if is_undone(other, order)
        ]
        if not found:
            return None
        order.is_exit = order.side_sign * order.target <= 0
        if hold_for(desk, command, CALLS_BACK, ask_to_end(desk, found)):
            return ""
    order.units = order.instrument.round_quantity_raw(
        order.side_sign * (order.target - order.position.units)
    )
    desk.settle(order)
    return None if order.units else f"target: an order for {order.symbol} was not canceled"


cdef bint ask_to_end(Desk desk, list orders) except -1:
    """Cancel orders; True if one of them had not been asked before, whoever did."""
    cdef Order order
    cdef bint is_new = any([order.cancel_request == NONE for order in orders])
    for order in orders:
        desk.cancel(order.strategy, order)
    return is_new


cdef bint make_way(Desk desk, Command command) except -1:
    """Cancel entries that a way out could meet, whoever has sent them; True if it waits for that.

    It is sent once they have ended, or have been waited for long enough. One that does not end when
    it is asked to is not asked twice.
    """
    cdef Order other
    cdef list found = [
        other for other in in_the_way(desk.cache, command.order)
        if other.cancel_request != REFUSED
    ]
    if has_asked(command, MAKES_WAY) or not found:
        return False
    return hold_for(desk, command, MAKES_WAY, ask_to_end(desk, found))


cdef Command opening(Desk desk, Order order, int64_t units):
    """Make the order for what an order across zero is to open, and the command that sends it."""
    cdef dict terms = {"resizes": order.resizes}
    cdef Command command = Command.__new__(Command)
    cdef Order rest
    if order.tag:
        terms["tag"] = order.tag
    rest = desk.new_order(order.strategy, order.position, order.side_sign, terms)
    rest.units = units
    rest.moves = True
    rest.target = order.target
    read_terms(rest, terms, desk.default_codes, desk.clock.now)
    desk.enlist(rest)
    rest.submit_request = OPEN
    command.kind = SUBMIT
    command.order = rest
    command.units = units
    command.ts = desk.clock.now
    return command
