"""What an account can pay for: shortfalls, the largest affordable quantity, and refusals."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.backtest.book cimport VenueOrder
from pyrt.core.accounts cimport Account
from pyrt.core.int128 cimport int128
from pyrt.core.ports cimport FeeModel

@cython.final
cdef class Means:
    cdef Account account
    cdef FeeModel fees
    cdef readonly bint reserves
    """Orders are judged when they arrive, and reserve buying power while they wait."""
    cdef dict held
    """Order number → what it reserves, in 1e-18 of the base currency."""

    cdef int128 fee(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                    int64_t ts) except? -1
    cdef int128 missing(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                        int64_t ts) except? -1
    cdef int64_t affordable(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                            int64_t ts) except? -1
    cdef str refusal(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                     int64_t ts)
    cdef str admit(self, VenueOrder order, int64_t last)
    cdef int128 reserve_of(self, VenueOrder order, int64_t last) except? -1
    cdef int follow(self, VenueOrder order, int64_t last) except -1
    cdef int release(self, int32_t number) except -1
