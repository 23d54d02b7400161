"""Ehlers' homodyne discriminator: the dominant cycle of a price, bar by bar.

Source: J. F. Ehlers, Rocket Science for Traders (2001), as TA-Lib reads it: a four-bar weighted
average, a Hilbert transform in four taps whose odd and even bars keep separate memories, and a
period held between 6 and 50 bars.

Where a price runs dead straight the transform works on rounding errors alone and magnifies them.
So the operations are in TA-Lib's order, the running sums of the weighted average included, which
otherwise would be summed afresh; they are, when a price more than 10,000 times theirs leaves.
"""

from libc.math cimport M_PI, atan, fabs
from libc.string cimport memset

cdef enum:
    LONGEST = 50  # bars in the longest cycle


cdef struct Quadrature:
    double slot[2][3]
    double last[2]
    double last_input[2]


cdef struct Cycle:
    Py_ssize_t row       # rows taken
    Py_ssize_t start     # row the transform starts at
    int place            # slot of the transforms' memories
    double price[4]      # the last four prices, oldest first
    double plain         # their sum
    double weighted      # their sum with weights 1 to 4 before `smooth` is taken
    Quadrature detrender
    Quadrature quadrature
    Quadrature advanced_i
    Quadrature advanced_q
    double detrended2[2]  # detrended price of the last bars, by the parity of the bar to use it
    double detrended3[2]
    double i2
    double q2
    double re
    double im
    double period
    double smooth        # weighted average of the price
    double in_phase
    double out_of_phase


cdef inline void cycle_init(Cycle* s, Py_ssize_t start) noexcept nogil:
    memset(s, 0, sizeof(Cycle))
    s.start = start


cdef inline void smooth_step(Cycle* s, double price) noexcept nogil:
    """Average the last four prices with weights 1 to 4."""
    cdef double leaving = s.price[0]
    s.price[0] = s.price[1]
    s.price[1] = s.price[2]
    s.price[2] = s.price[3]
    s.price[3] = price
    s.row += 1
    if s.row <= 3:
        s.plain += price
        s.weighted += price * s.row
        return
    s.plain += price
    s.plain -= leaving
    s.weighted += price * 4.0
    if fabs(leaving) > 1e4 * fabs(s.plain):
        s.plain = s.price[0] + s.price[1] + s.price[2] + price
        s.weighted = s.price[0] + s.price[1] * 2.0 + s.price[2] * 3.0 + price * 4.0
    s.smooth = s.weighted * 0.1
    s.weighted -= s.plain


cdef inline double transform(
    Quadrature* s, int odd, int place, double x, double gain
) noexcept nogil:
    cdef double tap = 0.0962 * x
    cdef double y = tap - s.slot[odd][place] - s.last[odd]
    s.slot[odd][place] = tap
    s.last[odd] = 0.5769 * s.last_input[odd]
    s.last_input[odd] = x
    return (y + s.last[odd]) * gain


cdef inline double next_period(double period, double re, double im) noexcept nogil:
    """The period the phase turns at, within 0.67 to 1.5 of the last and 6 to 50, smoothed."""
    cdef double measured = period
    if im != 0.0 and re != 0.0:
        measured = 360.0 / (atan(im / re) * (180.0 / M_PI))
    if measured > 1.5 * period:
        measured = 1.5 * period
    if measured < 0.67 * period:
        measured = 0.67 * period
    if measured < 6.0:
        measured = 6.0
    elif measured > LONGEST:
        measured = LONGEST
    return 0.2 * measured + 0.8 * period


cdef inline bint cycle_step(Cycle* s, double price) noexcept nogil:
    """Take a price; true once the transform has started and `s.period` follows it."""
    cdef double gain = 0.075 * s.period + 0.54
    cdef double detrended, ji, jq, i2, q2
    cdef int odd = s.row & 1
    smooth_step(s, price)
    if s.row <= s.start:
        return False
    s.in_phase = s.detrended3[odd]
    detrended = transform(&s.detrender, odd, s.place, s.smooth, gain)
    s.out_of_phase = transform(&s.quadrature, odd, s.place, detrended, gain)
    ji = transform(&s.advanced_i, odd, s.place, s.in_phase, gain)
    jq = transform(&s.advanced_q, odd, s.place, s.out_of_phase, gain)
    if not odd:
        s.place = 0 if s.place == 2 else s.place + 1
    s.detrended3[1 - odd] = s.detrended2[1 - odd]
    s.detrended2[1 - odd] = detrended
    q2 = 0.2 * (s.out_of_phase + ji) + 0.8 * s.q2
    i2 = 0.2 * (s.in_phase - jq) + 0.8 * s.i2
    s.re = 0.2 * (i2 * s.i2 + q2 * s.q2) + 0.8 * s.re
    s.im = 0.2 * (i2 * s.q2 - q2 * s.i2) + 0.8 * s.im
    s.q2 = q2
    s.i2 = i2
    s.period = next_period(s.period, s.re, s.im)
    return True
