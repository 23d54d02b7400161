"""What watches beside the gate: days, account, portfolio risk, breaker and repetitions."""
from libc.stdint cimport int64_t
from pyrt.core.orders cimport Order
from pyrt.risk.checks cimport Caps
from pyrt.risk.leaver cimport Leaver
from pyrt.risk.sessions cimport DayClock

cdef class Overseer(Leaver):
    cdef readonly object ramp_from
    """Day on which the ramp began, as days since 1970; None before the first order."""
    cdef readonly object ramp_share
    """Share of sizes and exposures that applies; None without a ramp."""
    cdef DayClock days
    cdef readonly dict duplicates
    """Strategy → duplicate orders today."""
    cdef dict book_streams
    """Symbol → the stream of its book."""
    cdef Py_ssize_t streams_seen
    cdef dict warned
    """Limit → day on which it was told that it is near."""
    cdef set aged
    """Ids of orders at work of whose age has been told; after a restart numbers are others'."""
    cdef int64_t age_due
    cdef Py_ssize_t round_trips_seen
    cdef Py_ssize_t openings_seen
    cdef int64_t risk_due

    cdef int begin(self, int64_t now) except -1
    cdef int roll_day(self, int64_t day) except -1
    cdef int meet_call(self, int64_t now) except -1
    cdef int take_round_trips(self, int64_t now) except -1
    cdef int after_breaker(self, int64_t now) except -1
    cdef int warn(self, Caps* caps, int64_t now) except -1
    cdef int warn_of(self, str name, double used, int64_t now) except -1
    cdef int tell_of_old(self, int64_t now) except -1
    cdef int count_duplicate(self, Order order, int64_t now) except -1
