# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""Differences of two moving averages, and what is smoothed of them."""

cimport cython

from pyrt.indicators.base cimport CHUNK, HighLow, Native, OpenClose, Series, whole
from pyrt.indicators.choice cimport average, kind
from pyrt.indicators.smoothing cimport Stage, stage_ema, stage_fold, stage_init, stage_step
from pyrt.indicators.window cimport Sum, sum_init, sum_step


cdef class Convergence(Series):
    """Two exponential averages, their difference and its exponential average."""

    cdef Stage fast
    cdef Stage slow
    cdef Stage signal
    cdef Py_ssize_t wait
    """Rows the fast average lets pass, so that both give their first value on the same row."""

    cdef void setup(
        self, int fast, double fast_weight, int slow, double slow_weight, int signal
    ) noexcept:
        stage_init(&self.fast, fast, fast_weight)
        stage_init(&self.slow, slow, slow_weight)
        stage_ema(&self.signal, signal)
        self.wait = slow - fast

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Stage fast = self.fast, slow = self.slow, signal = self.signal
        cdef const double* a = x[0]
        cdef double* macd = y[0]
        cdef double* smooth = y[1]
        cdef double* histogram = y[2]
        cdef Py_ssize_t i = 0
        cdef double line
        while i < n and signal.count < signal.n:
            if self.wait > 0:
                self.wait = self.wait - 1
            else:
                stage_step(&fast, x[0][i])
            if stage_step(&slow, x[0][i]):
                stage_step(&signal, fast.y - slow.y)
            y[0][i] = fast.y - slow.y
            y[1][i] = signal.y
            y[2][i] = y[0][i] - signal.y
            i += 1
        for i in range(i, n):
            stage_fold(&fast, a[i])
            stage_fold(&slow, a[i])
            line = fast.y - slow.y
            stage_fold(&signal, line)
            macd[i] = line
            smooth[i] = signal.y
            histogram[i] = line - signal.y
        self.fast = fast
        self.slow = slow
        self.signal = signal

    @property
    def macd(self):
        """Fast less slow average."""
        return self.out[0]

    @property
    def macdsignal(self):
        """Exponential average of `macd`."""
        return self.out[1]

    @property
    def macdhist(self):
        """`macd` less `macdsignal`."""
        return self.out[2]


@cython.final
cdef class MACD(Convergence):
    """Moving average convergence and divergence (Appel): `macd`, `macdsignal`, `macdhist`.

    The fast average starts as late as the slow one. The warm-up is `slowperiod` + `signalperiod`
    - 2 rows; periods given the wrong way round are exchanged.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 12 and 26
        Lengths of the averages, 1 to 100,000.
    signalperiod : int, default 9
        Length of the average of their difference.
    """

    def __init__(self, fastperiod=12, slowperiod=26, signalperiod=9):
        cdef int a = whole("fastperiod", fastperiod, 1), b = whole("slowperiod", slowperiod, 1)
        cdef int signal = whole("signalperiod", signalperiod, 1)
        a, b = min(a, b), max(a, b)
        self.begin(
            ("fastperiod", "slowperiod", "signalperiod"),
            (fastperiod, slowperiod, signalperiod),
            b + signal - 2,
            ("macd", "macdsignal", "macdhist"),
        )
        self.setup(a, 2.0 / (a + 1), b, 2.0 / (b + 1), signal)


@cython.final
cdef class MACDFIX(Convergence):
    """`MACD` with periods 12 and 26 and Appel's rounded weights, 0.15 and 0.075.

    The warm-up is 24 + `signalperiod` rows.

    Parameters
    ----------
    signalperiod : int, default 9
        Length of the average of the difference, 1 to 100,000.
    """

    def __init__(self, signalperiod=9):
        cdef int signal = whole("signalperiod", signalperiod, 1)
        self.begin(
            ("signalperiod",), (signalperiod,), 24 + signal, ("macd", "macdsignal", "macdhist")
        )
        self.setup(12, 0.15, 26, 0.075, signal)


cdef class Pair(Series):
    """Two averages of any kind, the shorter one first."""

    cdef Native fast
    cdef Native slow
    cdef Py_ssize_t wait
    """Rows the fast average lets pass to start as late as the slow one (below 0: the slow)."""

    cdef int choose(self, int fast, int fast_kind, int slow, int slow_kind) except -1:
        if fast > slow:
            fast, slow = slow, fast
            fast_kind, slow_kind = slow_kind, fast_kind
        self.fast = average(fast_kind, fast)
        self.slow = average(slow_kind, slow)
        self.wait = 0
        return 0

    cdef Py_ssize_t both(
        self, const double* x, double* fast, double* slow, Py_ssize_t n
    ) noexcept nogil:
        """Fill both columns; return how many leading rows are not defined in both."""
        cdef Py_ssize_t late = min(max(self.wait, 0), n), early = min(max(-self.wait, 0), n)
        cdef Py_ssize_t a, b
        self.wait = self.wait - late + early
        a = late + self.fast.flow(x + late, fast + late, n - late)
        b = early + self.slow.flow(x + early, slow + early, n - early)
        return max(a, b)


