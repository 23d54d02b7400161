"""Rows of book events, ready to be applied, and the loops that apply them.

The order of things at a gap: the book goes on taking changes (it is nearer to the truth than a
frozen one) but is stale and asks for a snapshot; changes since the gap are also kept, and those
newer than the snapshot are applied again on top of it. The same holds before the first snapshot.
"""
cimport cython

import numpy as np

from pyrt.core.book_pending cimport PendingChanges
from pyrt.core.book_side cimport BookSide
from pyrt.core.numbers cimport nano_from_double


def nano_column(const double[::1] values):
    """Return the nearest multiples of 1e-9 (ties to even) of finite numbers below 9.2e9, int64."""
    cdef Py_ssize_t i
    raw = np.empty(values.shape[0], dtype=np.int64)
    cdef int64_t[::1] out = raw
    for i in range(values.shape[0]):
        out[i] = nano_from_double(values[i])
    return raw


@cython.final
cdef class BookColumns:
    """Checked columns of book events; `pyrt.core.book_tables.read_table` makes them.

    Parameters
    ----------
    dialect : str
        ``"l2"``, ``"mbo"``, ``"lobster"`` or ``"quotes"``.
    actions, sides, marks : ndarray of int8, int8, uint8, shape (n,)
        `BookAction`; 1 bid, -1 ask, 0 neither; bits of `BookMark`.
    prices, sizes : ndarray of int64, shape (n,)
        In 1e-9 and in units of ``10**-size_decimals``.
    sequences : ndarray of int64, shape (n,) or (0,)
        0 where a row has no number.
    needs : ndarray of int64, shape (n,) or (0,)
        The number the book must have reached before the row's message; -1 where not known.
    order_ids : ndarray of int64, shape (n,) or (0,)
        Needed by ``"mbo"`` and ``"lobster"``.
    ts_events : ndarray of int64, shape (n,) or (0,)
        ns UTC.
    size_decimals : int
        0 to 9.
    has_last : bool
        Whether `marks` holds the ends of messages; otherwise a message ends where the next
        begins or the table ends.

    Raises
    ------
    ValueError
        If the lengths differ.
    """

    def __init__(
        self, str dialect, *, actions, sides, marks, prices, sizes, sequences, needs, order_ids,
        ts_events, int size_decimals, bint has_last
    ):
        self.dialect = dialect
        self.actions = actions
        self.sides = sides
        self.marks = marks
        self.prices = prices
        self.sizes = sizes
        self.sequences = sequences
        self.needs = needs
        self.order_ids = order_ids
        self.ts_events = ts_events
        self.size_decimals = size_decimals
        self.has_last = has_last
        self.count = self.actions.shape[0]
        required = [self.sides.shape[0], self.marks.shape[0], self.prices.shape[0],
                    self.sizes.shape[0]]
        optional = [self.sequences.shape[0], self.needs.shape[0], self.ts_events.shape[0]]
        by_order = dialect in ("mbo", "lobster")
        (required if by_order else optional).append(self.order_ids.shape[0])
        wrong = [n for n in required if n != self.count]
        wrong += [n for n in optional if n not in (0, self.count)]
        if wrong:
            raise ValueError(f"columns of {wrong} rows beside {self.count} actions")
        if self.needs.shape[0] != self.sequences.shape[0]:
            raise ValueError("sequences and needs come together")

    def __len__(self):
        return self.count

    cdef Py_ssize_t apply(self, BookState book, Py_ssize_t start, Py_ssize_t stop) except -1:
        """Apply rows `start` to `stop` and return how many were not dropped."""
        cdef Py_ssize_t applied
        if not 0 <= start <= stop <= self.count:
            raise IndexError(f"rows {start} to {stop} of {self.count}")
        if start == stop:
            return 0
        if self.dialect == "l2":
            applied = apply_by_price(book, self, start, stop)
        elif self.dialect == "quotes":
            applied = apply_quotes(book, self, start, stop)
        else:
            applied = apply_by_order(book, self, start, stop)
        if applied and self.ts_events.shape[0]:
            book.ts_event = self.ts_events[stop - 1]
        if not self.has_last and stop == self.count and book.in_batch:
            if self.dialect == "l2":
                book.unended = book.in_snapshot and not book.dropping
                close_message(book)
            else:
                book.end_event()
        return applied


