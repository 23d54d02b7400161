"""Judging one order: state, limits and flow, each control over the facts of the order."""
from libc.stdint cimport int64_t
from pyrt.core.orders cimport Order
from pyrt.risk.breaker cimport CircuitBreaker
from pyrt.risk.checks cimport Caps
from pyrt.risk.facts cimport Facts
from pyrt.risk.states cimport States
from pyrt.risk.stops cimport ProtectiveStops

cdef class Assessor(Facts):
    cdef readonly States states
    cdef readonly CircuitBreaker breaker
    cdef readonly ProtectiveStops stops
    cdef str missing
    """A limit that a strict gate misses."""
    cdef bint called
    """Equity is below what margin asks for."""
    cdef dict volumes
    """Symbol → average daily volume in units, as stated."""
    cdef public object daily_volume
    """Callable (instrument, ns UTC) → average daily volume then, where none is stated; or None."""
    cdef object adv_share
    """Limit of an order's share of it; None where off."""
    cdef dict pardons
    """Control code → (until, actor, reason): one order may pass it once."""
    cdef bint is_weighed
    """Terms and worst case are those of the order that is judged now."""

    cdef str weigh(self, Order order, int64_t now)
    cdef str judge_state(self, Order order, int64_t now)
    cdef str judge_known(self, Order order, Caps* caps, int64_t now)
    cdef str judge_volume(self, Order order, int64_t now)
    cdef str judge_controls(self, Order order, Caps* caps, int64_t now)
    cdef bint is_pardoned(self, Order order, str code, int64_t now) except -1
    cdef str control_reason(self, Order order, int place)