@cython.final
cdef class MACDEXT(Pair):
    """`MACD` with a choice of averages (`matype` as in `MA`).

    Outputs `macd`, `macdsignal`, `macdhist`. The warm-up is the slower average's and then the
    signal's.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 12 and 26
        Lengths of the averages, 1 to 100,000; exchanged, kinds too, if the first is longer.
    fastmatype, slowmatype : int, default 0
        Their kinds.
    signalperiod, signalmatype : int, default 9 and 0
        Length and kind of the average of the difference.
    """

    cdef Native signal

    def __init__(
        self,
        fastperiod=12,
        fastmatype=0,
        slowperiod=26,
        slowmatype=0,
        signalperiod=9,
        signalmatype=0,
    ):
        self.choose(
            whole("fastperiod", fastperiod, 1),
            kind("fastmatype", fastmatype),
            whole("slowperiod", slowperiod, 1),
            kind("slowmatype", slowmatype),
        )
        self.wait = self.slow.lookback - self.fast.lookback
        self.signal = average(
            kind("signalmatype", signalmatype), whole("signalperiod", signalperiod, 1)
        )
        self.begin(
            (
                "fastperiod", "fastmatype", "slowperiod", "slowmatype", "signalperiod",
                "signalmatype",
            ),
            (fastperiod, fastmatype, slowperiod, slowmatype, signalperiod, signalmatype),
            max(self.fast.lookback, self.slow.lookback) + self.signal.lookback,
            ("macd", "macdsignal", "macdhist"),
        )

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double slow[CHUNK]
        cdef Py_ssize_t i, ready = self.both(x[0], y[0], slow, n)
        for i in range(ready, n):
            y[0][i] -= slow[i]
        self.signal.flow(y[0] + ready, y[1] + ready, n - ready)
        for i in range(ready, n):
            y[2][i] = y[0][i] - y[1][i]

    @property
    def macd(self):
        """Fast less slow average."""
        return self.out[0]

    @property
    def macdsignal(self):
        """Average of `macd`."""
        return self.out[1]

    @property
    def macdhist(self):
        """`macd` less `macdsignal`."""
        return self.out[2]


@cython.final
cdef class APO(Pair):
    """Absolute price oscillator: fast less slow moving average.

    The warm-up is the slower average's; periods given the wrong way round are exchanged.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 12 and 26
        Lengths of the averages, 1 to 100,000.
    matype : int, default 1
        Kind of both, as in `MA`.
    """

    def __init__(self, fastperiod=12, slowperiod=26, matype=1):
        cdef int which = kind("matype", matype)
        self.choose(
            whole("fastperiod", fastperiod, 1), which, whole("slowperiod", slowperiod, 1), which
        )
        self.begin(
            ("fastperiod", "slowperiod", "matype"),
            (fastperiod, slowperiod, matype),
            max(self.fast.lookback, self.slow.lookback),
        )

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double slow[CHUNK]
        cdef Py_ssize_t i
        for i in range(self.both(x[0], y[0], slow, n), n):
            y[0][i] -= slow[i]


cdef class Percentage(Pair):
    """Fast less slow average in percent of the slow one."""

    def __init__(self, fastperiod=12, slowperiod=26, matype=1):
        cdef int which = kind("matype", matype)
        self.choose(
            whole("fastperiod", fastperiod, 1), which, whole("slowperiod", slowperiod, 1), which
        )
        self.begin(
            ("fastperiod", "slowperiod", "matype"),
            (fastperiod, slowperiod, matype),
            max(self.fast.lookback, self.slow.lookback),
        )

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double slow[CHUNK]
        cdef Py_ssize_t i
        for i in range(self.both(x[0], y[0], slow, n), n):
            y[0][i] = 100.0 * ((y[0][i] - slow[i]) / slow[i]) if slow[i] != 0.0 else 0.0


@cython.final
cdef class PPO(Percentage):
    """Percentage price oscillator: fast less slow moving average in percent of the slow one.

    0 where the slow average is 0. The warm-up is the slower average's; periods given the wrong
    way round are exchanged.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 12 and 26
        Lengths of the averages, 1 to 100,000.
    matype : int, default 1
        Kind of both, as in `MA`.
    """


