"""One side of a book: its price levels in sorted blocks, the best price last.

A level is found by a branch-free binary search over the blocks' first keys and then inside one
block; the last block used is tried first, because the rows of a message come sorted by price.
An insertion moves at most one block's levels. `docs/decisions/0010-order-book-structure.md` has
the structures this was measured against.
"""
cimport cython
from libc.stdint cimport INT64_MAX, INT64_MIN
from libc.stdlib cimport free, malloc, realloc
from libc.string cimport memcpy, memmove


cdef extern from *:
    """
    /* Index of the last of n >= 1 ascending keys that is <= key, 0 if none is. Written so that the
       compiler moves conditionally or adds: the outcome of a comparison is as good as random. */
    static inline Py_ssize_t pyrt_last_not_above(const int64_t *keys, Py_ssize_t n, int64_t key) {
        const int64_t *base = keys;
        Py_ssize_t eighth = 0, rest = 0;
        while (n > 64) {
            Py_ssize_t half = n >> 1;
            base = base[half] <= key ? base + half : base;
            n -= half;
        }
        for (Py_ssize_t i = 8; i < n; i += 8) eighth += base[i] <= key;
        base += 8 * eighth;
        n = n - 8 * eighth < 8 ? n - 8 * eighth : 8;
        for (Py_ssize_t i = 1; i < n; i++) rest += base[i] <= key;
        return base - keys + rest;
    }
    /* The same in a block of 64 keys, those behind its last level being INT64_MAX: first by every
       eighth key, then among eight. More comparisons than halving makes, but none waits for
       another, nor for the cache line that another one fetches. */
    static inline Py_ssize_t pyrt_find_in_block(const int64_t *keys, int64_t key) {
        Py_ssize_t eighth = 0, rest = 0;
        for (int i = 8; i < 64; i += 8) eighth += keys[i] <= key;
        keys += 8 * eighth;
        for (int i = 1; i < 8; i++) rest += keys[i] <= key;
        return 8 * eighth + rest;
    }
    """
    Py_ssize_t last_not_above "pyrt_last_not_above" (
        const int64_t* keys, Py_ssize_t n, int64_t key
    ) noexcept
    Py_ssize_t find_in_block "pyrt_find_in_block" (const int64_t* keys, int64_t key) noexcept


cdef inline void pad(Block* block) noexcept:
    """Put INT64_MAX behind the last level, as `find_in_block` needs."""
    cdef Py_ssize_t s
    for s in range(block.count, BLOCK_LEVELS):
        block.keys[s] = INT64_MAX


