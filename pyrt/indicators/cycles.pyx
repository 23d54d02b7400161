# distutils: extra_compile_args = -fno-math-errno -fno-trapping-math
# cython: cdivision=True
# Every divisor is a period held above 0 or is tested.
"""Ehlers' cycle indicators: dominant period and phase, sine wave, trend line and trend mode."""

cimport cython
from libc.math cimport M_PI, atan, cos, fabs, sin

from pyrt.indicators.base cimport Series, number
from pyrt.indicators.hilbert cimport LONGEST, Cycle, cycle_init, cycle_step

cdef enum:
    SHORT_START = 12  # rows before the transform where only the period is wanted
    LONG_START = 37   # where the phase or the trend line is: 25 more to fill their windows

cdef double DEGREES = 180.0 / M_PI
cdef double RADIANS = 1.0 / DEGREES
cdef double SINES[51][50]
cdef double COSINES[51][50]


cdef void fill_tables() noexcept:
    """Sines and cosines of i / n turns: what the phase sums would ask for row by row."""
    cdef int i, n
    for n in range(1, LONGEST + 1):
        for i in range(n):
            SINES[n][i] = sin(i * (2.0 * M_PI) / n)
            COSINES[n][i] = cos(i * (2.0 * M_PI) / n)


fill_tables()


cdef struct Dominant:
    Cycle cycle
    double period        # smoothed period
    double phase         # degrees, -45 to 315
    double smooth[50]    # ring of the smoothed price
    double price[50]     # ring of the price
    int place            # of the newest in both
    double level[3]      # the last averages over a period, newest first
    double trend_line


cdef void dominant_init(Dominant* s, Py_ssize_t start) noexcept nogil:
    cdef int i
    cycle_init(&s.cycle, start)
    s.period = 0.0
    s.phase = 0.0
    s.place = LONGEST - 1
    s.trend_line = 0.0
    for i in range(LONGEST):
        s.smooth[i] = 0.0
        s.price[i] = 0.0
    for i in range(3):
        s.level[i] = 0.0


cdef bint dominant_step(Dominant* s, double price) noexcept nogil:
    """Take a price; true once the transform has started."""
    s.place = 0 if s.place == LONGEST - 1 else s.place + 1
    s.price[s.place] = price
    if not cycle_step(&s.cycle, price):
        return False
    s.smooth[s.place] = s.cycle.smooth
    s.period = 0.33 * s.cycle.period + 0.67 * s.period
    return True


cdef void phase_step(Dominant* s) noexcept nogil:
    """Measure where in its cycle the smoothed price stands."""
    cdef int n = <int>(s.period + 0.5), i, place = s.place
    cdef double real = 0.0, imaginary = 0.0
    for i in range(n):
        real += SINES[n][i] * s.smooth[place]
        imaginary += COSINES[n][i] * s.smooth[place]
        place = LONGEST - 1 if place == 0 else place - 1
    if imaginary != 0.0:
        s.phase = atan(real / imaginary) * DEGREES
    elif real < 0.0:
        s.phase -= 90.0
    elif real > 0.0:
        s.phase += 90.0
    s.phase += 90.0
    s.phase += 360.0 / s.period  # the smoothing lags by one bar
    if imaginary < 0.0:
        s.phase += 180.0
    if s.phase > 315.0:
        s.phase -= 360.0


cdef void trend_step(Dominant* s) noexcept nogil:
    """Average the price over one period, which leaves the trend, and smooth that."""
    cdef int n = <int>(s.period + 0.5), _i, place = s.place
    cdef double total = 0.0
    for _i in range(n):
        total += s.price[place]
        place = LONGEST - 1 if place == 0 else place - 1
    if n > 0:
        total = total / n
    s.trend_line = (4.0 * total + 3.0 * s.level[0] + 2.0 * s.level[1] + s.level[2]) / 10.0
    s.level[2] = s.level[1]
    s.level[1] = s.level[0]
    s.level[0] = total


@cython.final
cdef class MAMA(Series):
    """MESA adaptive moving average and its follower (Ehlers): `mama` and `fama`.

    The weight of a new price falls from `fastlimit` to `slowlimit` as the phase of the dominant
    cycle turns faster. The warm-up is 32 rows.

    Parameters
    ----------
    fastlimit : float, default 0.5
        Greatest weight, 0.01 to 0.99.
    slowlimit : float, default 0.05
        Least weight, 0.01 to 0.99.
    """

    cdef Cycle cycle
    cdef double phase
    cdef double fast
    cdef double slow
    cdef double averages[2]

    def __init__(self, fastlimit=0.5, slowlimit=0.05):
        self.fast = number("fastlimit", fastlimit, 0.01, 0.99)
        self.slow = number("slowlimit", slowlimit, 0.01, 0.99)
        self.begin(("fastlimit", "slowlimit"), (fastlimit, slowlimit), 32, ("mama", "fama"))
        cycle_init(&self.cycle, SHORT_START)
        self.phase = 0.0
        self.averages[0] = 0.0
        self.averages[1] = 0.0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef double phase, turn, weight, price
        cdef Py_ssize_t i
        for i in range(n):
            price = x[0][i]
            if cycle_step(&self.cycle, price):
                phase = 0.0
                if self.cycle.in_phase != 0.0:
                    phase = atan(self.cycle.out_of_phase / self.cycle.in_phase) * DEGREES
                turn = self.phase - phase
                self.phase = phase
                weight = self.fast
                if turn > 1.0:
                    weight = self.fast / turn
                    if weight < self.slow:
                        weight = self.slow
                self.averages[0] = weight * price + (1.0 - weight) * self.averages[0]
                weight *= 0.5
                self.averages[1] = weight * self.averages[0] + (1.0 - weight) * self.averages[1]
            y[0][i] = self.averages[0]
            y[1][i] = self.averages[1]

    @property
    def mama(self):
        """The adaptive average."""
        return self.out[0]

    @property
    def fama(self):
        """Its follower, at half the weight."""
        return self.out[1]


