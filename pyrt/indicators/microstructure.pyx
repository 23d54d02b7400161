# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are lengths, or are tested against zero.
"""What quotes and the volume of trades tell: imbalances, fair prices, price impact, toxicity."""

cimport cython
from libc.math cimport M_SQRT1_2, erf, fabs, sqrt

from pyrt.indicators.base cimport CloseVolume, Quotes, whole
from pyrt.indicators.moments cimport (
    Joint, Moments, joint_init, joint_step, moments_init, moments_step,
)
from pyrt.indicators.window cimport Sum, sum_init, sum_step


@cython.final
cdef class MICROPRICE(Quotes):
    """Micro-price: bid and ask weighted by the size on the other side.

    The middle where neither side has size. No warm-up.
    """

    def __init__(self):
        self.begin((), (), 0)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double share, size
        cdef Py_ssize_t i
        for i in range(n):
            size = x[1][i] + x[3][i]
            share = x[1][i] / size if size > 0.0 else 0.5
            y[0][i] = x[0][i] + (x[2][i] - x[0][i]) * share


@cython.final
cdef class BOOKIMBALANCE(Quotes):
    """Book imbalance at the best prices: (bid size - ask size) / (both), -1 to 1.

    0 where neither side has size. No warm-up.
    """

    def __init__(self):
        self.begin((), (), 0)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double size
        cdef Py_ssize_t i
        for i in range(n):
            size = x[1][i] + x[3][i]
            y[0][i] = (x[1][i] - x[3][i]) / size if size > 0.0 else 0.0


@cython.final
cdef class BOOKRATIO(Quotes):
    """Smaller over larger size at the best prices, 0 (one side alone) to 1 (even).

    0 where neither side has size. No warm-up.
    """

    def __init__(self):
        self.begin((), (), 0)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double low, high
        cdef Py_ssize_t i
        for i in range(n):
            low = x[1][i] if x[1][i] < x[3][i] else x[3][i]
            high = x[3][i] if x[1][i] < x[3][i] else x[1][i]
            y[0][i] = low / high if high > 0.0 else 0.0


