"""What a holding ties up: initial and maintenance margin by side, price and instrument."""
from libc.stdint cimport int16_t, int32_t, int64_t
from pyrt.core.int128 cimport int128

cdef enum Requirement:
    INITIAL = 0
    # what the day asks for, by the account's multiplier
    INTRADAY = 1
    MAINTENANCE = 2

cdef struct Holding:
    # net units of the account in one instrument, and the last price in 1e-9
    int64_t units
    int64_t mark
    int64_t factor
    int32_t currency
    # money is lent on it, and it may be sold short on margin
    int16_t lends
    # executions are paid some sessions later
    int16_t settles
    # units held when the day began
    int64_t carried
    # shares of the value in 1e-9
    int64_t initial
    int64_t intraday
    int64_t maintenance_long
    int64_t maintenance_short
    # what the broker asks of this one whatever else is asked, where more than usual; else 0
    int64_t floor_long
    int64_t floor_short
    # yearly share of a short's value in 1e-9
    int64_t borrow

cdef struct Tiers:
    # prices and amounts a share in 1e-9: see `AccountRules`
    int64_t long_price_min
    int64_t short_price_min
    int64_t short_floor_below
    int64_t short_floor

cdef int128 required(const Holding* holding, const Tiers* tiers, int64_t units, int64_t price,
                     int which) except? -1
cdef int64_t share_of(const Holding* holding, const Tiers* tiers, int64_t units, int64_t price,
                      int which) noexcept
cdef int64_t opened_units(const Holding* holding, int64_t units) noexcept
