"""Protective stops: positions left whatever their strategy does."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.orders cimport Order
from pyrt.core.positions cimport Position

@cython.final
cdef class Guard:
    cdef Position position
    cdef int side
    cdef int64_t best
    """Best price seen since the position was opened on this side, in 1e-9."""
    cdef Order exit
    cdef int64_t pause
    """How long to wait after an exit that came to nothing, in ns; it doubles."""
    cdef int64_t retry_at
    """No exit leaves before, ns UTC."""
    cdef bint is_barred
    """It was told that no exit may leave."""

@cython.final
cdef class ProtectiveStops:
    cdef readonly bint is_on
    cdef readonly dict atr
    """Symbol → average true range, as given by the caller."""
    cdef public object daily_range
    """Knows it of others: `average(instrument, now)`, `split(instrument, now, factor)`; or None."""
    cdef dict guards
    cdef int128 loss_max
    cdef int64_t loss_share
    cdef int64_t fall_share
    cdef int64_t atr_multiple
    cdef int follow(self, Guard guard, Position position) except -1
    cdef double range_of(self, Instrument instrument, int64_t now) except? -1.0
    cdef bint needs_range(self, Instrument instrument, int64_t now) except -1
    cdef str judge(self, Position position, int64_t now)
    cdef str breach(self, Guard guard, Position position, int64_t now)
    cdef Guard guard(self, Position position)
