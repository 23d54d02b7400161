"""Questions about the depth of one side of a book: sums, averages, arrays."""
from libc.stdint cimport int64_t
from pyrt.core.book_side cimport BookSide

cdef object raw_levels(BookSide side, Py_ssize_t n)
cdef object float_levels(BookSide side, Py_ssize_t n, int size_decimals)
cdef double depth(BookSide side, Py_ssize_t n) noexcept
cdef int64_t size_up_to(BookSide side, int64_t price) except -1
cdef object average_price(BookSide side, int64_t size)
cdef str ladder(BookSide bids, BookSide asks, Py_ssize_t n, int size_decimals)
cdef double to_float(int64_t size, int size_decimals) noexcept