@cython.boundscheck(False)
cdef Py_ssize_t apply_by_price(
    BookState book, BookColumns rows, Py_ssize_t start, Py_ssize_t stop
) except -1:
    # 0 <= start < stop <= rows.count, and all columns read here have rows.count rows.
    cdef const int8_t* sides = &rows.sides[0]
    cdef const uint8_t* marks = &rows.marks[0]
    cdef const int64_t* prices = &rows.prices[0]
    cdef const int64_t* sizes = &rows.sizes[0]
    cdef BookSide bids = book.bid_side, asks = book.ask_side
    # Nothing but the level changes where no orders are followed and nothing is pruned.
    cdef bint plain = not bids.by_order and book.max_levels == 0
    cdef Py_ssize_t i, dropped = 0
    cdef int mark
    for i in range(start, stop):
        mark = marks[i]
        if mark & FIRST:
            open_message(book, rows, i, mark & SNAPSHOT)
        if book.dropping:
            dropped += 1
        elif not plain:
            book.set_level(sides[i], prices[i], sizes[i])
        elif sides[i] > 0:
            bids.set(prices[i], sizes[i])
        else:
            asks.set(prices[i], sizes[i])
        if book.pending is not None and not book.in_snapshot and not book.dropping:
            book.pending.push(sides[i], prices[i], sizes[i])
        if mark & LAST:
            close_message(book)
    book.dropped_count += dropped
    return stop - start - dropped


cdef int open_message(BookState book, BookColumns rows, Py_ssize_t i, bint snapshot) except -1:
    """Decide what becomes of a by-price message that begins at row `i`."""
    cdef bint numbered = rows.sequences.shape[0] > 0 and rows.sequences[i] > 0
    cdef int64_t sequence = rows.sequences[i] if numbered else 0
    if book.in_batch:
        if numbered and sequence == book.message and snapshot == book.in_snapshot:
            return 0  # one message in two tables
        close_message(book)
    book.in_batch = True
    book.in_snapshot = snapshot
    if book.unended:
        book.unended = False
        if snapshot and numbered and sequence == book.message:
            book.snapshot_count -= 1
            return 0
        if not book.is_stale:
            book.pending = None
    book.message = sequence
    if snapshot:
        return open_snapshot(book, sequence)
    if book.pending is None and (book.is_stale or not book.synced):
        book.pending = PendingChanges.__new__(PendingChanges)
    if not numbered:
        return 0
    if is_behind(book, sequence):
        book.dropping = True
        return 0
    if rows.needs[i] > book.sequence > 0:
        book.note_gap()
    book.sequence = sequence
    book.at_snapshot = False
    if book.pending is not None:
        book.pending.open(sequence, rows.needs[i])
    return 0


cdef inline bint is_behind(BookState book, int64_t sequence) noexcept:
    """Whether the book already holds what a message with this number says."""
    return sequence < book.sequence or (sequence == book.sequence and book.at_snapshot)


cdef int open_snapshot(BookState book, int64_t sequence) except -1:
    """Empty the book for a snapshot, unless a sound book is already beyond it."""
    if book.synced and not book.is_stale and 0 < sequence < book.sequence:
        book.dropping = True
        return 0
    # The same number again without a change between: more of the same snapshot.
    if not (book.at_snapshot and 0 < sequence == book.sequence):
        book.clear_levels()
    book.sequence = sequence
    return 0


cdef int close_message(BookState book) except -1:
    """End the message being read."""
    if book.in_snapshot and not book.dropping:
        finish_snapshot(book, book.message)
    book.in_snapshot = False
    book.dropping = False
    return book.end_event()


