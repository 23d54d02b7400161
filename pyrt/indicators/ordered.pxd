"""The last `n` values in order of size, beside their order of arrival."""

from libc.string cimport memmove


cdef struct Ordered:
    Py_ssize_t n
    Py_ssize_t count  # values held, up to n
    Py_ssize_t p      # of the oldest in `ring`
    double* ring
    double* ranked    # ascending


cdef inline void ordered_init(Ordered* s, double* memory, Py_ssize_t n) noexcept nogil:
    s.n = n
    s.count = 0
    s.p = 0
    s.ring = memory
    s.ranked = memory + n


cdef inline Py_ssize_t ordered_below(Ordered* s, double x) noexcept nogil:
    """How many of the values are less than `x`; the halving has no branch to guess."""
    cdef Py_ssize_t base = 0, size = s.count, half
    if size == 0:
        return 0
    while size > 1:
        half = size // 2
        base += half if s.ranked[base + half - 1] < x else 0
        size -= half
    return base + (1 if s.ranked[base] < x else 0)


cdef inline void ordered_step(Ordered* s, double x) noexcept nogil:
    """Take `x` in place of the value taken `n` steps before it."""
    cdef Py_ssize_t gone, place = ordered_below(s, x)
    if s.count < s.n:
        memmove(s.ranked + place + 1, s.ranked + place, (s.count - place) * sizeof(double))
        s.count += 1
    else:
        gone = ordered_below(s, s.ring[s.p])
        if gone < place:
            place -= 1
            memmove(s.ranked + gone, s.ranked + gone + 1, (place - gone) * sizeof(double))
        else:
            memmove(s.ranked + place + 1, s.ranked + place, (gone - place) * sizeof(double))
    s.ranked[place] = x
    s.ring[s.p] = x
    s.p = s.p + 1 if s.p + 1 < s.n else 0
