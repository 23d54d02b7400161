"""What an order gets at a simulated venue: its price, its size, and what the account can bear."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.families cimport VenueFamilies
from pyrt.backtest.slippage cimport Slippage
from pyrt.core.accounts cimport Account
from pyrt.core.ports cimport FeeModel

cdef class VenueFills(VenueFamilies):
    cdef readonly Account account
    """The broker's own books; the sender keeps others."""
    cdef FeeModel fees
    cdef Slippage slippage
    cdef public object stop_limit
    """Callable: trigger of a buy stop in a stock → limit of the order it turns into, or None."""

    @cython.final
    cdef int turn(self, VenueOrder order) except -1

    @cython.final
    cdef int64_t worsened(self, VenueOrder order, int64_t price, int64_t range,
                          double volume) except? -1

    @cython.final
    cdef int execute(self, VenueBook book, VenueOrder order, int64_t price, int64_t ts,
                     int liquidity, int64_t ts_open) except -1

    @cython.final
    cdef int64_t size_of(self, VenueBook book, VenueOrder order, int64_t price) except? -1

    @cython.final
    cdef int64_t settle_notional(self, VenueOrder order, int64_t price) except? -1

    @cython.final
    cdef int64_t reducible(self, VenueBook book, VenueOrder order, int64_t quantity) except? -1

    @cython.final
    cdef bint may_sell(self, VenueOrder order, int64_t quantity) except -1

    @cython.final
    cdef int64_t cut_to_account(self, VenueOrder order, int64_t quantity, int64_t price,
                                int liquidity, int64_t ts) except? -1