cdef int finish_snapshot(BookState book, int64_t sequence) except -1:
    """Bring a snapshot up to date with the changes kept, and trust the book again."""
    cdef PendingChanges pending = book.pending
    cdef Py_ssize_t m, r
    cdef bint whole = True
    book.sequence = sequence
    book.synced = True
    book.at_snapshot = True
    book.snapshot_count += 1
    if pending is not None and sequence > 0:
        for m in range(pending.message_count):
            if is_behind(book, pending.messages[m].sequence):
                continue
            if pending.messages[m].needs > book.sequence:
                whole = False
            for r in range(pending.messages[m].first, pending.end_of(m)):
                book.set_level(
                    <int>pending.rows[r].side, pending.rows[r].price, pending.rows[r].size
                )
            book.sequence = pending.messages[m].sequence
            book.at_snapshot = False
    # A snapshot too old to meet the changes kept leaves the gap open: ask again, keep on keeping.
    book.is_stale = not whole
    book.needs_snapshot = not whole
    if whole and not book.unended:
        book.pending = None
    return 0


@cython.boundscheck(False)
cdef Py_ssize_t apply_by_order(
    BookState book, BookColumns rows, Py_ssize_t start, Py_ssize_t stop
) except -1:
    # 0 <= start < stop <= rows.count; only `sequences` and `needs` may be empty, see `numbered`.
    cdef bint numbered = rows.sequences.shape[0] > 0
    cdef bint drop_repeats = rows.dialect == "lobster"
    cdef Py_ssize_t i, dropped = 0
    cdef int64_t sequence
    cdef int mark
    for i in range(start, stop):
        mark = rows.marks[i]
        if (mark & SNAPSHOT) != 0 and not book.in_snapshot:
            open_order_snapshot(book)
        elif (mark & SNAPSHOT) == 0:
            book.in_snapshot = False
        if numbered and rows.sequences[i] > 0:
            sequence = rows.sequences[i]
            if drop_repeats and 0 < book.sequence and sequence <= book.sequence:
                dropped += 1
                continue
            if rows.needs[i] > book.sequence > 0:
                book.note_gap()
            book.sequence = sequence
        if mark & DOUBTFUL:
            book.note_gap()
        book.in_batch = True
        apply_order_row(book, rows, i)
        if mark & LAST:
            book.end_event()
    book.dropped_count += dropped
    return stop - start - dropped


@cython.boundscheck(False)
cdef int apply_order_row(BookState book, BookColumns rows, Py_ssize_t i) except -1:
    # The caller holds 0 <= i < rows.count.
    cdef int action = rows.actions[i], side = rows.sides[i]
    cdef int64_t price = rows.prices[i], size = rows.sizes[i], order_id = rows.order_ids[i]
    if action == ADD:
        return book.add_order(side, price, size, order_id)
    if action == MODIFY:
        if not book.modify_order(side, price, size, order_id):
            book.anomaly_count += 1
    elif action == REDUCE or action == REMOVE:
        if action == REDUCE:
            if book.reduce_order(order_id, size):
                return 0
        elif book.delete_order(order_id):
            return 0
        if side == 0 or not book.take_unattributed(side, price, size):
            book.anomaly_count += 1
    elif action == CLEAR:
        book.clear_levels()
    return 0


cdef int open_order_snapshot(BookState book) except -1:
    """Empty the book for a snapshot by order and trust it again: the rows behind it follow on."""
    book.clear_levels()
    book.in_snapshot = True
    book.synced = True
    book.snapshot_count += 1
    book.is_stale = False
    book.needs_snapshot = False
    book.pending = None
    return 0


cdef Py_ssize_t apply_quotes(
    BookState book, BookColumns rows, Py_ssize_t start, Py_ssize_t stop
) except -1:
    cdef Py_ssize_t i
    for i in range(start, stop):
        if rows.actions[i] == QUOTE:
            book.set_quote(rows.sides[i], rows.prices[i], rows.sizes[i])
        elif rows.sides[i] > 0:
            book.bid_side.clear()
        else:
            book.ask_side.clear()
        book.in_batch = True
        if rows.marks[i] & LAST:
            if rows.sequences.shape[0]:
                book.sequence = rows.sequences[i]
            book.end_event()
    return (stop - start) // 2
