# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Divisors are constants.
"""Lines that trail the price: parabolic SAR, SuperTrend, Chande and Kroll's stops."""

cimport cython

from pyrt.indicators.base cimport HighLow, HighLowClose, number, whole
from pyrt.indicators.ranges cimport true_range, true_ranges
from pyrt.indicators.smoothing cimport Stage, stage_init, stage_step
from pyrt.indicators.window cimport Peak, peak_init, peak_step, trough_init, trough_step


cdef struct Side:
    double start       # acceleration after a reversal
    double step        # added with each new extreme
    double limit       # greatest acceleration
    double factor      # present acceleration


cdef struct Parabola:
    Side rising
    Side falling
    double offset      # share of the stop added on a reversal
    double start       # the first stop; 0: found, above 0: long there, below 0: short there
    bint is_long
    double sign        # 1 long, -1 short
    bint started       # the first bar has been taken
    bint running       # and the second
    double stop        # for the next bar
    double extreme     # furthest price of the present side
    double high
    double low


cdef inline Side side(double start, double step, double limit) noexcept nogil:
    cdef Side s
    s.start = min(start, limit)
    s.step = min(step, limit)
    s.limit = limit
    s.factor = s.start
    return s


cdef inline void parabola_begin(Parabola* s, double high, double low) noexcept nogil:
    """Choose the side on the second bar: long, unless lows fell by more than highs rose."""
    cdef double up = high - s.high, down = s.low - low
    if s.start != 0.0:
        s.is_long = s.start > 0.0
        s.stop = s.start if s.is_long else -s.start
    else:
        s.is_long = not (down > 0.0 and up < down)
        s.stop = s.low if s.is_long else s.high
    s.extreme = high if s.is_long else low
    s.high = high
    s.low = low
    s.running = True


cdef inline void parabola_step(Parabola* s, double high, double low) noexcept nogil:
    """Take a bar; `s.is_long` is the side afterwards. See `parabola_take`."""
    cdef double ceiling = high if high > s.high else s.high
    cdef double bottom = low if low < s.low else s.low
    s.high = high
    s.low = low
    if s.is_long:
        if high > s.extreme:
            s.extreme = high
            s.rising.factor = min(s.rising.factor + s.rising.step, s.rising.limit)
        s.stop = min(s.stop + s.rising.factor * (s.extreme - s.stop), bottom)
    else:
        if low < s.extreme:
            s.extreme = low
            s.falling.factor = min(s.falling.factor + s.falling.step, s.falling.limit)
        s.stop = max(s.stop + s.falling.factor * (s.extreme - s.stop), ceiling)


cdef inline double parabola_take(Parabola* s, double high, double low) noexcept nogil:
    """Take a bar; return its stop."""
    cdef double value, ceiling, bottom
    if not s.running:
        if not s.started:
            s.started = True
            s.high = high
            s.low = low
            return 0.0
        parabola_begin(s, high, low)
        s.sign = 1.0 if s.is_long else -1.0
    ceiling = high if high > s.high else s.high
    bottom = low if low < s.low else s.low
    if s.is_long and low <= s.stop:  # through the stop: short from the furthest high
        s.is_long = False
        s.sign = -1.0
        s.stop = max(s.extreme, ceiling)
        s.stop += s.stop * s.offset
        value = s.stop
        s.falling.factor = s.falling.start
        s.extreme = low
        s.stop = max(s.stop + s.falling.factor * (s.extreme - s.stop), ceiling)
        s.high = high
        s.low = low
    elif not s.is_long and high >= s.stop:
        s.is_long = True
        s.sign = 1.0
        s.stop = min(s.extreme, bottom)
        s.stop -= s.stop * s.offset
        value = s.stop
        s.rising.factor = s.rising.start
        s.extreme = high
        s.stop = min(s.stop + s.rising.factor * (s.extreme - s.stop), bottom)
        s.high = high
        s.low = low
    else:
        value = s.stop
        parabola_step(s, high, low)
    return value


