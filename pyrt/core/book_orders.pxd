"""The resting orders of a book that is followed order by order, found by their id."""
cimport cython
from libc.stdint cimport int8_t, int32_t, int64_t, uint32_t, uint64_t

cdef struct RestingOrder:
    int64_t order_id
    # In 1e-9.
    int64_t price
    # Units of 10**-size_decimals still resting, > 0.
    int64_t size
    # Neighbors in the queue of its level, -1 at the ends; `next` also links free records.
    int32_t next
    int32_t previous
    # 1 bid, -1 ask.
    int8_t side

cdef struct Slot:
    # Index into `orders`, -1 when the slot is free.
    int32_t index
    # Hash of the id; its low bits are the slot the entry would like to have.
    uint32_t hash


@cython.final
cdef class OrderStore:
    cdef readonly Py_ssize_t count
    """Number of resting orders."""
    cdef RestingOrder* orders
    cdef Py_ssize_t capacity
    cdef Py_ssize_t used
    cdef int32_t free_head
    cdef Slot* slots
    cdef Py_ssize_t mask

    cdef int32_t find(self, int64_t order_id) noexcept
    cdef int32_t insert(self, int64_t order_id) except -1
    cdef void remove(self, int32_t index) noexcept
    cdef int clear(self) except -1
    cdef int grow_orders(self) except -1
    cdef int grow_slots(self) except -1
    cdef void place(self, int32_t index, uint32_t hash) noexcept
    cdef Py_ssize_t nbytes(self) noexcept
