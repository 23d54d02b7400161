"""What an account can pay for: shortfalls, the largest affordable quantity, and refusals."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.backtest.book cimport VenueOrder
from pyrt.core.accounts cimport Account
from pyrt.core.int128 cimport int128
from pyrt.core.ports cimport FeeModel

@cython.final
cdef class Means:
    cdef Account account
    cdef FeeModel fees

    cdef int128 fee(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                    int64_t ts) except? -1
    cdef int128 missing(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                        int64_t ts) except? -1
    cdef int64_t affordable(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                            int64_t ts) except? -1
    cdef str refusal(self, VenueOrder order, int64_t quantity, int64_t price, int liquidity,
                     int64_t ts)
