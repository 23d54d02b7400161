"""What a strategy is before it does anything: its name, its parameters, its place in an engine."""
from pyrt.core.clock cimport Clock
from pyrt.core.ports cimport OrderDesk, Owner

cdef class StrategyBase(Owner):
    cdef OrderDesk _desk
    cdef Clock _clock
    cdef object _kernel
    cdef list _attached
    """Pairs of an indicator and the stream that feeds it."""
    cdef dict _book
    """Symbol → this strategy's Position, kept by the cache."""
    cdef frozenset _frozen
    """Names of the parameters."""
    cdef frozenset _taken
    """These, and names of commands; assigning one raises."""
    cdef readonly str name
    cdef readonly bint has_run
    cdef readonly str stop_reason
    """Why the engine stopped this strategy; "" while nothing has."""
    cdef readonly object capital
    """Share of the account this strategy may call its own; None for an equal share."""

    cdef int attach_to(self, int number, str name, object kernel, OrderDesk desk, Clock clock,
                       dict book) except -1
    cdef int set_running(self, bint running, str reason) except -1
    cdef object kernel(self)
