"""Commands to a simulated venue as plain values: orders, pairs of exits, changes, cancels."""
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.venue cimport SimVenue

cdef class ExchangeOrders:
    cdef readonly SimVenue venue
    cdef VenueBook book(self, str symbol)
    cdef VenueOrder make_order(self, int number, str symbol, str side, str type, str tif, quantity,
                               notional, limit_price, stop_price, trail_amount, trail_percent,
                               expires_at, extended_hours)
    cdef VenueOrder make_stop(self, str symbol, str side, str tif, quantity, stop_loss)
