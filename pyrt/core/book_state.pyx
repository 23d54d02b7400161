"""Both sides of a book, its resting orders and where it stands in its feed, for use from C.

A level's total is what the feed says rests there. Where single orders are followed, the part of
the total that no known order accounts for is *unattributed*: it came with a snapshot by price and
stands ahead of every known order of its level.
"""
from libc.stdint cimport INT64_MAX

from pyrt.core.book_orders cimport OrderStore, RestingOrder
from pyrt.core.book_pending cimport PendingChanges
from pyrt.core.book_side cimport Block, BookSide, Chain, Level


cdef class BookState:
    """What `OrderBook` keeps; prices are int64 in 1e-9, sides are 1 (bid) and -1 (ask)."""

    def __cinit__(self):
        self.bid_side = BookSide(1)
        self.ask_side = BookSide(-1)
        self.orders = OrderStore()
        self.size_decimals = 9

    cdef int set_level(self, int side, int64_t price, int64_t size) except -1:
        """Make `size` the total at `price`, of no known orders; 0 removes the level."""
        cdef BookSide levels = self.bid_side if side > 0 else self.ask_side
        if levels.by_order and levels.locate(price * levels.sign):
            self.drop_orders(levels)
        levels.set(price, size)
        if 0 < self.max_levels < levels.count:
            self.prune(levels)
        return 0

    cdef int set_quote(self, int side, int64_t price, int64_t size) except -1:
        """Make this the only level of its side, of any size, 0 included."""
        cdef BookSide levels = self.bid_side if side > 0 else self.ask_side
        return levels.set_only(price, size)

    cdef int add_order(self, int side, int64_t price, int64_t size, int64_t order_id) except -1:
        """Append an order to the queue at `price`; an id still resting is replaced."""
        cdef int32_t index
        cdef RestingOrder* order
        if not self.bid_side.by_order:
            self.bid_side.follow_orders()
            self.ask_side.follow_orders()
        index = self.orders.find(order_id)
        if index >= 0:
            self.anomaly_count += 1
            self.take(index, INT64_MAX)
        if size <= 0:
            self.anomaly_count += 1
            return 0
        index = self.orders.insert(order_id)
        order = &self.orders.orders[index]
        order.side = 1 if side > 0 else -1
        order.price = price
        order.size = size
        return self.enqueue(index)

    cdef int reduce_order(self, int64_t order_id, int64_t size) except -1:
        """Take `size` off an order, which goes at 0; return 0 when the id is not resting."""
        cdef int32_t index = self.orders.find(order_id)
        if index < 0:
            return 0
        if size > self.orders.orders[index].size:
            self.anomaly_count += 1
        self.take(index, size)
        return 1

    cdef int delete_order(self, int64_t order_id) except -1:
        """Remove an order; return 0 when the id is not resting."""
        cdef int32_t index = self.orders.find(order_id)
        if index < 0:
            return 0
        self.take(index, INT64_MAX)
        return 1

    cdef int modify_order(
        self, int side, int64_t price, int64_t size, int64_t order_id
    ) except -1:
        """Give an order a new price and size; return 0 when the id was not resting (it is now).

        It keeps its place in the queue only if the price stays and the size does not grow.
        """
        cdef int32_t index = self.orders.find(order_id)
        cdef RestingOrder* order
        if index < 0:
            self.add_order(side, price, size, order_id)
            return 0
        order = &self.orders.orders[index]
        if order.price == price and order.side == side and size <= order.size:
            self.take(index, order.size - size if size > 0 else INT64_MAX)
            return 1
        self.take(index, INT64_MAX)
        self.add_order(side, price, size, order_id)
        return 1

    cdef int take_unattributed(self, int side, int64_t price, int64_t size) except -1:
        """Take `size` off what no known order accounts for at `price`; return 0 if it is not there.

        This is how an order that rested before the feed began leaves the book.
        """
        cdef BookSide levels = self.bid_side if side > 0 else self.ask_side
        cdef int64_t free
        cdef Block* block
        if not levels.locate(price * levels.sign):
            return 0
        free = self.unattributed(levels)
        block = levels.blocks[levels.finger]
        block.sizes[levels.slot] -= min(free, size)
        if block.sizes[levels.slot] == 0:
            levels.erase()
        return free >= size

    cdef int64_t unattributed(self, BookSide side) noexcept:
        """Size without a known order at the level just located."""
        cdef Block* block = side.blocks[side.finger]
        cdef int64_t known = 0
        cdef int32_t index
        if side.by_order:
            index = block.chains[side.slot].head
            while index >= 0:
                known += self.orders.orders[index].size
                index = self.orders.orders[index].next
        return block.sizes[side.slot] - known

    cdef int64_t size_ahead(self, int64_t order_id) except -2:
        """Size that trades before this order at its level; -1 when the id is not resting."""
        cdef int32_t index = self.orders.find(order_id), other
        cdef RestingOrder* order
        cdef BookSide levels
        cdef int64_t ahead
        if index < 0:
            return -1
        order = &self.orders.orders[index]
        levels = self.bid_side if order.side > 0 else self.ask_side
        levels.locate(order.price * levels.sign)
        ahead = self.unattributed(levels)
        other = order.previous
        while other >= 0:
            ahead += self.orders.orders[other].size
            other = self.orders.orders[other].previous
        return ahead

    cdef int clear_levels(self) except -1:
        """Empty both sides; the place in the feed is kept."""
        self.bid_side.clear()
        self.ask_side.clear()
        return self.orders.clear()

    cdef int prune(self, BookSide side) except -1:
        """Drop the worst levels beyond `max_levels`, with their orders."""
        cdef Level level
        while side.count > self.max_levels and side.worst(&level):
            side.locate(level.price * side.sign)
            if side.by_order:
                self.drop_orders(side)
            side.erase()
        return 0

    cdef int drop_orders(self, BookSide side) except -1:
        """Forget the orders of the level just located; its total stays."""
        cdef Chain* chain = &side.blocks[side.finger].chains[side.slot]
        cdef int32_t index = chain.head, following
        while index >= 0:
            following = self.orders.orders[index].next
            self.orders.remove(index)
            index = following
        chain.head = -1
        chain.tail = -1
        chain.count = 0
        return 0

    cdef int enqueue(self, int32_t index) except -1:
        """Put a filled-in record at the end of the queue of its level, made if need be."""
        cdef RestingOrder* order = &self.orders.orders[index]
        cdef BookSide levels = self.bid_side if order.side > 0 else self.ask_side
        cdef int64_t key = order.price * levels.sign
        cdef Block* block
        cdef Chain* chain
        if not levels.locate(key):
            levels.insert(key, 0)
        block = levels.blocks[levels.finger]
        if order.size > INT64_MAX - block.sizes[levels.slot]:
            self.orders.remove(index)
            raise OverflowError("the total of a price level leaves the 64-bit range")
        block.sizes[levels.slot] += order.size
        chain = &block.chains[levels.slot]
        order.previous = chain.tail
        order.next = -1
        if chain.tail >= 0:
            self.orders.orders[chain.tail].next = index
        else:
            chain.head = index
        chain.tail = index
        chain.count += 1
        if 0 < self.max_levels < levels.count:
            self.prune(levels)
        return 0

    cdef int take(self, int32_t index, int64_t size) except -1:
        """Take at most `size` off an order, and off its level; unlink it when nothing is left."""
        cdef RestingOrder* order = &self.orders.orders[index]
        cdef BookSide levels = self.bid_side if order.side > 0 else self.ask_side
        cdef int64_t part = min(size, order.size)
        cdef Block* block
        cdef Chain* chain
        assert levels.locate(order.price * levels.sign), "an order without its level"
        block = levels.blocks[levels.finger]
        block.sizes[levels.slot] -= part
        order.size -= part
        if order.size > 0:
            return 0
        chain = &block.chains[levels.slot]
        if order.previous >= 0:
            self.orders.orders[order.previous].next = order.next
        else:
            chain.head = order.next
        if order.next >= 0:
            self.orders.orders[order.next].previous = order.previous
        else:
            chain.tail = order.previous
        chain.count -= 1
        self.orders.remove(index)
        if block.sizes[levels.slot] == 0:
            levels.erase()
        return 0

    cdef int end_event(self) except -1:
        """Note that the rows of an event are complete."""
        self.in_batch = False
        # An empty side reports the worst price thinkable, so it never looks crossed.
        if self.bid_side.best_price() > self.ask_side.best_price():
            self.crossed_count += 1
        return 0

    cdef int note_gap(self) except -1:
        """Mark the book stale, ask for a snapshot and keep what comes from here on."""
        self.gap_count += 1
        self.needs_snapshot = True
        # Before the first snapshot earlier changes may still be newer than it.
        if self.synced:
            self.pending = PendingChanges.__new__(PendingChanges)
        self.is_stale = True
        return 0
