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


cdef inline void sum_run(Sum* s, const double* x, double* y, Py_ssize_t n) noexcept nogil:
    """Take `n` values; write the sum after each. `y` may be `x`."""
    cdef Sum w = s[0]
    cdef Py_ssize_t i = 0, stop
    while i < n:
        stop = min(n, i + w.n - 1 - w.p)  # the block's end, where sum_step folds it
        while i < stop:
            y[i] = sum_grow(&w, x[i])
            i += 1
        if i < n:
            y[i] = sum_step(&w, x[i])
            i += 1
    s[0] = w


cdef inline void sums_run(
    Sum* s, Sum* t, const double* x, const double* z, double* y, double* w, Py_ssize_t n
) noexcept nogil:
    """Two sums of one length side by side, so that neither waits for the other's additions."""
    cdef Sum a = s[0], b = t[0]
    cdef Py_ssize_t i = 0, stop
    while i < n:
        stop = min(n, i + a.n - 1 - a.p)
        while i < stop:
            y[i] = sum_grow(&a, x[i])
            w[i] = sum_grow(&b, z[i])
            i += 1
        if i < n:
            y[i] = sum_step(&a, x[i])
            w[i] = sum_step(&b, z[i])
            i += 1
    s[0] = a
    t[0] = b


cdef struct Twin:
    Py_ssize_t n
    Py_ssize_t p
    double head[2]
    double* block   # 2n doubles: what Sum holds, of two series in turn


cdef inline void twin_init(Twin* s, double* block, Py_ssize_t n) noexcept nogil:
    s.n = n
    s.p = 0
    s.head[0] = 0.0
    s.head[1] = 0.0
    s.block = block


cdef inline void twin_step(Twin* s, double x, double z, double* sums) noexcept nogil:
    """Take a value of each of two series; write the sums of the last `n` of each."""
    cdef double* slot = s.block + 2 * s.p
    cdef double a, b
    cdef Py_ssize_t _i
    slot[0] = x
    slot[1] = z
    s.p += 1
    if s.p < s.n:
        s.head[0] += x
        s.head[1] += z
        sums[0] = slot[2] + s.head[0]
        sums[1] = slot[3] + s.head[1]
        return
    a = 0.0
    b = 0.0
    for _i in range(s.n):
        a += slot[0]
        b += slot[1]
        slot[0] = a
        slot[1] = b
        slot -= 2
    s.p = 0
    s.head[0] = 0.0
    s.head[1] = 0.0
    sums[0] = a
    sums[1] = b


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


cdef enum:
    FOLD = 256  # values a sum over everything adds up before they join the rest; whole fours


cdef struct Running:
    double total    # sum as far as it fits a double
    double head     # what did not fit, and the values since
    double part     # sum of the last values, fewer than four, that the head does not have yet
    double limit    # values above it would drown the head: they join the total by themselves
    int count       # values in the head and in the part


cdef inline Running running_zero() noexcept nogil:
    cdef Running s
    s.total = 0.0
    s.head = 0.0
    s.part = 0.0
    s.limit = 0.0
    s.count = 0
    return s


cdef inline double two_sum(double* total, double x) noexcept nogil:
    """Add `x`; return exactly what the addition rounded off (Knuth)."""
    cdef double sum = total[0] + x
    cdef double added = sum - total[0]
    cdef double rest = (total[0] - (sum - added)) + (x - added)
    total[0] = sum
    return rest


cdef inline double running_fold(Running* s, double x) noexcept nogil:
    """Take `x` where the head is full or `x` is out of scale with it."""
    s.head = two_sum(&s.total, s.head + s.part)
    s.part = 0.0
    s.count = 0
    if fabs(x) > s.limit:
        s.head += two_sum(&s.total, x)
        s.limit = 2.0 * s.limit if s.limit > 0.0 else 2.0 * fabs(x)
    else:
        s.head += x
    return s.total + s.head


cdef inline double running_grow(Running* s, double x) noexcept nogil:
    """Take `x` where it fits the head."""
    cdef double sum
    s.part += x
    sum = (s.total + s.head) + s.part
    s.count += 1
    if s.count % 4 == 0:
        s.head += s.part
        s.part = 0.0
    return sum


cdef inline double running_step(Running* s, double x) noexcept nogil:
    """Add `x` to a sum over everything; return the sum, right to the last bits.

    Values are added up in a head of a few, which rounds as a few values do and not as their sum;
    what is rounded off when the head joins the total stays in the head. Four at a time join the
    head, so that only one addition in four waits for the one before.
    """
    if s.count == FOLD or fabs(x) > s.limit:
        return running_fold(s, x)
    return running_grow(s, x)


cdef extern from *:
    """
    #ifdef __SSE2__
    #include <emmintrin.h>
    #endif
    /* Whether one of n values lies above the limit or below its negative. maxpd gives its second
       operand where one is NaN: that of two infinities does not hide what came before. */
    static inline int pyrt_exceeds(const double* x, Py_ssize_t n, double limit) {
        Py_ssize_t i = 0;
        int found = 0;
    #ifdef __SSE2__
        const __m128d sign = _mm_set1_pd(-0.0);
        __m128d most = _mm_setzero_pd(), other = most;
        for (; i + 3 < n; i += 4) {
            most = _mm_max_pd(_mm_andnot_pd(sign, _mm_loadu_pd(x + i)), most);
            other = _mm_max_pd(_mm_andnot_pd(sign, _mm_loadu_pd(x + i + 2)), other);
        }
        found = _mm_movemask_pd(_mm_cmpgt_pd(_mm_max_pd(most, other), _mm_set1_pd(limit)));
    #endif
        for (; i < n; i++) found |= fabs(x[i]) > limit;
        return found;
    }
    """
    bint pyrt_exceeds(const double*, Py_ssize_t, double) noexcept nogil


cdef inline Py_ssize_t running_reach(Running* s, const double* x, Py_ssize_t n) noexcept nogil:
    """How many of the next `n` values the head can take before it has to be folded."""
    cdef Py_ssize_t i = 0
    n = min(n, FOLD - s.count)
    if pyrt_exceeds(x, n, s.limit):
        while not fabs(x[i]) > s.limit:
            i += 1
        return i
    return n


cdef inline void running_run(
    Running* s, const double* x, double* y, Py_ssize_t n
) noexcept nogil:
    """Take `n` values; write the sum after each. `y` may be `x`."""
    cdef double head, base, a, b, c, d
    cdef Py_ssize_t i = 0, stop
    while i < n:
        stop = i + running_reach(s, x + i, n - i)
        while i < stop and s.count % 4 != 0:
            y[i] = running_grow(s, x[i])
            i += 1
        head = s.head
        while i + 3 < stop:
            base = s.total + head
            a = x[i]
            b = a + x[i + 1]
            c = b + x[i + 2]
            d = c + x[i + 3]
            head += d
            y[i] = base + a
            y[i + 1] = base + b
            y[i + 2] = base + c
            y[i + 3] = base + d
            s.count += 4
            i += 4
        s.head = head
        while i < stop:
            y[i] = running_grow(s, x[i])
            i += 1
        if i < n:
            y[i] = running_step(s, x[i])
            i += 1


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
