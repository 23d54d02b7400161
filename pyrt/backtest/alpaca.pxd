"""Alpaca as a simulated venue: its rules between the kernel and the matching."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.port cimport BacktestVenue
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Venue

@cython.final
cdef class SimBooks:
    """The state of a simulated venue's account, as Alpaca's rules ask for it."""
    cdef SimVenue sim
    cdef dict filed
    """Number → Filed, for orders taken that are not final yet."""
    cdef readonly int64_t now
    cdef readonly object client_ids
    cdef dict markets
    cdef int64_t markets_at

    cdef object open_order(self, VenueOrder order)

@cython.final
cdef class AlpacaVenue(Venue):
    cdef readonly SimVenue sim
    cdef BacktestVenue inner
    cdef SimBooks books
    cdef readonly object intake
    cdef dict refused
    """Number of the second order of a pair → why the first was refused."""

    cdef int arrive(self, int64_t now) except -1
    cdef int file(self, VenueOrder copy, object request) except -1
