"""The whole state of a book as plain numbers and arrays, and back."""
from libc.stdint cimport int32_t, int64_t

import numpy as np

from pyrt.core.book_pending cimport PendingChanges
from pyrt.core.book_side cimport BookSide, Level
from pyrt.core.book_state cimport BookState

from pyrt.errors import PrecisionError


cdef dict save(BookState book):
    """Return everything `load` needs."""
    return {
        "symbol": book.symbol,
        "level": book.level,
        "max_levels": book.max_levels,
        "size_decimals": book.size_decimals,
        "sequence": book.sequence,
        "ts_event": book.ts_event,
        "is_stale": bool(book.is_stale),
        "needs_snapshot": bool(book.needs_snapshot),
        "in_batch": bool(book.in_batch),
        "gap_count": book.gap_count,
        "snapshot_count": book.snapshot_count,
        "dropped_count": book.dropped_count,
        "anomaly_count": book.anomaly_count,
        "crossed_count": book.crossed_count,
        "synced": bool(book.synced),
        "at_snapshot": bool(book.at_snapshot),
        "in_snapshot": bool(book.in_snapshot),
        "dropping": bool(book.dropping),
        "unended": bool(book.unended),
        "message": book.message,
        "by_order": bool(book.bid_side.by_order),
        "bids": save_side(book, book.bid_side),
        "asks": save_side(book, book.ask_side),
        "orders": save_orders(book),
        "pending": None if book.pending is None else save_pending(book.pending),
    }


cdef int load(BookState book, object saved) except -1:
    """Make `book`, which is empty, what `save` saw."""
    load_side(book.bid_side, saved["bids"], saved["by_order"])
    load_side(book.ask_side, saved["asks"], saved["by_order"])
    book.max_levels = 0
    load_orders(book, saved["orders"])
    book.symbol = saved["symbol"]
    book.level = saved["level"]
    book.max_levels = saved["max_levels"]
    book.size_decimals = saved["size_decimals"]
    book.sequence = saved["sequence"]
    book.ts_event = saved["ts_event"]
    book.is_stale = saved["is_stale"]
    book.needs_snapshot = saved["needs_snapshot"]
    book.in_batch = saved["in_batch"]
    book.gap_count = saved["gap_count"]
    book.snapshot_count = saved["snapshot_count"]
    book.dropped_count = saved["dropped_count"]
    book.anomaly_count = saved["anomaly_count"]
    book.crossed_count = saved["crossed_count"]
    book.synced = saved["synced"]
    book.at_snapshot = saved["at_snapshot"]
    book.in_snapshot = saved["in_snapshot"]
    book.dropping = saved["dropping"]
    book.unended = saved["unended"]
    book.message = saved["message"]
    book.pending = None if saved["pending"] is None else load_pending(saved["pending"])
    return 0


cdef object save_side(BookState book, BookSide side):
    """Return price and unattributed size of the levels that have one, best first."""
    cdef Level level
    cdef bint more = side.best(&level)
    cdef Py_ssize_t n = 0
    cdef int64_t size
    levels = np.empty((side.count, 2), dtype=np.int64)
    cdef int64_t[:, ::1] out = levels
    while more:
        size = level.size
        if side.by_order:
            side.finger = level.block
            side.slot = level.slot
            size = book.unattributed(side)
        if size > 0 or not side.by_order:
            out[n, 0] = level.price
            out[n, 1] = size
            n += 1
        more = side.next(&level)
    return levels[:n].copy()


cdef object save_orders(BookState book):
    """Return id, side, price and size of every order, each queue from its front."""
    cdef Level level
    cdef bint more
    cdef Py_ssize_t n = 0
    cdef int32_t index
    cdef BookSide side
    orders = np.empty((book.orders.count, 4), dtype=np.int64)
    cdef int64_t[:, ::1] out = orders
    for side in (book.bid_side, book.ask_side):
        more = side.by_order and side.best(&level)
        while more:
            index = side.chain(&level).head
            while index >= 0:
                out[n, 0] = book.orders.orders[index].order_id
                out[n, 1] = side.sign
                out[n, 2] = level.price
                out[n, 3] = book.orders.orders[index].size
                n += 1
                index = book.orders.orders[index].next
            more = side.next(&level)
    return orders


cdef tuple save_pending(PendingChanges pending):
    """Return the messages (sequence, needs, first row) and the rows (side, price, size)."""
    cdef Py_ssize_t i
    messages = np.empty((pending.message_count, 3), dtype=np.int64)
    rows = np.empty((pending.row_count, 3), dtype=np.int64)
    cdef int64_t[:, ::1] out = messages
    for i in range(pending.message_count):
        out[i, 0] = pending.messages[i].sequence
        out[i, 1] = pending.messages[i].needs
        out[i, 2] = pending.messages[i].first
    out = rows
    for i in range(pending.row_count):
        out[i, 0] = pending.rows[i].side
        out[i, 1] = pending.rows[i].price
        out[i, 2] = pending.rows[i].size
    return messages, rows, bool(pending.full)


cdef int load_side(BookSide side, const int64_t[:, ::1] levels, bint by_order) except -1:
    cdef Py_ssize_t i
    if by_order:
        side.follow_orders()
    for i in range(levels.shape[0]):
        side.locate(levels[i, 0] * side.sign)
        side.insert(levels[i, 0] * side.sign, levels[i, 1])
    return 0


cdef int load_orders(BookState book, const int64_t[:, ::1] orders) except -1:
    cdef Py_ssize_t i
    for i in range(orders.shape[0]):
        book.add_order(<int>orders[i, 1], orders[i, 2], orders[i, 3], orders[i, 0])
    return 0


cdef PendingChanges load_pending(tuple saved):
    cdef PendingChanges pending = PendingChanges.__new__(PendingChanges)
    cdef const int64_t[:, ::1] messages = saved[0]
    cdef const int64_t[:, ::1] rows = saved[1]
    cdef Py_ssize_t m, r, stop
    for m in range(messages.shape[0]):
        pending.open(messages[m, 0], messages[m, 1])
        stop = messages[m + 1, 2] if m + 1 < messages.shape[0] else rows.shape[0]
        for r in range(messages[m, 2], stop):
            pending.push(<int>rows[r, 0], rows[r, 1], rows[r, 2])
    pending.full = saved[2]
    return pending


def with_decimals(saved, int size_decimals):
    """Return a checkpoint with its sizes in another unit.

    Raises
    ------
    PrecisionError
        If a size is not a whole number of the new unit, or leaves 64 bits.
    """
    scaled = dict(saved, size_decimals=size_decimals)
    shift = size_decimals - saved["size_decimals"]
    for name in ("bids", "asks", "orders"):
        scaled[name] = saved[name].copy()
        scaled[name][:, -1] = _scaled(saved[name][:, -1], shift)
    if saved["pending"] is not None:
        messages, rows, full = saved["pending"]
        rows = rows.copy()
        rows[:, -1] = _scaled(rows[:, -1], shift)
        scaled["pending"] = messages, rows, full
    return scaled


def _scaled(sizes, int shift):
    factor = 10 ** abs(shift)
    if shift >= 0:
        fits = sizes.max(initial=0) < 2**63 // factor
        scaled = sizes * factor
    else:
        fits = not (sizes % factor).any()
        scaled = sizes // factor
    if not fits:
        raise PrecisionError(
            "the sizes of a table and those already in the book fit no common unit",
            remedy="Give the book its size_decimals",
        )
    return scaled