@cython.final
cdef class SPREAD(Quotes):
    """Quoted spread: outputs `spread`, ask less bid, and `average` over the last quotes.

    The warm-up is `timeperiod - 1` rows.

    Parameters
    ----------
    timeperiod : int, default 100
        Quotes in the average, 1 to 100,000.
    """

    cdef Sum window

    def __init__(self, timeperiod=100):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n - 1, ("spread", "average"))
        sum_init(&self.window, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef Py_ssize_t i
        for i in range(n):
            y[0][i] = x[2][i] - x[0][i]
            y[1][i] = sum_step(&s, y[0][i]) / s.n
        self.window = s

    @property
    def spread(self):
        """Ask less bid, now."""
        return self.out[0]

    @property
    def average(self):
        """Mean of the spread over the window."""
        return self.out[1]


@cython.final
cdef class OFI(Quotes):
    """Order-flow imbalance (Cont, Kukanov, Stoikov): size added at the bid less at the ask.

    A better price counts its whole size, a worse one takes the old size off, an unchanged one
    counts the change; summed over the window. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Changes in the sum, 1 to 100,000.
    """

    cdef Sum window
    cdef double last[4]
    cdef bint started

    def __init__(self, timeperiod=10):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.window, self.reserve(n), n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum s = self.window
        cdef double bid = self.last[0], bids = self.last[1], ask = self.last[2], asks = self.last[3]
        cdef double change
        cdef Py_ssize_t i
        for i in range(n):
            if self.started:
                change = x[1][i] if x[0][i] >= bid else 0.0
                change -= bids if x[0][i] <= bid else 0.0
                change -= x[3][i] if x[2][i] <= ask else 0.0
                change += asks if x[2][i] >= ask else 0.0
                y[0][i] = sum_step(&s, change)
            self.started = True
            bid = x[0][i]
            bids = x[1][i]
            ask = x[2][i]
            asks = x[3][i]
        self.window = s
        self.last[0] = bid
        self.last[1] = bids
        self.last[2] = ask
        self.last[3] = asks


@cython.final
cdef class KYLELAMBDA(CloseVolume):
    """Kyle's lambda: slope of price changes on signed volume, price per unit of volume.

    Volume takes the sign of the price change, or of the last one before it that was not zero (the
    tick rule); 0 where signed volume does not vary. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 50
        Changes in the regression, 2 to 100,000.
    """

    cdef Joint joint
    cdef double last
    cdef double sign
    cdef bint started

    def __init__(self, timeperiod=50):
        cdef int n = whole("timeperiod", timeperiod, 2)
        self.begin(("timeperiod",), (timeperiod,), n)
        joint_init(&self.joint, self.reserve(5 * n), n)
        self.started = False
        self.sign = 0.0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Joint s = self.joint
        cdef double last = self.last, sign = self.sign, move
        cdef Py_ssize_t i
        for i in range(n):
            if self.started:
                move = x[0][i] - last
                sign = 1.0 if move > 0.0 else (-1.0 if move < 0.0 else sign)
                joint_step(&s, sign * x[1][i], move)
                y[0][i] = s.xy / s.xx if s.xx > 0.0 else 0.0
            self.started = True
            last = x[0][i]
        self.joint = s
        self.last = last
        self.sign = sign


@cython.final
cdef class AMIHUD(CloseVolume):
    """Amihud's illiquidity: mean of the absolute return per unit of money traded.

    Returns are simple ones, money is close times volume. Rows without money do not count; 0 over a
    window without any. The warm-up is `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 20
        Returns in the mean, 1 to 100,000.
    """

    cdef Sum ratios
    cdef Sum counted
    cdef double last
    cdef bint started

    def __init__(self, timeperiod=20):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.begin(("timeperiod",), (timeperiod,), n)
        sum_init(&self.ratios, self.reserve(n), n)
        sum_init(&self.counted, self.reserve(n), n)
        self.started = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Sum a = self.ratios, b = self.counted
        cdef double last = self.last, money, total, count
        cdef bint counts
        cdef Py_ssize_t i
        for i in range(n):
            if self.started:
                money = x[0][i] * x[1][i]
                counts = money > 0.0 and last > 0.0
                total = sum_step(&a, fabs(x[0][i] / last - 1.0) / money if counts else 0.0)
                count = sum_step(&b, 1.0 if counts else 0.0)
                y[0][i] = total / count if count > 0.0 else 0.0
            self.started = True
            last = x[0][i]
        self.ratios = a
        self.counted = b
        self.last = last


@cython.final
cdef class VPIN(CloseVolume):
    """Volume-synchronized probability of informed trading, by bulk classification; 0 to 1.

    Of each bar's volume the normal probability of its price change, in standard deviations of the
    last changes, counts as bought: the output is the sum of |bought - sold| over the sum of volume.
    Over bars of equal volume that is the figure of Easley, Lopez de Prado and O'Hara; bars of
    time weigh by their volume. Where prices did not vary a bar counts as even; NaN over a window
    without volume. The warm-up is `timeperiod` + `sigmaperiod` - 1 rows.

    Parameters
    ----------
    timeperiod : int, default 50
        Bars in the sums, 1 to 100,000.
    sigmaperiod : int, default 50
        Price changes in the standard deviation, 2 to 100,000.
    """

    cdef Moments moves
    cdef Sum toxic
    cdef Sum volume
    cdef double last

    def __init__(self, timeperiod=50, sigmaperiod=50):
        cdef int n = whole("timeperiod", timeperiod, 1), m = whole("sigmaperiod", sigmaperiod, 2)
        self.begin(("timeperiod", "sigmaperiod"), (timeperiod, sigmaperiod), n + m - 1)
        moments_init(&self.moves, self.reserve(2 * m), m)
        sum_init(&self.toxic, self.reserve(n), n)
        sum_init(&self.volume, self.reserve(n), n)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Moments s = self.moves
        cdef Sum a = self.toxic, b = self.volume
        cdef double last = self.last, move, share
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            move = x[0][i] - last
            last = x[0][i]
            if row > 0:
                moments_step(&s, move)
            if row >= s.n:
                share = 0.0
                if s.variance > 0.0:
                    share = fabs(erf(move / sqrt(s.variance) * M_SQRT1_2))
                move = sum_step(&a, share * x[1][i])
                y[0][i] = move / sum_step(&b, x[1][i])
            row += 1
        self.moves = s
        self.toxic = a
        self.volume = b
        self.last = last
