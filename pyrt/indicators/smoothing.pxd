"""Recursive smoothing steps: exponential averages as TA-Lib starts them.

Each average starts from the plain mean of its first `n` values (unstable period 0).

Two rows are folded at a time: y[t+2] = keep^2 y[t] + (k keep x[t+1] + k x[t+2]), where the
bracket does not wait for y[t], so the chain of dependent operations is half as long as row by row.
The odd row between is y[t+1] = keep y[t] + k x[t+1].
"""


cdef struct Ema:
    Py_ssize_t n     # values in the starting mean
    Py_ssize_t count  # values taken, up to n
    double k         # weight of a new value
    double keep      # weight of the old average, 1 - k
    double keep2     # its square
    double y
    double base      # the average before the pair in hand
    double part      # k times the first value of the pair in hand
    bint half        # a pair is in hand


cdef inline void ema_init(Ema* s, Py_ssize_t n, double k) noexcept nogil:
    s.n = n
    s.count = 0
    s.keep = 1.0 - k
    s.k = 1.0 - s.keep  # so that the two add up to 1 exactly and a constant stays one
    s.keep2 = s.keep * s.keep
    s.y = 0.0
    s.base = 0.0
    s.part = 0.0
    s.half = False


cdef inline void ema_fold(Ema* s, double x) noexcept nogil:
    """Take `x` once the average has started."""
    if s.half:
        s.base = s.base * s.keep2 + (s.part * s.keep + x * s.k)
        s.y = s.base
        s.half = False
    else:
        s.part = x * s.k
        s.y = s.base * s.keep + s.part
        s.half = True


cdef inline void ema_run(Ema* s, const double* x, double* y, Py_ssize_t n) noexcept nogil:
    """Take `n` values once the average has started; write it after each. `y` may be `x`."""
    cdef double base = s.base, k = s.k, keep = s.keep, keep2 = s.keep2, part
    cdef Py_ssize_t i = 0
    if s.half and n > 0:
        ema_fold(s, x[0])
        y[0] = s.y
        base = s.base
        i = 1
    while i + 1 < n:
        part = x[i] * k
        y[i] = base * keep + part
        base = base * keep2 + (part * keep + x[i + 1] * k)
        y[i + 1] = base
        i += 2
    s.base = base
    if n > 0:
        s.y = y[i - 1] if i > 0 else s.y
    if i < n:
        ema_fold(s, x[i])
        y[i] = s.y


cdef inline bint ema_step(Ema* s, double x) noexcept nogil:
    """Take `x`; true once `s.y` is defined."""
    if s.count >= s.n:
        ema_fold(s, x)
        return True
    s.count += 1
    s.y += x
    if s.count < s.n:
        return False
    s.y = s.y / s.n
    s.base = s.y
    return True


cdef struct Stage:
    Py_ssize_t n     # values in the starting mean
    Py_ssize_t count  # values taken, up to n
    double k
    double keep
    double y


cdef inline void stage_init(Stage* s, Py_ssize_t n, double k) noexcept nogil:
    s.n = n
    s.count = 0
    s.keep = 1.0 - k
    s.k = 1.0 - s.keep  # so that the two add up to 1 exactly and a constant stays one
    s.y = 0.0


cdef inline void stage_ema(Stage* s, Py_ssize_t n) noexcept nogil:
    """An exponential average of length `n`: weight 2 / (n + 1), rounded as TA-Lib rounds it."""
    stage_init(s, n, 1.0 - <double>(n - 1) / <double>(n + 1))


cdef inline void stage_fold(Stage* s, double x) noexcept nogil:
    """Take `x` once the average has started; row by row, for chains whose links overlap anyway."""
    s.y = x * s.k + s.y * s.keep


cdef inline bint stage_step(Stage* s, double x) noexcept nogil:
    """Take `x`; true once `s.y` is defined."""
    if s.count >= s.n:
        stage_fold(s, x)
        return True
    s.count += 1
    s.y += x
    if s.count < s.n:
        return False
    s.y = s.y / s.n
    return True
