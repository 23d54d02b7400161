"""The compiled half of Strategy: commands and lookups that handlers call per event."""
from libc.stdint cimport int64_t
from pyrt.core.clock cimport Clock
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport OrderDesk, Owner

cdef class StrategyCore(Owner):
    cdef OrderDesk _desk
    cdef Clock _clock
    cdef object _kernel
    cdef list _attached
    """Pairs of an indicator and the stream that feeds it."""
    cdef dict _book
    """Symbol → this strategy's Position, kept by the cache."""
    cdef frozenset _frozen
    """Names of the parameters; assigning one raises."""
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
    cdef Clock _clock_of(self)
    cdef Order order(self, int side, str symbol, quantity, notional, limit_price, stop_price,
                     trail_amount, trail_percent, trigger_price, take_profit, stop_loss,
                     time_in_force, expires_at, post_only, reduce_only, extended_hours, queue,
                     tag, algorithm, display_quantity, market_to_limit)
