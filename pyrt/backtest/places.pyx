"""The place of a resting order: what stands ahead of it at its price.

An order joins behind all that is shown. Where a book shows levels, a queue model says how the
place moves as the level changes; where it shows single orders, those ahead are known by their ids.
"""
from libc.math cimport rint

from pyrt.core.book_side cimport BookSide
from pyrt.core.numbers cimport POWERS_OF_TEN
from pyrt.core.types cimport LIMIT

cdef double NOT_SEEN = -1.0


cdef int join(QueueModel queue, VenueBook book, VenueOrder order) except -1:
    """Put a limit order at the end of the queue of its price."""
    order.queued = True
    order.traded = 0.0
    order.ahead_ids = None
    if order.display:
        order.shown = min(order.display, order.leaves())
    order.level = level_of(book, order)
    if order.level < 0.0:
        # Behind a price that is not shown: nothing is known of what stands there.
        order.queued = False
    elif book.by_order:
        return join_orders(book, order)
    else:
        order.ahead = queue.join(order.level)
    return 0


# -- queues of levels ------------------------------------------------------------------------------

cdef double level_of(VenueBook book, VenueOrder order) noexcept:
    """What is shown at the price of an order; below 0 where quotes do not reach so far."""
    cdef BookSide side = book.depth.bid_side if order.side > 0 else book.depth.ask_side
    cdef int64_t best = side.best_price()
    if book.quoted:
        if book.unsized or (side.count and best * side.sign > order.limit_price * side.sign):
            return NOT_SEEN
        if not side.count or best != order.limit_price:
            return 0.0
    return book.to_quantity(side.size_at(order.limit_price))


cdef int follow_levels(QueueModel queue, VenueBook book) except -1:
    """Let resting orders advance by what their levels lost."""
    cdef VenueOrder order
    cdef double after
    cdef Py_ssize_t i
    for i in range(len(book.orders)):
        order = <VenueOrder>book.orders[i]
        if order.type != LIMIT or order.fresh or order.done or order.ahead_ids is not None:
            continue
        after = level_of(book, order)
        if after < 0.0:
            order.level = NOT_SEEN
            continue
        if not order.queued:
            # Seen for the first time: whoever stands there may have come before.
            order.queued = True
            order.ahead = after
        elif order.level < 0.0:
            order.ahead = min(order.ahead, after)
        elif after != order.level or order.traded > 0.0:
            order.ahead = queue.change(order.ahead, order.level, after, order.traded)
        order.level = after
        order.traded = 0.0
    return 0


cdef int64_t steps_over(VenueOrder order) except? -1:
    """Units that a print had left over for an order, to the nearest step."""
    cdef double units = -order.ahead * <double>POWERS_OF_TEN[order.instrument.decimals]
    cdef int64_t step = order.instrument.step
    if not units > 0.0:
        return 0
    if units >= 9e18:
        return order.leaves()
    return <int64_t>rint(units / <double>step) * step


# -- queues of orders ------------------------------------------------------------------------------

cdef int join_orders(VenueBook book, VenueOrder order) except -1:
    """Remember who stands ahead: every order of the level, and what no order accounts for."""
    cdef BookSide side = book.depth.bid_side if order.side > 0 else book.depth.ask_side
    cdef int64_t nameless = 0
    cdef int index
    order.ahead_ids = {}
    if side.locate(order.limit_price * side.sign):
        nameless = side.blocks[side.finger].sizes[side.slot]
        index = side.blocks[side.finger].chains[side.slot].head
        while index >= 0:
            order.ahead_ids[book.depth.orders.orders[index].order_id] = (
                book.depth.orders.orders[index].size
            )
            nameless -= book.depth.orders.orders[index].size
            index = book.depth.orders.orders[index].next
    order.ahead = book.to_quantity(nameless)
    return 0


cdef int leave(VenueBook book, VenueOrder order, int64_t order_id, int64_t size) except -1:
    """Take what an order loses off what is ahead of ours, if it stands there."""
    cdef int64_t left
    found = order.ahead_ids.get(order_id)
    if found is None:
        if book.depth.orders.find(order_id) < 0:
            order.ahead = max(0.0, order.ahead - book.to_quantity(size))
        return 0
    left = <int64_t>found - size if size < <int64_t>found else 0
    if left > 0:
        order.ahead_ids[order_id] = left
    else:
        del order.ahead_ids[order_id]
    return 0