@cython.final
cdef class SAR(HighLow):
    """Parabolic stop and reverse (Wilder).

    The stop moves towards the furthest price by a factor that grows with each new extreme, never
    into the last two bars. The warm-up is 1 row; the side is long at first unless lows fell by more
    than highs rose.

    Parameters
    ----------
    acceleration : float, default 0.02
        First factor, and what each new extreme adds, 0 to 3e37.
    maximum : float, default 0.2
        Greatest factor, 0 to 3e37.
    """

    cdef Parabola state

    def __init__(self, acceleration=0.02, maximum=0.2):
        cdef double step = number("acceleration", acceleration, 0.0, 3e37)
        cdef double limit = number("maximum", maximum, 0.0, 3e37)
        self.begin(("acceleration", "maximum"), (acceleration, maximum), 1)
        self.state.rising = side(step, step, limit)
        self.state.falling = side(step, step, limit)
        self.state.offset = 0.0
        self.state.start = 0.0
        self.state.started = False
        self.state.running = False

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Parabola s = self.state
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = parabola_take(&s, high[i], low[i])
        self.state = s


@cython.final
cdef class SAREXT(HighLow):
    """Parabolic stop and reverse with settings for each side; negative on the short side.

    The warm-up is 1 row.

    Parameters
    ----------
    startvalue : float, default 0.0
        First stop: 0 finds it as `SAR` does, above 0 is a long one, below 0 a short one.
    offsetonreverse : float, default 0.0
        Share of the stop it is moved out by on a reversal.
    accelerationinitlong, accelerationlong, accelerationmaxlong : float
        First factor, step and greatest factor of the long side; default 0.02, 0.02, 0.2.
    accelerationinitshort, accelerationshort, accelerationmaxshort : float
        The same of the short side.
    """

    cdef Parabola state

    def __init__(
        self,
        startvalue=0.0,
        offsetonreverse=0.0,
        accelerationinitlong=0.02,
        accelerationlong=0.02,
        accelerationmaxlong=0.2,
        accelerationinitshort=0.02,
        accelerationshort=0.02,
        accelerationmaxshort=0.2,
    ):
        self.state.start = number("startvalue", startvalue, -3e37, 3e37)
        self.state.offset = number("offsetonreverse", offsetonreverse, 0.0, 3e37)
        self.state.rising = side(
            number("accelerationinitlong", accelerationinitlong, 0.0, 3e37),
            number("accelerationlong", accelerationlong, 0.0, 3e37),
            number("accelerationmaxlong", accelerationmaxlong, 0.0, 3e37),
        )
        self.state.falling = side(
            number("accelerationinitshort", accelerationinitshort, 0.0, 3e37),
            number("accelerationshort", accelerationshort, 0.0, 3e37),
            number("accelerationmaxshort", accelerationmaxshort, 0.0, 3e37),
        )
        self.state.started = False
        self.state.running = False
        self.begin(
            (
                "startvalue", "offsetonreverse", "accelerationinitlong", "accelerationlong",
                "accelerationmaxlong", "accelerationinitshort", "accelerationshort",
                "accelerationmaxshort",
            ),
            (
                startvalue, offsetonreverse, accelerationinitlong, accelerationlong,
                accelerationmaxlong, accelerationinitshort, accelerationshort,
                accelerationmaxshort,
            ),
            1,
        )

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Parabola s = self.state
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef double* o = y[0]
        cdef Py_ssize_t i
        for i in range(n):
            o[i] = parabola_take(&s, high[i], low[i])
            o[i] *= s.sign
        self.state = s


cdef struct Ribbon:
    double upper
    double lower
    bint banded
    bint rising


cdef inline void ribbon_step(
    Ribbon* s, double middle, double span, double close, double before
) noexcept nogil:
    """Move the bands towards the price, or let them jump where the last close was beyond."""
    cdef double upper = middle + span, lower = middle - span
    if not s.banded:
        s.banded = True
        s.upper = upper
        s.lower = lower
        return
    s.upper = upper if upper < s.upper or before > s.upper else s.upper
    s.lower = lower if lower > s.lower or before < s.lower else s.lower
    s.rising = close >= s.lower if s.rising else close > s.upper


