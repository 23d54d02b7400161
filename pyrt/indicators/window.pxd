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

from libc.math cimport INFINITY, fabs
from libc.string cimport memcpy, memmove


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
    double length    # n, as the factor it is
    double head      # sum of the head
    double ramp      # sum of the head, its newest value with weight n, the one before n - 1, ...
    double* block    # values of the head, then tail sums with weights 1, 2, ...


cdef inline void weighted_init(Weighted* s, double* block, Py_ssize_t n) noexcept nogil:
    s.n = n
    s.p = 0
    s.length = n
    s.head = 0.0
    s.ramp = 0.0
    s.block = block


cdef inline double weighted_grow(Weighted* s, double x) noexcept nogil:
    """Take `x` where it does not complete the block (`s.p < s.n - 1`)."""
    s.block[s.p] = x
    s.ramp += s.length * x - s.head
    s.head += x
    s.p += 1
    return s.block[s.p] + s.ramp


cdef inline double weighted_step(Weighted* s, double x) noexcept nogil:
    """Take `x`; return the sum of the last `n` values with weights 1 (oldest) to n (newest)."""
    cdef double tail, ramp, newer, pair
    cdef Py_ssize_t i
    if s.p < s.n - 1:
        return weighted_grow(s, x)
    s.block[s.p] = x
    tail = 0.0
    ramp = 0.0
    i = s.n - 1
    while i > 0:  # two at a time, as in sum_step
        newer = s.block[i]
        pair = newer + s.block[i - 1]
        s.block[i] = ramp + (tail + newer)
        ramp += 2.0 * tail + (newer + pair)
        s.block[i - 1] = ramp
        tail += pair
        i -= 2
    if i == 0:
        ramp += tail + s.block[0]
        s.block[0] = ramp
    s.p = 0
    s.head = 0.0
    s.ramp = 0.0
    return ramp


cdef struct Peak:
    Py_ssize_t n
    Py_ssize_t p
    double head     # greatest of the head
    double* block   # values of the head, then greatest of each tail of the block before


cdef inline void peak_init(Peak* s, double* block, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    s.n = n
    s.p = 0
    s.head = -INFINITY
    s.block = block
    for i in range(n):
        block[i] = -INFINITY


cdef inline double peak_grow(Peak* s, double x) noexcept nogil:
    """Take `x` where it does not complete the block (`s.p < s.n - 1`)."""
    s.block[s.p] = x
    s.head = x if x > s.head else s.head
    s.p += 1
    return s.block[s.p] if s.block[s.p] > s.head else s.head


cdef inline double peak_step(Peak* s, double x) noexcept nogil:
    """Take `x`; return the greatest of the last `n` values."""
    cdef Py_ssize_t i
    cdef double tail = -INFINITY
    if s.p < s.n - 1:
        return peak_grow(s, x)
    s.block[s.p] = x
    for i in range(s.n - 1, -1, -1):
        tail = s.block[i] if s.block[i] > tail else tail
        s.block[i] = tail
    s.p = 0
    s.head = -INFINITY
    return tail


cdef inline void trough_init(Peak* s, double* block, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    s.n = n
    s.p = 0
    s.head = INFINITY
    s.block = block
    for i in range(n):
        block[i] = INFINITY


cdef inline double trough_grow(Peak* s, double x) noexcept nogil:
    """Take `x` where it does not complete the block (`s.p < s.n - 1`)."""
    s.block[s.p] = x
    s.head = x if x < s.head else s.head
    s.p += 1
    return s.block[s.p] if s.block[s.p] < s.head else s.head


cdef inline double trough_step(Peak* s, double x) noexcept nogil:
    """Take `x`; return the least of the last `n` values."""
    cdef Py_ssize_t i
    cdef double tail = INFINITY
    if s.p < s.n - 1:
        return trough_grow(s, x)
    s.block[s.p] = x
    for i in range(s.n - 1, -1, -1):
        tail = s.block[i] if s.block[i] < tail else tail
        s.block[i] = tail
    s.p = 0
    s.head = INFINITY
    return tail


cdef struct Lag:
    Py_ssize_t n
    Py_ssize_t p
    double* ring    # n doubles


cdef inline void lag_init(Lag* s, double* ring, Py_ssize_t n) noexcept nogil:
    s.n = n
    s.p = 0
    s.ring = ring


cdef inline double lag_step(Lag* s, double x) noexcept nogil:
    """Take `x`; return the value taken `n` steps before it (0 while there is none)."""
    cdef double old = s.ring[s.p]
    s.ring[s.p] = x
    s.p += 1
    if s.p == s.n:
        s.p = 0
    return old


cdef struct Running:
    double total    # sum as far as it fits a double
    double rest     # what did not fit (Knuth's two-sum)


cdef inline double running_step(Running* s, double x) noexcept nogil:
    """Add `x` to a sum over everything; return the sum, right to the last bit or so."""
    cdef double total = s.total + x
    cdef double added = total - s.total
    s.rest += (s.total - (total - added)) + (x - added)  # exactly what the addition rounded off
    s.total = total
    return total + s.rest


cdef struct History:
    Py_ssize_t keep   # values of the past that a window reaches back for
    double* values    # keep + CHUNK doubles: the past, oldest first, then the rows in hand


cdef inline void history_init(History* s, double* memory, Py_ssize_t keep) noexcept nogil:
    s.keep = keep
    s.values = memory


cdef inline void history_join(History* s, const double* x, Py_ssize_t n) noexcept nogil:
    """Put the rows in hand after the past, so that each window is one stretch of memory."""
    memcpy(s.values + s.keep, x, n * sizeof(double))


cdef inline void history_shift(History* s, Py_ssize_t n) noexcept nogil:
    """Let the rows in hand become the past."""
    memmove(s.values, s.values + n, s.keep * sizeof(double))
