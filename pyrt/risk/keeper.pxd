"""What a risk engine is set up from, is changed by, and is kept as over a restart."""
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.orders cimport Order
from pyrt.risk.claims cimport Claim
from pyrt.risk.overseer cimport Overseer
from pyrt.risk.verdicts cimport Verdicts

cdef class Keeper(Overseer):
    cdef readonly Verdicts verdicts
    cdef list unpriced
    """`Claim`s of orders that were adopted before there was a price for them."""
    cdef dict ranges
    """Symbol → average true range, as stated."""
    cdef Order judged
    """The order approved last, until it is sent."""
    cdef int64_t risk_every
    """Distance in ns at which the monitor's prices were taken."""

    cdef int adopt(self, Order order, int64_t now) except -1
    cdef int price_anew(self) except -1
    cdef int64_t price_of(self, Order order) except? -2
    cdef int note_resting(self, Claim claim, int64_t limit) except -1
    cdef int delay_ramp(self, share) except -1
    cdef int count_units(self, Instrument instrument, int64_t units) except -1
