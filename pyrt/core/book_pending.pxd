"""Changes kept while a book waits for a snapshot, to be applied again on top of it."""
cimport cython
from libc.stdint cimport int64_t

cdef struct PendingRow:
    int64_t price
    int64_t size
    int64_t side

cdef struct PendingMessage:
    int64_t sequence
    # What the book must have reached before this message; -1 where the feed does not say.
    int64_t needs
    # Index of the first row.
    Py_ssize_t first


@cython.final
cdef class PendingChanges:
    cdef readonly Py_ssize_t message_count
    cdef readonly Py_ssize_t row_count
    cdef bint full
    cdef PendingMessage* messages
    cdef PendingRow* rows
    cdef Py_ssize_t message_capacity
    cdef Py_ssize_t row_capacity

    cdef int open(self, int64_t sequence, int64_t needs) except -1
    cdef int push(self, int side, int64_t price, int64_t size) except -1
    cdef Py_ssize_t end_of(self, Py_ssize_t message) noexcept
    cdef int clear(self) except -1
    cdef Py_ssize_t nbytes(self) noexcept
