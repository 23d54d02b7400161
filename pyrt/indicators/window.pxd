"""Sums over the last `n` values that never drift: every one is a fresh sum of its window.

A running total that adds the newest value and subtracts the oldest keeps the rounding error of
every value it ever held: after one spike it stays wrong for good. Here the series is cut into
blocks of `n` values. A window is a tail of the last block and a head of the present one: the tails
are summed once, when a block is complete, the head grows by one value a row, and the window is the
sum of the two. So there are two additions a row (amortized), nothing is ever subtracted, and a
value that has left the window has left no trace.

The block's memory holds the head's values in its slots [0, p) and the tails' sums in [p, n): slot
`p` is the sum over the last `n - p` values of the block before.
"""

cimport cython


cdef struct Sum:
    Py_ssize_t n    # length of the window
    Py_ssize_t p    # values in the head
    double head     # sum of the head
    double* block   # n doubles


cdef inline void sum_init(Sum* s, double* block, Py_ssize_t n) noexcept nogil:
    s.n = n
    s.p = 0
    s.head = 0.0
    s.block = block


cdef inline double sum_grow(Sum* s, double x) noexcept nogil:
    """Take `x` where it does not complete the block (`s.p < s.n - 1`)."""
    s.block[s.p] = x
    s.head += x
    s.p += 1
    return s.block[s.p] + s.head


cdef inline double sum_step(Sum* s, double x) noexcept nogil:
    """Take `x`; return the sum of the last `n` values (of all, while there are fewer)."""
    cdef double tail, pair, triple, four
    cdef Py_ssize_t i
    if s.p < s.n - 1:
        return sum_grow(s, x)
    s.block[s.p] = x
    tail = 0.0
    i = s.n - 1
    while i > 2:  # four at a time: so only one addition in eight waits for the last
        pair = s.block[i] + s.block[i - 1]
        triple = pair + s.block[i - 2]
        four = pair + (s.block[i - 2] + s.block[i - 3])
        s.block[i] += tail
        s.block[i - 1] = tail + pair
        s.block[i - 2] = tail + triple
        tail += four
        s.block[i - 3] = tail
        i -= 4
    while i >= 0:
        tail += s.block[i]
        s.block[i] = tail
        i -= 1
    s.p = 0
    s.head = 0.0
    return tail


cdef struct Weighted:
    Py_ssize_t n
    Py_ssize_t p
    double head      # sum of the head
    double ramp      # sum of the head with weights 1, 2, ..., p
    double* block    # 2n doubles: values or tail sums, then tail sums with weights 1, 2, ...


cdef inline void weighted_init(Weighted* s, double* block, Py_ssize_t n) noexcept nogil:
    s.n = n
    s.p = 0
    s.head = 0.0
    s.ramp = 0.0
    s.block = block


cdef inline double weighted_step(Weighted* s, double x) noexcept nogil:
    """Take `x`; return the sum of the last `n` values with weights 1 (oldest) to n (newest)."""
    cdef double tail, ramp
    cdef Py_ssize_t i
    s.block[s.p] = x
    s.p += 1
    s.head += x
    s.ramp += s.p * x
    if s.p < s.n:
        return s.block[s.n + s.p] + s.ramp + (s.n - s.p) * s.head
    tail = 0.0
    ramp = 0.0
    for i in range(s.n - 1, -1, -1):
        tail += s.block[i]
        ramp += tail
        s.block[i] = tail
        s.block[s.n + i] = ramp
    s.p = 0
    s.head = 0.0
    s.ramp = 0.0
    return ramp
