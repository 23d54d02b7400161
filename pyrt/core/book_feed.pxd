"""Rows of book events, ready to be applied, and the loops that apply them."""
cimport cython
from libc.stdint cimport int8_t, int64_t, uint8_t
from pyrt.core.book_state cimport BookState

cpdef enum BookAction:
    """What one prepared row does to a book."""
    NOTHING = 0
    SET = 1
    ADD = 2
    REDUCE = 3
    REMOVE = 4
    MODIFY = 5
    CLEAR = 6
    QUOTE = 7
    NO_QUOTE = 8

cpdef enum BookMark:
    """Where a row stands in its message; bits."""
    FIRST = 1
    LAST = 2
    SNAPSHOT = 4
    DOUBTFUL = 8


@cython.final
cdef class BookColumns:
    cdef readonly str dialect
    """"l2", "mbo", "lobster" or "quotes"."""
    cdef readonly Py_ssize_t count
    """Rows; a quote is two of them, bid and ask."""
    cdef readonly int size_decimals
    """Sizes are whole numbers of 10**-size_decimals."""
    cdef readonly bint has_last
    """Whether the table says which row is the last of its message."""
    cdef const int8_t[::1] actions
    cdef const int8_t[::1] sides
    cdef const uint8_t[::1] marks
    cdef const int64_t[::1] prices
    cdef const int64_t[::1] sizes
    cdef const int64_t[::1] sequences
    cdef const int64_t[::1] needs
    cdef const int64_t[::1] order_ids
    cdef const int64_t[::1] ts_events

    cdef Py_ssize_t apply(self, BookState book, Py_ssize_t start, Py_ssize_t stop) except -1