@cython.final
cdef class HT_DCPERIOD(Series):
    """Dominant cycle's period in rows (Ehlers), 6 to 50.

    The warm-up is 32 rows.
    """

    cdef Cycle cycle
    cdef double smoothed

    def __init__(self):
        self.begin((), (), 32)
        cycle_init(&self.cycle, SHORT_START)
        self.smoothed = 0.0

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            if cycle_step(&self.cycle, x[0][i]):
                self.smoothed = 0.33 * self.cycle.period + 0.67 * self.smoothed
            y[0][i] = self.smoothed


@cython.final
cdef class HT_PHASOR(Series):
    """Components of the dominant cycle (Ehlers): `inphase` and `quadrature`.

    The warm-up is 32 rows.
    """

    cdef Cycle cycle

    def __init__(self):
        self.begin((), (), 32, ("inphase", "quadrature"))
        cycle_init(&self.cycle, SHORT_START)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            cycle_step(&self.cycle, x[0][i])
            y[0][i] = self.cycle.in_phase
            y[1][i] = self.cycle.out_of_phase

    @property
    def inphase(self):
        """The component in phase with the cycle, in price units."""
        return self.out[0]

    @property
    def quadrature(self):
        """The component a quarter of a cycle away."""
        return self.out[1]


@cython.final
cdef class HT_DCPHASE(Series):
    """Phase of the dominant cycle (Ehlers) in degrees, -45 to 315.

    The warm-up is 63 rows.
    """

    cdef Dominant state

    def __init__(self):
        self.begin((), (), 63)
        dominant_init(&self.state, LONG_START)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            if dominant_step(&self.state, x[0][i]):
                phase_step(&self.state)
            y[0][i] = self.state.phase


@cython.final
cdef class HT_SINE(Series):
    """Sine of the dominant cycle's phase and the same 45 degrees ahead (Ehlers).

    Outputs `sine` and `leadsine`, both -1 to 1. The warm-up is 63 rows.
    """

    cdef Dominant state

    def __init__(self):
        self.begin((), (), 63, ("sine", "leadsine"))
        dominant_init(&self.state, LONG_START)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            if dominant_step(&self.state, x[0][i]):
                phase_step(&self.state)
                y[0][i] = sin(self.state.phase * RADIANS)
                y[1][i] = sin((self.state.phase + 45.0) * RADIANS)

    @property
    def sine(self):
        """Sine of the phase."""
        return self.out[0]

    @property
    def leadsine(self):
        """Sine of the phase 45 degrees ahead."""
        return self.out[1]


@cython.final
cdef class HT_TRENDLINE(Series):
    """Instantaneous trend line (Ehlers): the price averaged over its dominant cycle.

    The warm-up is 63 rows.
    """

    cdef Dominant state

    def __init__(self):
        self.begin((), (), 63)
        dominant_init(&self.state, LONG_START)

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            if dominant_step(&self.state, x[0][i]):
                trend_step(&self.state)
            y[0][i] = self.state.trend_line


@cython.final
cdef class HT_TRENDMODE(Series):
    """Whether the market trends (1) or cycles (0), after Ehlers.

    It cycles for half a period after the sine wave's two lines cross, and while the phase advances
    at about the cycle's rate; a price 1.5 % off the trend line trends. The warm-up is 63 rows.
    """

    cdef Dominant state
    cdef double sines[2]
    cdef double last_phase
    cdef Py_ssize_t days

    def __init__(self):
        self.begin((), (), 63)
        dominant_init(&self.state, LONG_START)
        self.sines[0] = 0.0
        self.sines[1] = 0.0
        self.last_phase = 0.0
        self.days = 0

    cdef double mode(self) noexcept nogil:
        cdef Dominant* s = &self.state
        cdef double sine = sin(s.phase * RADIANS)
        cdef double lead = sin((s.phase + 45.0) * RADIANS)
        cdef double turn = s.phase - self.last_phase, trend = 1.0
        if (sine > lead and self.sines[0] <= self.sines[1]) or (
            sine < lead and self.sines[0] >= self.sines[1]
        ):
            self.days = 0
            trend = 0.0
        self.sines[0] = sine
        self.sines[1] = lead
        self.last_phase = s.phase
        self.days = self.days + 1
        if self.days < 0.5 * s.period:
            trend = 0.0
        if s.period != 0.0 and 0.67 * 360.0 / s.period < turn < 1.5 * 360.0 / s.period:
            trend = 0.0
        if s.trend_line != 0.0 and fabs((s.cycle.smooth - s.trend_line) / s.trend_line) >= 0.015:
            trend = 1.0
        return trend

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil:
        cdef Py_ssize_t i
        for i in range(n):
            if dominant_step(&self.state, x[0][i]):
                phase_step(&self.state)
                trend_step(&self.state)
                y[0][i] = self.mode()
