"""Questions about the depth of one side of a book: sums, averages, arrays."""
from libc.stdint cimport INT64_MAX

import numpy as np

from pyrt.core.book_side cimport BookSide, Level
from pyrt.core.int128 cimport i128_add, i128_mul, i128_to_int, int128
from pyrt.core.numbers cimport POWERS_OF_TEN, nano_to_double


cdef double to_float(int64_t size, int size_decimals) noexcept:
    """A size as a float; the quotient of two exact numbers, so the nearest one below 2**53."""
    return <double>size / <double>POWERS_OF_TEN[size_decimals]


cdef object raw_levels(BookSide side, Py_ssize_t n):
    """Return prices and sizes as int64, shape (at most n, 2), best first."""
    cdef Py_ssize_t i = 0
    cdef Level level
    levels = np.empty((min(n, side.count), 2), dtype=np.int64)
    cdef int64_t[:, ::1] out = levels
    cdef bint more = side.best(&level)
    while more and i < out.shape[0]:
        out[i, 0] = level.price
        out[i, 1] = level.size
        i += 1
        more = side.next(&level)
    return levels


cdef object float_levels(BookSide side, Py_ssize_t n, int size_decimals):
    """Return prices and sizes as float64, shape (at most n, 2), best first."""
    cdef Py_ssize_t i = 0
    cdef Level level
    levels = np.empty((min(n, side.count), 2), dtype=np.float64)
    cdef double[:, ::1] out = levels
    cdef bint more = side.best(&level)
    while more and i < out.shape[0]:
        out[i, 0] = nano_to_double(level.price)
        out[i, 1] = to_float(level.size, size_decimals)
        i += 1
        more = side.next(&level)
    return levels


cdef double depth(BookSide side, Py_ssize_t n) noexcept:
    """Sum of the sizes of the best `n` levels, in the book's unit."""
    cdef double total = 0.0
    cdef Level level
    cdef bint more = side.best(&level)
    while more and n > 0:
        total += <double>level.size
        n -= 1
        more = side.next(&level)
    return total


cdef int64_t size_up_to(BookSide side, int64_t price) except -1:
    """Sum of the sizes at `price` and better; OverflowError beyond 64 bits."""
    cdef int64_t total = 0
    cdef Level level
    cdef bint more = side.best(&level)
    while more and level.price * side.sign >= price * side.sign:
        if level.size > INT64_MAX - total:
            raise OverflowError("the depth leaves the 64-bit range")
        total += level.size
        more = side.next(&level)
    return total


cdef object average_price(BookSide side, int64_t size):
    """Return the average price of taking `size`, rounded once; None if the side holds less."""
    cdef int128 notional = 0
    cdef int64_t left = size, part
    cdef Level level
    cdef bint more = side.best(&level)
    while more and left > 0:
        part = min(left, level.size)
        notional = i128_add(notional, i128_mul(level.price, part))
        left -= part
        more = side.next(&level)
    if left > 0:
        return None
    return i128_to_int(notional) / (<object>size * 1_000_000_000)


cdef str ladder(BookSide bids, BookSide asks, Py_ssize_t n, int size_decimals):
    """Draw the best `n` levels of both sides, asks on top."""
    above = float_levels(asks, n, size_decimals)[::-1].tolist()
    below = float_levels(bids, n, size_decimals).tolist()
    rows = [("", f"{price:.12g}", f"{size:.12g}") for price, size in above]
    rows += [(f"{size:.12g}", f"{price:.12g}", "") for price, size in below]
    rows.insert(0, ("bid size", "price", "ask size"))
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(row, widths)).rstrip() for row in rows
    )
