"""Recursive smoothing steps: exponential averages as TA-Lib starts them.

Each average starts from the plain mean of its first `n` values (unstable period 0).
"""


cdef struct Ema:
    Py_ssize_t n     # values in the starting mean
    Py_ssize_t count # values taken, up to n
    double k         # weight of a new value
    double keep      # weight of the old average, 1 - k: one product shorter to wait for than
                     # y + k (x - y), which counts where each row waits for the one before
    double y


cdef inline void ema_init(Ema* s, Py_ssize_t n, double k) noexcept nogil:
    s.n = n
    s.count = 0
    s.k = k
    s.keep = 1.0 - k
    s.y = 0.0


cdef inline bint ema_step(Ema* s, double x) noexcept nogil:
    """Take `x`; true once `s.y` is defined."""
    if s.count >= s.n:
        s.y = x * s.k + s.y * s.keep
        return True
    s.count += 1
    s.y += x
    if s.count < s.n:
        return False
    s.y = s.y / s.n
    return True
