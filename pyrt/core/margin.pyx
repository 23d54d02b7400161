"""What a holding ties up: initial and maintenance margin by side, price and instrument."""
from pyrt.core.int128 cimport AWAY_FROM_ZERO, i128_muldiv, i128_notional

cdef int64_t ONE = 1_000_000_000


cdef int128 required(const Holding* holding, const Tiers* tiers, int64_t units, int64_t price,
                     int which) except? -1:
    """What `units` at `price` ask for, in 1e-18 of the quote currency, rounded up.

    Cheap longs are not lent on; shorts need an amount a share besides the share of their value.
    Neither tier touches what is not lent on at all: its rates are 1 already.
    """
    cdef int64_t size = units if units >= 0 else -units
    cdef int64_t rate = share_of(holding, tiers, units, price, which)
    cdef int128 least = 0, need
    if size == 0 or price <= 0:
        return 0
    if units < 0 and which == MAINTENANCE and holding.lends:
        if price < tiers.short_price_min:
            least = i128_notional(tiers.short_floor_below, size, holding.factor)
        else:
            least = i128_notional(tiers.short_floor, size, holding.factor)
    need = i128_muldiv(i128_notional(price, size, holding.factor), rate, ONE, AWAY_FROM_ZERO)
    return need if need > least else least


cdef int64_t share_of(const Holding* holding, const Tiers* tiers, int64_t units, int64_t price,
                      int which) noexcept:
    """The share of their value that `units` at `price` ask for, in 1e-9."""
    cdef int64_t rate = holding.initial if which == INITIAL else holding.intraday
    if which == MAINTENANCE:
        rate = holding.maintenance_long if units > 0 else holding.maintenance_short
    rate = max(rate, holding.floor_long if units > 0 else holding.floor_short)
    if units > 0 and price < tiers.long_price_min:
        return max(rate, ONE)
    if units < 0 and which == MAINTENANCE and holding.lends and price < tiers.short_price_min:
        return max(rate, ONE)
    return rate


cdef int64_t opened_units(const Holding* holding, int64_t units) noexcept:
    """Signed units of `units` that were not held when the day began."""
    if units > 0:
        return units - min(units, max(holding.carried, 0))
    return units - max(units, min(holding.carried, 0))
