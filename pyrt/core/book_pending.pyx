"""Changes kept while a book waits for a snapshot, to be applied again on top of it."""
cimport cython
from libc.stdlib cimport free, realloc

cdef enum:
    # A feed that never sends a snapshot must not grow a second copy of itself; real ones need
    # a few seconds of changes (the busiest capture 1,500 rows a second).
    MOST_ROWS = 65536


@cython.final
@cython.no_gc
cdef class PendingChanges:
    """Messages of by-price changes in order of arrival.

    Beyond 65,536 rows everything is given up: a snapshot older than that leaves a gap, which the
    next message shows.
    """

    def __dealloc__(self):
        free(self.messages)
        free(self.rows)

    cdef int open(self, int64_t sequence, int64_t needs) except -1:
        """Begin a message; the rows pushed next are its own."""
        cdef Py_ssize_t capacity
        cdef void* grown
        if self.full:
            return 0
        if self.message_count == self.message_capacity:
            capacity = max(16, 2 * self.message_capacity)
            grown = realloc(self.messages, capacity * sizeof(PendingMessage))
            if grown == NULL:
                raise MemoryError()
            self.messages = <PendingMessage*>grown
            self.message_capacity = capacity
        self.messages[self.message_count].sequence = sequence
        self.messages[self.message_count].needs = needs
        self.messages[self.message_count].first = self.row_count
        self.message_count += 1
        return 0

    cdef int push(self, int side, int64_t price, int64_t size) except -1:
        """Append a change to the message opened last."""
        cdef Py_ssize_t capacity
        cdef void* grown
        if self.full or self.message_count == 0:
            return 0
        if self.row_count == MOST_ROWS:
            self.clear()
            self.full = True
            return 0
        if self.row_count == self.row_capacity:
            capacity = max(64, 2 * self.row_capacity)
            grown = realloc(self.rows, capacity * sizeof(PendingRow))
            if grown == NULL:
                raise MemoryError()
            self.rows = <PendingRow*>grown
            self.row_capacity = capacity
        self.rows[self.row_count].side = side
        self.rows[self.row_count].price = price
        self.rows[self.row_count].size = size
        self.row_count += 1
        return 0

    cdef Py_ssize_t end_of(self, Py_ssize_t message) noexcept:
        """Index behind the last row of a message."""
        if message + 1 < self.message_count:
            return self.messages[message + 1].first
        return self.row_count

    cdef int clear(self) except -1:
        """Forget everything and give the memory back."""
        free(self.messages)
        free(self.rows)
        self.messages = NULL
        self.rows = NULL
        self.message_count = 0
        self.row_count = 0
        self.message_capacity = 0
        self.row_capacity = 0
        self.full = False
        return 0

    cdef Py_ssize_t nbytes(self) noexcept:
        return (
            self.message_capacity * sizeof(PendingMessage) + self.row_capacity * sizeof(PendingRow)
        )
