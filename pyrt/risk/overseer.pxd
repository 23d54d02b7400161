"""What watches beside the gate: days, breaker, margin calls, stops, kill switch, states."""
from libc.stdint cimport int32_t, int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport OrderDesk
from pyrt.core.positions cimport Position
from pyrt.risk.assessor cimport Assessor
from pyrt.risk.sessions cimport DayClock

cdef class Overseer(Assessor):
    cdef public object recorder
    """Callable (method, arguments): told of what a program asks of this engine, before it is
    done; or None. What the engine does of its own accord is not told."""
    cdef readonly object ramp_from
    """Day on which the ramp began, as days since 1970; None before the first order."""
    cdef readonly object ramp_share
    """Share of sizes and exposures that applies; None without a ramp."""
    cdef readonly object monitor
    """Computes portfolio risk; None where no limit reads it."""
    cdef Cache cache
    cdef Clock clock
    cdef OrderDesk desk
    cdef list strategies
    cdef DayClock days
    cdef dict duplicates
    """Strategy → duplicate orders today."""
    cdef bint is_on
    """Something is limited or restricted, so orders have to be weighed."""
    cdef bint follows_margin
    cdef bint flattening
    cdef dict book_streams
    """Symbol → the stream of its book."""
    cdef Py_ssize_t streams_seen
    cdef bint depth_is_own
    """`depth` looks into the books that strategies follow; nobody gave another."""
    cdef dict warned
    """Limit → day on which it was told that it is near."""
    cdef set aged
    """Numbers of orders of whose age has been told."""
    cdef int64_t age_due
    cdef double warn_at
    """Share of a limit from which on it is near; 0 where nothing is told."""
    cdef Py_ssize_t round_trips_seen
    cdef Py_ssize_t openings_seen
    cdef int64_t risk_due

    cdef int tell(self, str method, dict arguments) except -1
    cdef int put_state(self, object state, object actor, object reason, object strategy,
                       object symbol) except -1
    cdef int look(self) except -1
    cdef bint protects_markets(self) except -1
    cdef int take_status(self, int32_t index, int status) except -1
    cdef int begin(self, int64_t now) except -1
    cdef int roll_day(self, int64_t day) except -1
    cdef int meet_call(self, int64_t now) except -1
    cdef int take_round_trips(self, int64_t now) except -1
    cdef int after_breaker(self, int64_t now) except -1
    cdef int warn(self, int64_t now) except -1
    cdef int warn_of(self, str name, double used, int64_t now) except -1
    cdef int tell_of_old(self, int64_t now) except -1
    cdef int count_duplicate(self, Order order, int64_t now) except -1
    cdef int protect(self, Py_ssize_t index, int64_t now) except -1
    cdef int leave(
        self, Position position, str reason, int64_t now, int64_t rest=*, bint at_once=*
    ) except -1
    cdef int flatten(self, int64_t now, bint at_once) except -1
    cdef int stop_all(self, object actor, object reason, bint flatten) except -1
    cdef bint flatten_one(self, Position position, int64_t now, bint at_once) except -1