@cython.final
@cython.no_gc
cdef class BookSide:
    """Price levels of one side, at C speed; `OrderBook` is the public face.

    Prices are int64 in 1e-9, sizes int64 in the book's unit. The raw pointers below are used
    under one invariant, which `check` tests: 0 <= n_blocks <= capacity, every block holds 1 to 64
    levels and INT64_MAX in the keys behind, `firsts[b]` is `blocks[b].keys[0]` and keys ascend
    over all blocks.
    """

    def __cinit__(self, int sign):
        self.sign = sign
        self.capacity = 8
        self.firsts = <int64_t*>malloc(self.capacity * sizeof(int64_t))
        self.blocks = <Block**>malloc(self.capacity * sizeof(Block*))
        if self.firsts == NULL or self.blocks == NULL:
            raise MemoryError()

    def __dealloc__(self):
        cdef Py_ssize_t b
        if self.blocks != NULL:
            for b in range(self.n_blocks):
                free(self.blocks[b])
        free(self.blocks)
        free(self.firsts)

    cdef bint locate(self, int64_t key) noexcept:
        """Point `finger` and `slot` at `key`, or at where it belongs; True if it is there."""
        cdef Py_ssize_t b = self.finger, s
        cdef Block* block
        if self.n_blocks == 0:
            self.finger = 0
            self.slot = 0
            return False
        if b >= self.n_blocks or self.firsts[b] > key or (
            b + 1 < self.n_blocks and self.firsts[b + 1] <= key
        ):
            b = last_not_above(self.firsts, self.n_blocks, key)
            self.finger = b
        block = self.blocks[b]
        s = find_in_block(block.keys, key)
        if block.keys[s] == key:
            self.slot = s
            return True
        self.slot = s + (block.keys[s] < key)
        return False

    cdef int64_t set(self, int64_t price, int64_t size) except -1:
        """Make `size` the total at `price` (0 removes the level); return the total before."""
        cdef int64_t key = price * self.sign, before
        cdef Block* block
        if self.locate(key):
            block = self.blocks[self.finger]
            before = block.sizes[self.slot]
            if size > 0:
                block.sizes[self.slot] = size
            else:
                self.erase()
            return before
        if size > 0:
            self.insert(key, size)
        return 0

    cdef int set_only(self, int64_t price, int64_t size) except -1:
        """Make this the only level, whatever its size: the top of book as a quote states it."""
        if self.count != 1:
            self.clear()
            self.finger = 0
            self.slot = 0
            return self.insert(price * self.sign, size)
        self.firsts[0] = price * self.sign
        self.blocks[0].keys[0] = self.firsts[0]
        self.blocks[0].sizes[0] = size
        return 0

    cdef int insert(self, int64_t key, int64_t size) except -1:
        """Insert at `finger` and `slot`, where `locate` has just missed `key`."""
        cdef Block* block
        cdef Py_ssize_t s, rest
        if self.n_blocks == 0:
            self.insert_block(0, self.new_block())
        elif self.blocks[self.finger].count == BLOCK_LEVELS:
            self.split()
        block = self.blocks[self.finger]
        s = self.slot
        rest = block.count - s
        memmove(block.keys + s + 1, block.keys + s, rest * sizeof(int64_t))
        memmove(block.sizes + s + 1, block.sizes + s, rest * sizeof(int64_t))
        block.keys[s] = key
        block.sizes[s] = size
        if self.by_order:
            memmove(block.chains + s + 1, block.chains + s, rest * sizeof(Chain))
            block.chains[s].head = -1
            block.chains[s].tail = -1
            block.chains[s].count = 0
        if s == 0:
            self.firsts[self.finger] = key
        block.count += 1
        self.count += 1
        return 0

    cdef int erase(self) except -1:
        """Remove the level at `finger` and `slot`, where `locate` has just found it."""
        cdef Py_ssize_t b = self.finger, s = self.slot
        cdef Block* block = self.blocks[b]
        cdef Py_ssize_t rest = block.count - s - 1
        memmove(block.keys + s, block.keys + s + 1, rest * sizeof(int64_t))
        memmove(block.sizes + s, block.sizes + s + 1, rest * sizeof(int64_t))
        if self.by_order:
            memmove(block.chains + s, block.chains + s + 1, rest * sizeof(Chain))
        block.count -= 1
        block.keys[block.count] = INT64_MAX
        self.count -= 1
        if block.count == 0:
            self.remove_block(b)
            return 0
        self.firsts[b] = block.keys[0]
        # Merging only when both fit three quarters of a block keeps the cost of a split and of a
        # merge apart by at least 16 changes, and the blocks on average half full.
        if block.count < 16:
            if b + 1 < self.n_blocks and block.count + self.blocks[b + 1].count <= 48:
                self.merge(b)
            elif b > 0 and block.count + self.blocks[b - 1].count <= 48:
                self.merge(b - 1)
        return 0

    cdef int clear(self) except -1:
        """Remove all levels; the directory keeps its room."""
        cdef Py_ssize_t b
        for b in range(self.n_blocks):
            free(self.blocks[b])
        self.n_blocks = 0
        self.count = 0
        self.finger = 0
        self.slot = 0
        return 0

    cdef int64_t size_at(self, int64_t price) noexcept:
        """Total shown at `price`; 0 where there is no level."""
        if self.locate(price * self.sign):
            return self.blocks[self.finger].sizes[self.slot]
        return 0

    cdef int64_t best_price(self) noexcept:
        """The best price, or the worst one thinkable when the side is empty."""
        cdef Block* block
        if self.n_blocks == 0:
            return INT64_MIN + 1 if self.sign > 0 else -(INT64_MIN + 1)
        block = self.blocks[self.n_blocks - 1]
        return block.keys[block.count - 1] * self.sign

    cdef bint best(self, Level* level) noexcept:
        """Start a walk at the best level; False when the side is empty."""
        level.block = self.n_blocks
        level.slot = 0
        return self.next(level)

    cdef bint worst(self, Level* level) noexcept:
        """Read the level furthest from the touch; False when the side is empty."""
        if self.n_blocks == 0:
            return False
        level.block = 0
        level.slot = 1
        return self.next(level)

    cdef bint next(self, Level* level) noexcept:
        """Step to the next worse level; False behind the last."""
        cdef Block* block
        if level.slot == 0:
            if level.block == 0:
                return False
            level.block -= 1
            level.slot = self.blocks[level.block].count
        block = self.blocks[level.block]
        level.slot -= 1
        level.price = block.keys[level.slot] * self.sign
        level.size = block.sizes[level.slot]
        return True

    cdef Chain* chain(self, const Level* level) noexcept:
        """The orders of a level of a side that is `by_order`."""
        return &self.blocks[level.block].chains[level.slot]

    cdef int follow_orders(self) except -1:
        """Give every level an empty chain, from now on."""
        cdef Py_ssize_t b, s
        cdef Block* block
        if self.by_order:
            return 0
        self.by_order = True
        for b in range(self.n_blocks):
            block = <Block*>realloc(self.blocks[b], self.block_bytes())
            if block == NULL:
                raise MemoryError()
            self.blocks[b] = block
            for s in range(block.count):
                block.chains[s].head = -1
                block.chains[s].tail = -1
                block.chains[s].count = 0
        return 0

    cdef int copy_from(self, BookSide other) except -1:
        """Take over the levels of `other`, without its orders."""
        cdef Py_ssize_t b
        cdef Block* block
        self.clear()
        self.by_order = False
        for b in range(other.n_blocks):
            block = self.new_block()
            memcpy(block, other.blocks[b], self.block_bytes())
            self.insert_block(b, block)
        self.count = other.count
        return 0

    cdef size_t block_bytes(self) noexcept:
        if self.by_order:
            return sizeof(Block)
        return sizeof(Block) - BLOCK_LEVELS * sizeof(Chain)

    cdef Py_ssize_t nbytes(self) noexcept:
        """Bytes held by the levels and their directory."""
        return self.n_blocks * self.block_bytes() + self.capacity * (
            sizeof(int64_t) + sizeof(Block*)
        )

    cdef Block* new_block(self) except NULL:
        cdef Block* block = <Block*>malloc(self.block_bytes())
        if block == NULL:
            raise MemoryError()
        block.count = 0
        pad(block)
        return block

    cdef int insert_block(self, Py_ssize_t at, Block* block) except -1:
        cdef Py_ssize_t rest = self.n_blocks - at
        cdef int64_t* firsts
        cdef Block** blocks
        if self.n_blocks == self.capacity:
            firsts = <int64_t*>realloc(self.firsts, 2 * self.capacity * sizeof(int64_t))
            if firsts != NULL:
                self.firsts = firsts
            blocks = <Block**>realloc(self.blocks, 2 * self.capacity * sizeof(Block*))
            if blocks != NULL:
                self.blocks = blocks
            if firsts == NULL or blocks == NULL:
                free(block)
                raise MemoryError()
            self.capacity *= 2
        memmove(self.firsts + at + 1, self.firsts + at, rest * sizeof(int64_t))
        memmove(self.blocks + at + 1, self.blocks + at, rest * sizeof(Block*))
        self.blocks[at] = block
        self.firsts[at] = block.keys[0]
        self.n_blocks += 1
        return 0

    cdef void remove_block(self, Py_ssize_t at) noexcept:
        cdef Py_ssize_t rest = self.n_blocks - at - 1
        free(self.blocks[at])
        memmove(self.firsts + at, self.firsts + at + 1, rest * sizeof(int64_t))
        memmove(self.blocks + at, self.blocks + at + 1, rest * sizeof(Block*))
        self.n_blocks -= 1

    cdef int split(self) except -1:
        """Make room in the full block at `finger`, keeping `slot` the place of insertion."""
        cdef Block* low = self.blocks[self.finger]
        cdef Block* high = self.new_block()
        cdef Py_ssize_t keep = BLOCK_LEVELS // 2
        # A snapshot arrives in price order: growing at an end leaves full blocks behind.
        if self.slot == 0:
            keep = BLOCK_LEVELS // 8
        elif self.slot == BLOCK_LEVELS:
            keep = BLOCK_LEVELS - BLOCK_LEVELS // 8
        high.count = BLOCK_LEVELS - keep
        memcpy(high.keys, low.keys + keep, high.count * sizeof(int64_t))
        memcpy(high.sizes, low.sizes + keep, high.count * sizeof(int64_t))
        if self.by_order:
            memcpy(high.chains, low.chains + keep, high.count * sizeof(Chain))
        self.insert_block(self.finger + 1, high)
        low.count = keep
        pad(low)
        if self.slot > keep:
            self.finger += 1
            self.slot -= keep
        return 0

    cdef void merge(self, Py_ssize_t at) noexcept:
        """Append block `at` + 1 to block `at`, which has room."""
        cdef Block* low = self.blocks[at]
        cdef Block* high = self.blocks[at + 1]
        memcpy(low.keys + low.count, high.keys, high.count * sizeof(int64_t))
        memcpy(low.sizes + low.count, high.sizes, high.count * sizeof(int64_t))
        if self.by_order:
            memcpy(low.chains + low.count, high.chains, high.count * sizeof(Chain))
        low.count += high.count
        self.remove_block(at + 1)

    cdef int check(self) except -1:
        """Raise AssertionError where the invariant above is broken."""
        cdef Py_ssize_t b, s, total = 0
        cdef int64_t previous = INT64_MIN
        cdef Block* block
        for b in range(self.n_blocks):
            block = self.blocks[b]
            assert 1 <= block.count <= BLOCK_LEVELS and self.firsts[b] == block.keys[0]
            for s in range(block.count):
                assert block.keys[s] > previous and block.sizes[s] >= 0
                previous = block.keys[s]
            for s in range(block.count, BLOCK_LEVELS):
                assert block.keys[s] == INT64_MAX
            total += block.count
        assert total == self.count
        return 0
