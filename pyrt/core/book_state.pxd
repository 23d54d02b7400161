"""Both sides of a book, its resting orders and where it stands in its feed, for use from C."""
from libc.stdint cimport int32_t, int64_t
from pyrt.core.book_orders cimport OrderStore
from pyrt.core.book_pending cimport PendingChanges
from pyrt.core.book_side cimport BookSide, Level


cdef class BookState:
    cdef readonly str symbol
    """What the book is of; a label only."""
    cdef readonly str level
    """"L1", "L2" or "L3": how much of the book is shown."""
    cdef readonly Py_ssize_t max_levels
    """Levels kept a side; 0 keeps all."""
    cdef readonly int size_decimals
    """Sizes are whole numbers of 10**-size_decimals."""
    cdef readonly BookSide bid_side
    cdef readonly BookSide ask_side
    cdef readonly OrderStore orders

    cdef readonly int64_t sequence
    """Last sequence number applied; 0 while none is known."""
    cdef readonly int64_t ts_event
    """`ts_event` of the last row applied, ns UTC; 0 while none is known."""
    cdef readonly bint is_stale
    """Whether changes were lost since the last snapshot."""
    cdef readonly bint needs_snapshot
    """Whether the feed is asked for a snapshot: set by a gap, cleared by the snapshot."""
    cdef readonly bint in_batch
    """Whether rows of an event are still to come; the book is to be compared only when False."""
    cdef readonly int64_t gap_count
    """Times that the sequence numbers, or the feed itself, said that changes were lost."""
    cdef readonly int64_t snapshot_count
    """Snapshots loaded."""
    cdef readonly int64_t dropped_count
    """Rows left out because the book was already beyond them."""
    cdef readonly int64_t anomaly_count
    """Rows that do not fit the book: an unknown order, an id used twice, too much taken."""
    cdef readonly int64_t crossed_count
    """Events after which the best bid was above the best ask."""

    # Whether a snapshot was ever loaded, the last number is a snapshot's, one is being read,
    # and the message being read is left out.
    cdef bint synced
    cdef bint at_snapshot
    cdef bint in_snapshot
    cdef bint dropping
    # The last snapshot ended with its table, not by a mark: the next table may go on with it.
    cdef bint unended
    # Number of the message being read; 0 when it has none.
    cdef int64_t message
    # Changes since the gap, or since the start, while no snapshot has come; None otherwise.
    cdef PendingChanges pending

    cdef int set_level(self, int side, int64_t price, int64_t size) except -1
    cdef int set_quote(self, int side, int64_t price, int64_t size) except -1
    cdef int add_order(self, int side, int64_t price, int64_t size, int64_t order_id) except -1
    cdef int reduce_order(self, int64_t order_id, int64_t size) except -1
    cdef int delete_order(self, int64_t order_id) except -1
    cdef int modify_order(
        self, int side, int64_t price, int64_t size, int64_t order_id
    ) except -1
    cdef int take_unattributed(self, int side, int64_t price, int64_t size) except -1
    cdef int64_t unattributed(self, BookSide side) noexcept
    cdef int64_t size_ahead(self, int64_t order_id) except -2
    cdef int clear_levels(self) except -1
    cdef int prune(self, BookSide side) except -1
    cdef int drop_orders(self, BookSide side) except -1
    cdef int enqueue(self, int32_t index) except -1
    cdef int take(self, int32_t index, int64_t size) except -1
    cdef int end_event(self) except -1
    cdef int note_gap(self) except -1
