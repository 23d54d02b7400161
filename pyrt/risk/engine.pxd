"""The risk engine: one gate with all controls, states, breaker, stops and record of verdicts."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport OrderDesk
from pyrt.core.positions cimport Position
from pyrt.risk.assessor cimport Assessor
from pyrt.risk.claims cimport Book, Claim
from pyrt.risk.stops cimport ProtectiveStops
from pyrt.risk.verdicts cimport Verdicts

@cython.final
cdef class RiskEngine(Assessor):
    cdef readonly ProtectiveStops stops
    cdef readonly Verdicts verdicts
    cdef readonly object ramp_from
    """Day on which the ramp began, as days since 1970; None before the first order."""
    cdef readonly object ramp_share
    """Share of sizes and exposures that applies; None without a ramp."""
    cdef Cache cache
    cdef Clock clock
    cdef OrderDesk desk
    cdef list strategies
    cdef bint is_on
    """Something is limited or restricted, so orders have to be weighed."""
    cdef Order judged
    """The order approved last, until it is sent."""
    cdef Py_ssize_t round_trips_seen
    cdef Py_ssize_t openings_seen
    cdef bint flattening

    cdef int look(self) except -1
    cdef int begin(self, int64_t now) except -1
    cdef int roll_day(self, int64_t day) except -1
    cdef int note(self, Order order, int64_t now, str reason) except -1
    cdef str deny(self, Order order, int64_t now, str reason)
    cdef Claim adopt(self, Order order, int64_t now)
    cdef int take_round_trips(self, int64_t now) except -1
    cdef int after_breaker(self, int64_t now) except -1
    cdef int protect(self, Py_ssize_t index, int64_t now) except -1
    cdef int leave(self, Position position, str reason, int64_t now) except -1
    cdef bint believe(self, Book* book, int64_t price, int64_t now) except -1
    cdef int flatten(self, int64_t now) except -1
