"""The kernel's one input record, and a queue of them."""
cimport cython
from libc.stdlib cimport free, malloc
from libc.string cimport memset


cdef void clear_event(Event* event) noexcept:
    memset(event, 0, sizeof(Event))
    event.instrument = -1
    event.stream = -1
    event.order = -1


@cython.final
cdef class EventQueue:
    """First in, first out, in one growing ring of records."""

    def __cinit__(self):
        self.capacity = 64
        self.items = <Event*>malloc(self.capacity * sizeof(Event))
        if self.items == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.items)

    def __len__(self):
        return self.count

    cdef Event* push(self) except NULL:
        """Return a cleared record at the tail; valid until the next push."""
        if self.count == self.capacity:
            self.grow()
        cdef Py_ssize_t at = self.head + self.count
        if at >= self.capacity:
            at -= self.capacity
        self.count += 1
        clear_event(&self.items[at])
        return &self.items[at]

    cdef Event* insert(self, int64_t ts_init) except NULL:
        """Return a cleared record behind all that are not later; valid until the next one."""
        cdef Py_ssize_t i, mask
        self.push()
        mask = self.capacity - 1
        i = self.count - 1
        while i > 0 and self.items[(self.head + i - 1) & mask].ts_init > ts_init:
            self.items[(self.head + i) & mask] = self.items[(self.head + i - 1) & mask]
            i -= 1
        clear_event(&self.items[(self.head + i) & mask])
        return &self.items[(self.head + i) & mask]

    cdef bint pop(self, Event* into) noexcept:
        """Copy the head out; False when there is none."""
        if self.count == 0:
            return False
        into[0] = self.items[self.head]
        self.head += 1
        if self.head == self.capacity:
            self.head = 0
        self.count -= 1
        return True

    cdef int clear(self) except -1:
        self.head = 0
        self.count = 0
        return 0

    cdef int grow(self) except -1:
        cdef Py_ssize_t i, size = self.capacity * 2
        cdef Event* items = <Event*>malloc(size * sizeof(Event))
        if items == NULL:
            raise MemoryError
        for i in range(self.count):
            items[i] = self.items[(self.head + i) & (self.capacity - 1)]
        free(self.items)
        self.items = items
        self.capacity = size
        self.head = 0
        return 0
