"""What waits on the desk for what it counts on, and leaves when that has been answered."""
from pyrt.core.ports cimport CANCEL, SUBMIT
from pyrt.core.splits cimport split_units
from pyrt.execution.targets cimport (
    COMES_BEHIND, MAKES_WAY, PATIENCE_NS, distance, goes_on, is_to_leave, must_wait,
)
from pyrt.execution.triggers cimport split_prices


cdef bint hold(Desk desk, Command command) except -1:
    """Keep a command back while it must wait; True if it must.

    Of an entry that has not left no exit is canceled alone: it would leave without.
    """
    if command.kind == CANCEL:
        if not is_to_leave(command.order.parent):
            return False
    elif not (must_wait(desk.cache, command, desk.clock.now) or (
            comes_behind(desk, command) and desk.clock.now < command.ts + PATIENCE_NS)):
        return False
    desk.waiting.append(command)
    return True


cdef bint hold_anew(Desk desk, Command command) except -1:
    """Keep a command back for what has just been asked for it, however long it has waited."""
    command.ts = desk.clock.now
    return hold(desk, command)


cdef bint hold_for(Desk desk, Command command, int what, bint is_new) except -1:
    """Keep a submission back for `what` others do for it; no longer if all were asked before.

    What was asked before that is remembered: it is neither asked nor waited for again.
    """
    command.units = what
    command.asked |= 1 << -what
    return hold_anew(desk, command) if is_new else hold(desk, command)


cdef bint comes_behind(Desk desk, Command command) except -1:
    """Whether an order is an entry for which a way out that waits would be refused.

    How long it waits there counts from the first time, once: it may have waited long before it.
    """
    cdef Order order = command.order
    if order.is_exit or order.reduce_only or (order.moves and goes_on(order)):
        return False
    if not desk.keeps_back(order):
        return False
    if not has_asked(command, COMES_BEHIND):
        command.asked |= 1 << -COMES_BEHIND
        command.ts = desk.clock.now
    return True


cdef str hold_behind(Desk desk, Command command):
    """Keep an entry behind a way out: None if none waits, "" if it is kept, else why it is denied.

    Sent, it would be the next that the way out waits for: entries that are put again as soon as
    they are canceled kept it from ever leaving.
    """
    if not comes_behind(desk, command):
        return None
    if desk.clock.now < command.ts + PATIENCE_NS:
        desk.waiting.append(command)
        return ""
    return (
        f"way out: one of {command.order.symbol} waits for entries to end, and would be refused "
        "for this one"
    )


cdef int wake(Desk desk) except -1:
    """Issue again what need not wait any longer."""
    cdef Command command
    cdef list waiting = desk.waiting
    desk.waiting = []
    for command in waiting:
        if hold(desk, command):
            continue
        if has_asked(command, MAKES_WAY):
            # Before entries that are sent for those that made way: it would be refused for them.
            desk.commands.insert(0, command)
        else:
            desk.commands.append(command)
    return 0


cdef bint drop(Desk desk, Order order) except -1:
    """Forget an order that waits; False if it does not."""
    cdef Command command
    cdef Py_ssize_t count = len(desk.waiting)
    desk.waiting = [command for command in desk.waiting if command.order is not order]
    return len(desk.waiting) < count


cdef bint trim(Desk desk, Order order) except -1:
    """Cut an order that is to leave to what its target still asks for; False if to nothing.

    Orders before it count as working until they are judged. One that was denied meanwhile is no
    longer there to be undone: the rest would open the other side.
    """
    cdef int64_t left = order.side_sign * distance(
        desk.cache, order.position, order.target, order.number
    )
    if left <= 0:
        return False
    if left < order.units:
        order.units = left
        desk.settle(order)
    return True


cdef list split(Desk desk, Py_ssize_t index, int64_t new, int64_t old):
    """Let `old` units be `new` ones in what waits; return orders of which nothing is left."""
    cdef Command command
    cdef Order order
    cdef list gone = []
    for command in desk.waiting:
        if command.kind != SUBMIT or command.order.instrument.index != index:
            continue
        order = command.order
        order.target = split_units(order.instrument, order.target, new, old)
        if command.units > 0:
            command.units = max(split_units(order.instrument, command.units, new, old), 1)
        for leg in (order, order.take_profit, order.stop_loss):
            if leg is not None:
                split_order(desk, leg, new, old)
        if order.units == 0 and order.notional_raw == 0:
            gone.append(order)
    return gone


cdef int split_order(Desk desk, Order order, int64_t new, int64_t old) except -1:
    order.units = split_units(order.instrument, order.units, new, old)
    split_prices(order, new, old)
    return desk.settle(order)
