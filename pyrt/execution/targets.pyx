"""Targets: how far a position is from what is wanted, what counts on the way, and what waits."""
from pyrt.core.int128 cimport TOWARD_ZERO, i128_muldiv, i128_to_i64, int128
from pyrt.core.numbers cimport money_from_object, nano_from_object
from pyrt.core.orders cimport no_price
from pyrt.core.types cimport EMULATED, MARKET, OPEN, RELEASED, UNKNOWN
from pyrt.execution.triggers cimport trails

from pyrt.errors import OrderError

# An order to a target waits no longer for the answers it counts on, nor an entry for a way out.
cdef int64_t PATIENCE_NS = 10_000_000_000
# Ten times the capital: more is a percentage in place of a fraction.
cdef double FRACTION_MAX = 10.0


cdef int64_t distance(Cache cache, Position position, int64_t wanted,
                      int64_t before) except? -1:
    """Signed units from held plus working to `wanted`; orders numbered lower count."""
    cdef int128 projected = position.units, units, there
    cdef Order order
    if position.orders_working:
        for order in cache.orders_open(position.strategy, position.instrument.id):
            if order.number >= before or order.cancel_request == OPEN:
                continue
            # An exit that rests only guards what is held; as a market order it is leaving, and so
            # is what an algorithm sends for one, and one to a target that left as a limit order.
            if order.is_exit and not order.moves and (
                    order if order.origin is None else order.origin).type != MARKET:
                continue
            if wanted == 0 and (order.type != MARKET or order.algorithm is not None):
                continue
            units = share(order) if order.notional_raw == 0 else order.counted
            if order.moves and order.target == 0 and order.status_ == INITIALIZED:
                # When it leaves it is cut to what there is to leave.
                there = -order.side_sign * projected
                units = max(min(units, there), 0)
            projected += order.side_sign * units
    return position.instrument.round_quantity_raw(i128_to_i64(wanted - projected))


cdef bint only_leaves(Cache cache, Order order) except -1:
    """Whether an order can do no more than take back what is held.

    Orders that rest guard the same units, so each is taken alone; of what is held one at the
    market finds only what no other takes already.
    """
    cdef int64_t left = -order.side_sign * order.position.units
    cdef Order other
    if order.reduce_only:
        return True
    if order.notional_raw != 0 or order.units > left:
        return False
    if order.type == MARKET and order.position.orders_working:
        for other in cache.orders_open(order.position.strategy, order.instrument.id):
            if (other.type == MARKET and other.side_sign == order.side_sign
                    and other.origin is None):
                left -= other.leaves()
    return order.units <= left


cdef bint is_being_left(Cache cache, Order order, bint has_left) except -1:
    """Whether something is held against an order, and one before it is to leave it.

    With `has_left` False only those count that wait on the desk themselves.
    """
    cdef Order other
    if order.side_sign * order.position.units >= 0:
        return False
    for other in cache.orders_open(order.position.strategy, order.instrument.id):
        if leaves_before(other, order) and (
            has_left or (other.moves and other.status_ == INITIALIZED)
        ):
            return True
    return False


cdef list in_the_way(Cache cache, Order order):
    """Return entries at the venue that a way out could meet: it would be refused as a wash trade.

    Whoever sent them: it is the account that must not trade with itself. Two limit orders whose
    prices do not cross are not refused, nor is what trails or came with its exits.
    """
    cdef Order other
    cdef list found = []
    for other in cache.orders_open(None, order.instrument.id):
        if other.status_ in (INITIALIZED, EMULATED, RELEASED) or not could_meet(order, other):
            continue
        if not other.keeps_exits and (
                other.take_profit is not None or other.stop_loss is not None):
            continue
        found.append(other if other.origin is None else other.origin)
    return found


cdef bint could_meet(Order order, Order other) noexcept:
    """Whether a way out could trade with another order, an entry, if both were at the venue."""
    if other.side_sign == order.side_sign or other.is_exit or trails(other):
        return False
    return (
        order.limit_price_raw == no_price() or other.limit_price_raw == no_price()
        or order.side_sign * (order.limit_price_raw - other.limit_price_raw) >= 0
    )


cdef bint must_wait(Cache cache, Command command, int64_t now) except -1:
    """Whether a cancel or a submission before it is unanswered in its symbol, and not for long.

    An exit holds the shares until its cancel has been confirmed, and an order on its way may
    still be refused: sent at once, the rest would be refused, or open the other side. A way
    out stays one where no answer comes. What opens the other side (`command.units` of it) waits
    for as long as the one that is held is being left; where exits were asked to give up a part
    of what they hold (less than 0), their answers are waited for as well. What is to open the
    other side waits behind the order that leaves: overtaken, that would find nothing to leave.
    What has not left itself is waited for without limit: no trade could undo it. Entries that were
    called back, or are in the way, are waited for until they have ended, however their cancels were
    answered.
    """
    cdef Order order = command.order, other
    if command.units > 0 and is_being_left(cache, order, True):
        return True
    if not order.moves:
        return is_being_left(cache, order, False)
    if (command.units == MAKES_WAY and now < command.ts + PATIENCE_NS
            and in_the_way(cache, order)):
        return True
    if order.position.orders_working < 2:
        return False
    for other in cache.orders_open(order.position.strategy, order.instrument.id):
        if other.number < order.number and (
            is_to_leave(other)
            or (now < command.ts + PATIENCE_NS and (
                is_unanswered(other, command.units < 0)
                or (command.units == CALLS_BACK and is_undone(other, order))
            ))
        ):
            return True
    return False


cdef bint is_unanswered(Order order, bint by_change) noexcept:
    """Whether a submission or a cancel is unanswered; with `by_change` also a change."""
    return (
        order.cancel_request in (OPEN, UNKNOWN) or order.submit_request == OPEN
        or (by_change and order.modify_request in (OPEN, UNKNOWN))
    )


cdef int64_t units_of_share(Position position, double fraction, object capital_of,
                            int strategy) except? -1:
    """Signed units that are worth a fraction of a strategy's capital at the last price."""
    cdef int128 value
    if position.mark <= 0:
        raise OrderError(
            f"{position.instrument.id} has no price yet, so {fraction:g} of the capital is no "
            "quantity",
            remedy="Wait for the first bar, quote or trade of the symbol",
        )
    if not -FRACTION_MAX <= fraction <= FRACTION_MAX:
        raise OrderError(
            f"fraction is {fraction!r}; expected a share of the capital, at most {FRACTION_MAX:g}",
            remedy="Write 0.5 for 50 %",
        )
    value = i128_muldiv(
        money_from_object(capital_of(strategy, position.instrument)),
        nano_from_object(fraction), 1_000_000_000, TOWARD_ZERO,
    )
    return position.instrument.round_quantity_raw(i128_to_i64(i128_muldiv(
        value, 1, <int128>position.mark * position.instrument.factor, TOWARD_ZERO
    )))
