"""The order book: one symbol's resting liquidity, by level or by order."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.book_feed cimport BookColumns
from pyrt.core.book_side cimport BookSide
from pyrt.core.book_state cimport BookState


@cython.final
cdef class OrderBook(BookState):
    cdef public object on_gap
    """Called with the book after an `apply` that found changes missing; None for nobody."""
    cdef bint decimals_given

    cdef Py_ssize_t apply_columns(
        self, BookColumns columns, Py_ssize_t start, Py_ssize_t stop
    ) except -1
    cdef Py_ssize_t shown(self, object n) except -1
    cdef int64_t size_of(self, object size) except -1
    cdef int use_decimals(self, int size_decimals) except -1
    cdef BookSide facing(self, object side)
