"""One side of a book: its price levels in sorted blocks, the best price last."""
cimport cython
from libc.stdint cimport int32_t, int64_t

cdef enum:
    BLOCK_LEVELS = 64

cdef struct Chain:
    # The orders of one level, first in, first out: indices into the order store, -1 for none.
    int32_t head
    int32_t tail
    int32_t count

cdef struct Block:
    Py_ssize_t count
    # price * sign, ascending, so that the best level of either side comes last.
    int64_t[64] keys
    # Total shown at the level, in units of 10**-size_decimals.
    int64_t[64] sizes
    # Allocated only on a side that follows single orders (`by_order`).
    Chain[64] chains

cdef struct Level:
    # A place in the walk from the best level outwards; a change of the side ends the walk.
    int64_t price
    int64_t size
    Py_ssize_t block
    Py_ssize_t slot


@cython.final
cdef class BookSide:
    cdef readonly int sign
    """1 for bids, -1 for asks."""
    cdef readonly Py_ssize_t count
    """Number of levels."""
    cdef readonly bint by_order
    """Whether levels carry chains of orders."""
    cdef Py_ssize_t n_blocks
    cdef Py_ssize_t capacity
    cdef int64_t* firsts
    cdef Block** blocks
    # Where `locate` found, or would put, the key it was last asked for.
    cdef Py_ssize_t finger
    cdef Py_ssize_t slot

    cdef int64_t set(self, int64_t price, int64_t size) except -1
    cdef int set_only(self, int64_t price, int64_t size) except -1
    cdef bint locate(self, int64_t key) noexcept
    cdef int insert(self, int64_t key, int64_t size) except -1
    cdef int erase(self) except -1
    cdef int clear(self) except -1
    cdef int64_t size_at(self, int64_t price) noexcept
    cdef int64_t best_price(self) noexcept
    cdef bint best(self, Level* level) noexcept
    cdef bint worst(self, Level* level) noexcept
    cdef bint next(self, Level* level) noexcept
    cdef Chain* chain(self, const Level* level) noexcept
    cdef int follow_orders(self) except -1
    cdef int copy_from(self, BookSide other) except -1
    cdef Py_ssize_t nbytes(self) noexcept
    cdef int check(self) except -1
    cdef size_t block_bytes(self) noexcept
    cdef Block* new_block(self) except NULL
    cdef int insert_block(self, Py_ssize_t at, Block* block) except -1
    cdef void remove_block(self, Py_ssize_t at) noexcept
    cdef int split(self) except -1
    cdef void merge(self, Py_ssize_t at) noexcept
