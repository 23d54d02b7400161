"""Second moments and regressions over the last `n` values, from blocks as in `window`.

The sums are of deviations from a value that lies inside the window (the last of the block before),
so what cancels between them is at most `n` times the result: no digits are lost to the price
level, and nothing a value did is left behind when it leaves.
"""

from libc.string cimport memset


cdef struct Moments:
    Py_ssize_t n
    Py_ssize_t p
    double scale     # 1 / n
    double shift     # last value of the block before
    double head1     # sum of the head's deviations
    double head2     # sum of their squares
    double mean
    double variance  # of the window, divided by n
    double* block    # 2n doubles: values or tail sums, then tail sums of squares


cdef inline void moments_init(Moments* s, double* block, Py_ssize_t n) noexcept nogil:
    memset(s, 0, sizeof(Moments))
    s.n = n
    s.scale = 1.0 / n
    s.block = block


cdef inline void moments_step(Moments* s, double x) noexcept nogil:
    """Take `x`; set the mean and the variance of the last `n` values."""
    cdef double d = x - s.shift, one, two
    cdef Py_ssize_t i
    s.block[s.p] = x
    s.p += 1
    if s.p < s.n:
        s.head1 += d
        s.head2 += d * d
        one = s.head1 + s.block[s.p]
        two = s.head2 + s.block[s.n + s.p]
    else:
        s.shift = x
        one = 0.0
        two = 0.0
        for i in range(s.n - 1, -1, -1):
            d = s.block[i] - x
            one += d
            two += d * d
            s.block[i] = one
            s.block[s.n + i] = two
        s.p = 0
        s.head1 = 0.0
        s.head2 = 0.0
    one *= s.scale
    two = two * s.scale - one * one
    s.mean = s.shift + one
    s.variance = two if two > 0.0 else 0.0


cdef struct Joint:
    Py_ssize_t n
    Py_ssize_t p
    double shift[2]
    double head[5]   # sums of x, y, x x, y y, x y over the head's deviations
    double xx        # n times the sum of squares about the mean
    double yy
    double xy
    double* block    # 5n doubles


cdef inline void joint_init(Joint* s, double* block, Py_ssize_t n) noexcept nogil:
    memset(s, 0, sizeof(Joint))
    s.n = n
    s.block = block


cdef inline void joint_add(double* sums, double x, double y) noexcept nogil:
    sums[0] += x
    sums[1] += y
    sums[2] += x * x
    sums[3] += y * y
    sums[4] += x * y


cdef inline void joint_step(Joint* s, double x, double y) noexcept nogil:
    """Take a pair; set `xx`, `yy` and `xy` of the last `n` pairs."""
    cdef double total[5]
    cdef double* slot = s.block + 5 * s.p
    cdef Py_ssize_t i
    cdef int k
    slot[0] = x
    slot[1] = y
    s.p += 1
    if s.p < s.n:
        joint_add(s.head, x - s.shift[0], y - s.shift[1])
        slot += 5
        for k in range(5):
            total[k] = s.head[k] + slot[k]
    else:
        s.shift[0] = x
        s.shift[1] = y
        for k in range(5):
            total[k] = 0.0
            s.head[k] = 0.0
        for i in range(s.n - 1, -1, -1):
            slot = s.block + 5 * i
            joint_add(total, slot[0] - x, slot[1] - y)
            for k in range(5):
                slot[k] = total[k]
        s.p = 0
    s.xx = s.n * total[2] - total[0] * total[0]
    s.yy = s.n * total[3] - total[1] * total[1]
    s.xy = s.n * total[4] - total[0] * total[1]


cdef struct Line:
    Py_ssize_t n
    Py_ssize_t p
    double length
    double shift
    double head      # sum of the head's deviations
    double ramp      # the same, its newest with weight n, the one before n - 1, ...
    double factor    # 12 / (n (n^2 - 1))
    double total     # sum of the window's deviations
    double slope
    double* block    # 2n doubles: values or tail sums, then tail sums with weights 1, 2, ...


cdef inline void line_init(Line* s, double* block, Py_ssize_t n) noexcept nogil:
    memset(s, 0, sizeof(Line))
    s.n = n
    s.length = n
    s.factor = 12.0 / (s.length * (s.length * s.length - 1.0))
    s.block = block


cdef inline void line_step(Line* s, double x) noexcept nogil:
    """Take `x`; set the least-squares slope per row of the last `n` values."""
    cdef double d = x - s.shift, total, ramp
    cdef Py_ssize_t i
    s.block[s.p] = x
    s.p += 1
    if s.p < s.n:
        s.ramp += s.length * d - s.head
        s.head += d
        total = s.head + s.block[s.p]
        ramp = s.ramp + s.block[s.n + s.p]
    else:
        s.shift = x
        total = 0.0
        ramp = 0.0
        for i in range(s.n - 1, -1, -1):
            total += s.block[i] - x
            ramp += total
            s.block[i] = total
            s.block[s.n + i] = ramp
        s.p = 0
        s.head = 0.0
        s.ramp = 0.0
    s.slope = (ramp - total * (0.5 * (s.length + 1.0))) * s.factor
    s.total = total


cdef inline double line_at(Line* s, double row) noexcept nogil:
    """The line's height `row` rows after the window's first."""
    return s.shift + s.total / s.length + s.slope * (row - 0.5 * (s.length - 1.0))
