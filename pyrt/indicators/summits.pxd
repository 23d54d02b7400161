"""The greatest values of the last `n` rows and where they are, in blocks as in `window`."""

from libc.math cimport INFINITY
cimport libc.stdint  # for the C text below
cimport libc.string

from pyrt.indicators.window cimport Peak, peak_grow, peak_step, trough_grow, trough_step


cdef extern from *:
    """
    /* One of two numbers without a branch: which it is, is a coin's throw to the processor. */
    static inline double pyrt_pick(int first, double a, double b) {
        uint64_t mask = -(uint64_t)(first != 0), p, q;
        memcpy(&p, &a, sizeof p);
        memcpy(&q, &b, sizeof q);
        p = (p & mask) | (q & ~mask);
        memcpy(&a, &p, sizeof a);
        return a;
    }
    """
    double pyrt_pick(bint, double, double) noexcept nogil


cdef struct Summit:
    Py_ssize_t n
    Py_ssize_t p
    double length
    double sign       # -1 to look for the least
    double head       # greatest of the head
    double head_row
    double best
    double best_row
    double* block     # 2n doubles: values, or greatest of each tail, then their rows


cdef inline void summit_init(Summit* s, double* block, Py_ssize_t n, double sign) noexcept nogil:
    cdef Py_ssize_t i
    s.n = n
    s.p = 0
    s.length = n
    s.sign = sign
    s.head = -INFINITY
    s.head_row = 0.0
    s.best = -INFINITY
    s.best_row = -1.0
    s.block = block
    for i in range(n):
        block[i] = -INFINITY


cdef inline void summit_step(Summit* s, double value, double row) noexcept nogil:
    """Take a value; set `best_row` to the row of the greatest of the last `n`.

    Of equal values the newest counts when it arrives, and the oldest when the row that counted
    leaves the window: TA-Lib's choice, here without searching the window again.
    """
    cdef double x = value * s.sign, tail, tail_row
    cdef Py_ssize_t i
    s.block[s.p] = x
    s.block[s.n + s.p] = row
    if x > s.head:
        s.head = x
        s.head_row = row
    s.p += 1
    if s.p < s.n:
        tail = s.block[s.p]
        tail_row = s.block[s.n + s.p]
    else:
        tail = -INFINITY
        tail_row = row
        for i in range(s.n - 1, -1, -1):
            if s.block[i] >= tail:
                tail = s.block[i]
                tail_row = s.block[s.n + i]
            s.block[i] = tail
            s.block[s.n + i] = tail_row
        s.p = 0
        s.head = -INFINITY
    if s.best_row <= row - s.length or row < s.length:
        s.best = tail if tail >= s.head else s.head
        s.best_row = tail_row if tail >= s.head else s.head_row
    elif x >= s.best:
        s.best = x
        s.best_row = row


cdef inline void ranges_run(
    Peak* top,
    Peak* bottom,
    const double* high,
    const double* low,
    double* highest,
    double* lowest,
    Py_ssize_t n,
) noexcept nogil:
    """Take `n` rows; write the greatest and the least of each window, both of one length."""
    cdef Peak a = top[0], b = bottom[0]
    cdef Py_ssize_t i = 0, stop
    while i < n:
        stop = min(n, i + a.n - 1 - a.p)
        while i < stop:
            highest[i] = peak_grow(&a, high[i])
            lowest[i] = trough_grow(&b, low[i])
            i += 1
        if i < n:
            highest[i] = peak_step(&a, high[i])
            lowest[i] = trough_step(&b, low[i])
            i += 1
    top[0] = a
    bottom[0] = b


cdef inline double latest_step(Summit* s, double value, double row) noexcept nogil:
    """Take a value; return the row of the greatest of the last `n`, of equal ones the newest."""
    cdef double x = value * s.sign, tail, tail_row
    cdef Py_ssize_t i
    s.block[s.p] = x
    s.block[s.n + s.p] = row
    s.head_row = pyrt_pick(x >= s.head, row, s.head_row)
    s.head = x if x > s.head else s.head
    s.p += 1
    if s.p < s.n:
        return pyrt_pick(s.block[s.p] > s.head, s.block[s.n + s.p], s.head_row)
    tail = -INFINITY
    tail_row = row
    for i in range(s.n - 1, -1, -1):
        tail_row = pyrt_pick(s.block[i] > tail, s.block[s.n + i], tail_row)
        tail = s.block[i] if s.block[i] > tail else tail
        s.block[i] = tail
        s.block[s.n + i] = tail_row
    s.p = 0
    s.head = -INFINITY
    return tail_row
