"""The resting orders of a book that is followed order by order, found by their id.

Records live in one block and are linked by index; an open hash table with linear probing leads
from the id to the record. Ids are spread by a multiplication, so nothing depends on addresses.
"""
cimport cython
from libc.stdlib cimport free, malloc, realloc

cdef enum:
    FEWEST_SLOTS = 64


cdef inline uint32_t hash_of(int64_t order_id) noexcept:
    return <uint32_t>((<uint64_t>order_id * <uint64_t>0x9E3779B97F4A7C15) >> 32)


@cython.final
@cython.no_gc
cdef class OrderStore:
    """Orders by id; `BookState` keeps their queues.

    Invariant of the raw pointers: `used` <= `capacity` records were ever handed out, the slots are
    a power of two (`mask` + 1), at most half of them taken, so that every probe ends.
    """

    def __cinit__(self):
        self.free_head = -1

    def __dealloc__(self):
        free(self.orders)
        free(self.slots)

    cdef int32_t find(self, int64_t order_id) noexcept:
        """Index of the order, -1 if it is not resting."""
        cdef uint32_t hash
        cdef Py_ssize_t at
        cdef Slot slot
        if self.count == 0:
            return -1
        hash = hash_of(order_id)
        at = hash & self.mask
        while True:
            slot = self.slots[at]
            if slot.index < 0:
                return -1
            if slot.hash == hash and self.orders[slot.index].order_id == order_id:
                return slot.index
            at = (at + 1) & self.mask

    cdef int32_t insert(self, int64_t order_id) except -1:
        """Make a record for an id that is not there; the caller fills in the rest."""
        cdef int32_t index
        if self.slots == NULL or 2 * (self.count + 1) > self.mask + 1:
            self.grow_slots()
        if self.free_head >= 0:
            index = self.free_head
            self.free_head = self.orders[index].next
        else:
            if self.used == self.capacity:
                self.grow_orders()
            index = <int32_t>self.used
            self.used += 1
        self.orders[index].order_id = order_id
        self.orders[index].next = -1
        self.orders[index].previous = -1
        self.place(index, hash_of(order_id))
        self.count += 1
        return index

    cdef void remove(self, int32_t index) noexcept:
        """Forget a record; later entries of its probe run move up, so no tombstone is left."""
        cdef Py_ssize_t hole = hash_of(self.orders[index].order_id) & self.mask
        cdef Py_ssize_t at, home
        while self.slots[hole].index != index:
            hole = (hole + 1) & self.mask
        at = hole
        while True:
            at = (at + 1) & self.mask
            if self.slots[at].index < 0:
                break
            home = self.slots[at].hash & self.mask
            if ((at - home) & self.mask) >= ((at - hole) & self.mask):
                self.slots[hole] = self.slots[at]
                hole = at
        self.slots[hole].index = -1
        self.orders[index].next = self.free_head
        self.free_head = index
        self.count -= 1

    cdef int clear(self) except -1:
        """Forget all orders and give their memory back."""
        free(self.orders)
        free(self.slots)
        self.orders = NULL
        self.slots = NULL
        self.capacity = 0
        self.used = 0
        self.count = 0
        self.mask = 0
        self.free_head = -1
        return 0

    cdef int grow_orders(self) except -1:
        cdef Py_ssize_t capacity = 2 * self.capacity if self.capacity else FEWEST_SLOTS // 2
        if capacity > 0x7FFFFFFF:
            raise OverflowError("more than two thousand million resting orders")
        cdef RestingOrder* orders = <RestingOrder*>realloc(
            self.orders, capacity * sizeof(RestingOrder)
        )
        if orders == NULL:
            raise MemoryError()
        self.orders = orders
        self.capacity = capacity
        return 0

    cdef int grow_slots(self) except -1:
        cdef Slot* old = self.slots
        cdef Py_ssize_t old_size = self.mask + 1 if old != NULL else 0
        cdef Py_ssize_t size = 2 * old_size if old_size else FEWEST_SLOTS
        cdef Py_ssize_t i
        cdef Slot* slots = <Slot*>malloc(size * sizeof(Slot))
        if slots == NULL:
            raise MemoryError()
        for i in range(size):
            slots[i].index = -1
        self.slots = slots
        self.mask = size - 1
        for i in range(old_size):
            if old[i].index >= 0:
                self.place(old[i].index, old[i].hash)
        free(old)
        return 0

    cdef void place(self, int32_t index, uint32_t hash) noexcept:
        cdef Py_ssize_t at = hash & self.mask
        while self.slots[at].index >= 0:
            at = (at + 1) & self.mask
        self.slots[at].index = index
        self.slots[at].hash = hash

    cdef Py_ssize_t nbytes(self) noexcept:
        """Bytes held by records and table."""
        cdef Py_ssize_t slots = self.mask + 1 if self.slots != NULL else 0
        return self.capacity * sizeof(RestingOrder) + slots * sizeof(Slot)
