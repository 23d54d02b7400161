"""Groups of orders: whether a venue can hold one itself, and which of a pair rests there if not."""
from libc.stdint cimport INT64_MAX

from pyrt.core.orders cimport no_price
from pyrt.core.types cimport LIMIT, MARKET, STOP, STOP_LIMIT
from pyrt.execution.terms cimport exit_price

from pyrt.core.types import TYPE_NAMES
from pyrt.errors import OrderError


cdef int check_exits(Order order) except -1:
    """Raise OrderError for exits on the wrong side: they would leave as soon as they work."""
    cdef int64_t low = 0, high = INT64_MAX
    cdef int64_t target = exit_price(order.take_profit), stop = exit_price(order.stop_loss)
    if target != no_price() and order.side_sign > 0:
        high = target
    elif target != no_price():
        low = target
    if stop != no_price() and order.side_sign > 0:
        low = stop
    elif stop != no_price():
        high = stop
    entry = order.limit_price_raw
    if entry == no_price():
        entry = order.stop_price_raw
    if low >= high or (entry != no_price() and not low < entry < high):
        profit = None if order.take_profit is None else order.take_profit.limit_price
        loss = None if order.stop_loss is None else order.stop_loss.stop_price
        raise OrderError(
            f"a {order.side.name.lower()} with take_profit={profit} and stop_loss={loss} would "
            "leave at once",
            remedy="Put the profit beyond the entry and the loss before it",
        )
    return 0


cdef int check_pair(Order profit, Order loss) except -1:
    """Raise OrderError for a pair of exits the wrong way round: both would leave at once."""
    cdef int64_t target = exit_price(profit), stop = exit_price(loss)
    if target == no_price() or stop == no_price():
        return 0
    if profit.side_sign * (stop - target) <= 0:
        raise OrderError(
            f"a {profit.side.name.lower()} with take_profit={profit.limit_price} and "
            f"stop_loss={loss.stop_price} would leave at once",
            remedy="Put the profit beyond the market and the loss before it",
        )
    return 0


cdef bint holds_exits(Order order, object table) except -1:
    """Whether a venue holds the exits that an order carries; True where it carries none."""
    cdef Order profit = order.take_profit, loss = order.stop_loss
    cdef int count = (profit is not None) + (loss is not None)
    if count == 0:
        return True
    if ("oto" if count == 1 else "bracket") not in table.groups:
        return False
    for leg in (profit, loss):
        if leg is not None and TYPE_NAMES[(<Order>leg).type] not in table.exit_types:
            return False
    return True


cdef bint holds_pair(Order order, object table) except -1:
    """Whether a venue itself lets a fill of one order of a pair take from the other."""
    cdef Order other = order.sibling
    if "pair" in table.groups:
        return True
    if "oco" not in table.groups or not order.is_child or order.cancels_pair:
        return False
    if order.number > other.number:
        order, other = other, order
    return order.type == LIMIT and are_exits(order, other)


cdef bint are_exits(Order profit, Order loss) noexcept:
    """Whether two orders are a pair of exits as exchanges know it: a limit and a stop, alike."""
    return (
        profit.type == LIMIT and (loss.type == STOP or loss.type == STOP_LIMIT)
        and profit.side_sign == loss.side_sign and profit.units == loss.units
        and profit.tif == loss.tif and profit.expires_ns == loss.expires_ns
        and not (profit.post_only or profit.extended_hours or profit.display)
        and not (loss.extended_hours or loss.display)
    )


cdef bint leaves_position(Order profit, Order loss) noexcept:
    """Whether a pair guards what its strategy holds, and no more than that."""
    cdef int64_t held = -profit.side_sign * profit.position.units
    return are_exits(profit, loss) and profit.units <= held


cdef bint rests(Order order) noexcept:
    """Whether an order of a pair is the one that goes to a venue without pairs.

    The units are there once: a market order goes, or else a limit order, of two the first; the
    other one is kept, and both are if neither can rest.
    """
    cdef Order other = order.sibling
    if order.type == MARKET:
        return other.type != MARKET or order.number < other.number
    if order.type != LIMIT or other.type == MARKET:
        return False
    return other.type != LIMIT or order.number < other.number