@cython.final
cdef class SUPERTREND(HighLowClose):
    """SuperTrend: a line `multiplier` average true ranges from the bars' middles.

    Outputs `supertrend` and `trend`, 1 (up: the line is the lower band) or -1 (down: the upper
    band). A band only moves towards the price, until a close beyond it. Up at first. The warm-up is
    `timeperiod` rows.

    Parameters
    ----------
    timeperiod : int, default 10
        Length of Wilder's average of true ranges, 1 to 100,000.
    multiplier : float, default 3.0
        Average true ranges from the middle, at least 0.
    """

    cdef Stage average
    cdef double width
    cdef double last
    cdef Ribbon ribbon
    cdef bint started

    def __init__(self, timeperiod=10, multiplier=3.0):
        cdef int n = whole("timeperiod", timeperiod, 1)
        self.width = number("multiplier", multiplier, 0.0, 3e37)
        self.begin(
            ("timeperiod", "multiplier"), (timeperiod, multiplier), n, ("supertrend", "trend")
        )
        stage_init(&self.average, n, 1.0 / n)
        self.started = False
        self.ribbon.banded = False
        self.ribbon.rising = True

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef const double* high = x[0]
        cdef const double* low = x[1]
        cdef const double* close = x[2]
        cdef double* o = y[0]
        cdef double* turn = y[1]
        cdef Stage average = self.average
        cdef Ribbon s = self.ribbon
        cdef double before = self.last, span
        cdef Py_ssize_t i = 0
        self.last = true_ranges(high, low, close, before, o, n)
        if not self.started:
            self.started = True
            before = close[0]
            i = 1
        for i in range(i, n):
            if stage_step(&average, o[i]):
                span = self.width * average.y
                ribbon_step(&s, (high[i] + low[i]) * 0.5, span, close[i], before)
                o[i] = s.lower if s.rising else s.upper
                turn[i] = 1.0 if s.rising else -1.0
            before = close[i]
        self.average = average
        self.ribbon = s

    @property
    def supertrend(self):
        """The line."""
        return self.out[0]

    @property
    def trend(self):
        """1 up, -1 down."""
        return self.out[1]


@cython.final
cdef class CKSTOP(HighLowClose):
    """Chande Kroll stop: outputs `longstop`, below a high, and `shortstop`, above a low.

    `longstop` is the greatest over `stopperiod` rows of the highest high less `multiplier` average
    true ranges, `shortstop` the least of the lowest low plus as many, both over `atrperiod` bars.
    The warm-up is `atrperiod` + `stopperiod` - 1 rows.

    Parameters
    ----------
    atrperiod : int, default 10
        Bars in the range and length of Wilder's average of true ranges, 1 to 100,000.
    multiplier : float, default 1.0
        Average true ranges, at least 0.
    stopperiod : int, default 9
        Rows the stops hold, 1 to 100,000.
    """

    cdef Stage average
    cdef Peak high
    cdef Peak low
    cdef Peak longs
    cdef Peak shorts
    cdef double width
    cdef double last

    def __init__(self, atrperiod=10, multiplier=1.0, stopperiod=9):
        cdef int n = whole("atrperiod", atrperiod, 1), m = whole("stopperiod", stopperiod, 1)
        self.width = number("multiplier", multiplier, 0.0, 3e37)
        self.begin(
            ("atrperiod", "multiplier", "stopperiod"),
            (atrperiod, multiplier, stopperiod),
            n + m - 1,
            ("longstop", "shortstop"),
        )
        stage_init(&self.average, n, 1.0 / n)
        peak_init(&self.high, self.reserve(n), n)
        trough_init(&self.low, self.reserve(n), n)
        peak_init(&self.longs, self.reserve(m), m)
        trough_init(&self.shorts, self.reserve(m), m)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double high, low, span
        cdef Py_ssize_t i, row = self.seen
        for i in range(n):
            high = peak_step(&self.high, x[0][i])
            low = trough_step(&self.low, x[1][i])
            if row > 0 and stage_step(&self.average, true_range(x[0][i], x[1][i], self.last)):
                span = self.width * self.average.y
                y[0][i] = peak_step(&self.longs, high - span)
                y[1][i] = trough_step(&self.shorts, low + span)
            self.last = x[2][i]
            row += 1

    @property
    def longstop(self):
        """Where a long position stops out."""
        return self.out[0]

    @property
    def shortstop(self):
        """Where a short position stops out."""
        return self.out[1]
