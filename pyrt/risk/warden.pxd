"""What may leave at all: trading states, halts of symbols, and who passes a control once."""
from libc.stdint cimport int32_t
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.risk.assessor cimport Assessor

cdef class Warden(Assessor):
    cdef public object recorder
    """Callable (method, arguments): told of what a program asks of this engine, before it is
    done; or None. What the engine does of its own accord is not told."""
    cdef readonly object monitor
    """Computes portfolio risk; None where no limit reads it."""
    cdef Cache cache
    cdef Clock clock
    cdef list strategies
    cdef bint is_on
    """Something is limited or restricted, so orders have to be weighed."""
    cdef bint follows_margin
    cdef bint flattening
    """All positions are being left, by the kill switch."""
    cdef double warn_at
    """Share of a limit from which on it is near; 0 where nothing is told."""

    cdef int tell(self, str method, dict arguments) except -1
    cdef int look(self) except -1
    cdef int forget(self) except -1
    cdef bint protects_markets(self) except -1
    cdef int put_state(self, object state, object actor, object reason, object strategy,
                       object symbol) except -1
    cdef int take_status(self, int32_t index, int status) except -1