@cython.final
cdef class PVO(Percentage):
    """Percentage volume oscillator: `PPO` of volumes.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 12 and 26
        Lengths of the averages, 1 to 100,000.
    matype : int, default 1
        Kind of both, as in `MA`.
    """

    def __cinit__(self):
        self.inputs = ("volume",)


cdef class Median(HighLow):
    """Two simple averages of the bars' middles."""

    cdef Sum fast
    cdef Sum slow

    cdef void middles(
        self, const double* high, const double* low, double* y, Py_ssize_t n
    ) noexcept nogil:
        cdef Sum fast = self.fast, slow = self.slow
        cdef double scale_fast = 1.0 / fast.n, scale_slow = 1.0 / slow.n, middle
        cdef Py_ssize_t i
        for i in range(n):
            middle = (high[i] + low[i]) / 2.0
            y[i] = sum_step(&fast, middle) * scale_fast - sum_step(&slow, middle) * scale_slow
        self.fast = fast
        self.slow = slow


@cython.final
cdef class AO(Median):
    """Awesome oscillator (Williams): fast less slow simple average of the bars' middles.

    The warm-up is `slowperiod - 1` rows.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 5 and 34
        Lengths of the averages, 1 to 100,000.
    """

    def __init__(self, fastperiod=5, slowperiod=34):
        cdef int a = whole("fastperiod", fastperiod, 1), b = whole("slowperiod", slowperiod, 1)
        self.begin(("fastperiod", "slowperiod"), (fastperiod, slowperiod), max(a, b) - 1)
        sum_init(&self.fast, self.reserve(a), a)
        sum_init(&self.slow, self.reserve(b), b)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        self.middles(x[0], x[1], y[0], n)


@cython.final
cdef class AC(Median):
    """Accelerator oscillator (Williams): `AO` less its own simple average.

    The warm-up is `slowperiod` + `signalperiod` - 2 rows.

    Parameters
    ----------
    fastperiod, slowperiod : int, default 5 and 34
        Lengths of the averages, 1 to 100,000.
    signalperiod : int, default 5
        Length of the average of their difference.
    """

    cdef Sum signal
    cdef Py_ssize_t wait

    def __init__(self, fastperiod=5, slowperiod=34, signalperiod=5):
        cdef int a = whole("fastperiod", fastperiod, 1), b = whole("slowperiod", slowperiod, 1)
        cdef int c = whole("signalperiod", signalperiod, 1)
        self.begin(
            ("fastperiod", "slowperiod", "signalperiod"),
            (fastperiod, slowperiod, signalperiod),
            max(a, b) + c - 2,
        )
        sum_init(&self.fast, self.reserve(a), a)
        sum_init(&self.slow, self.reserve(b), b)
        sum_init(&self.signal, self.reserve(c), c)
        self.wait = max(a, b) - 1

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum signal = self.signal
        cdef double scale = 1.0 / signal.n
        cdef Py_ssize_t i, late = min(self.wait, n)
        self.middles(x[0], x[1], y[0], n)
        self.wait = self.wait - late
        for i in range(late, n):
            y[0][i] -= sum_step(&signal, y[0][i]) * scale
        self.signal = signal


@cython.final
cdef class QSTICK(OpenClose):
    """Qstick (Chande): simple average of close less open.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Length of the average, 1 to 100,000.
    """

    cdef Sum window

    def __init__(self, timeperiod=10):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double scale = 1.0 / s.n
        cdef Py_ssize_t i
        for i in range(n):
            y[0][i] = sum_step(&s, x[1][i] - x[0][i]) * scale
        self.window = s


@cython.final
cdef class IMI(OpenClose):
    """Intraday momentum index (Chande): rising bodies in percent of all bodies, 0 to 100.

    50 where every bar closed where it opened. The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 14
        Bars in the window, 1 to 100,000.
    """

    cdef Sum up
    cdef Sum down

    def __init__(self, timeperiod=14):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1)
        sum_init(&self.up, self.reserve(n), n)
        sum_init(&self.down, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum a = self.up, b = self.down
        cdef double body, up, total
        cdef Py_ssize_t i
        for i in range(n):
            body = x[1][i] - x[0][i]
            up = sum_step(&a, body if body > 0.0 else 0.0)
            total = up + sum_step(&b, -body if body < 0.0 else 0.0)
            y[0][i] = 100.0 * (up / total) if total != 0.0 else 50.0
        self.up = a
        self.down = b
