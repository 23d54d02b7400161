"""Recursive smoothing steps: exponential averages as TA-Lib starts them.

Each average starts from the plain mean of its first `n` values (unstable period 0).

`Ema` folds four rows at a time: y[t+4] = keep^4 y[t] + (k keep^3 x[t+1] + ... + k x[t+4]), where
the bracket does not wait for y[t], so the chain of dependent operations is a quarter as long as row
by row. The rows between are made of the same bracket as far as it has grown.
"""


cdef struct Ema:
    Py_ssize_t n     # values in the starting mean
    Py_ssize_t count  # values taken, up to n
    double k         # weight of a new value
    double keep[4]   # weights of the average 1 to 4 rows old: powers of 1 - k
    double y
    double base      # the average before the rows in hand
    double part      # what the rows in hand add to it
    int rows         # rows in hand, 0 to 3


cdef inline void ema_init(Ema* s, Py_ssize_t n, double k) noexcept nogil:
    s.n = n
    s.count = 0
    s.keep[0] = 1.0 - k
    s.k = 1.0 - s.keep[0]  # so that the two add up to 1 exactly and a constant stays one
    s.keep[1] = s.keep[0] * s.keep[0]
    s.keep[2] = s.keep[1] * s.keep[0]
    s.keep[3] = s.keep[1] * s.keep[1]
    s.y = 0.0
    s.base = 0.0
    s.part = 0.0
    s.rows = 0


cdef inline void ema_fold(Ema* s, double x) noexcept nogil:
    """Take `x` once the average has started."""
    s.part = s.part * s.keep[0] + x * s.k
    s.y = s.base * s.keep[s.rows] + s.part
    s.rows += 1
    if s.rows == 4:
        s.base = s.y
        s.part = 0.0
        s.rows = 0


cdef inline void ema_run(Ema* s, const double* x, double* y, Py_ssize_t n) noexcept nogil:
    """Take `n` values once the average has started; write it after each. `y` may be `x`."""
    cdef double base, k = s.k, k1 = s.keep[0], k2 = s.keep[1], k3 = s.keep[2], k4 = s.keep[3]
    cdef double a, b, c, d
    cdef Py_ssize_t i = 0
    while i < n and s.rows != 0:
        ema_fold(s, x[i])
        y[i] = s.y
        i += 1
    base = s.base
    if i + 3 < n:
        while i + 3 < n:
            a = x[i] * k
            b = a * k1 + x[i + 1] * k
            c = b * k1 + x[i + 2] * k
            d = c * k1 + x[i + 3] * k
            y[i] = base * k1 + a
            y[i + 1] = base * k2 + b
            y[i + 2] = base * k3 + c
            base = base * k4 + d
            y[i + 3] = base
            i += 4
        s.base = base
        s.y = base
    while i < n:
        ema_fold(s, x[i])
        y[i] = s.y
        i += 1


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
