"""What a split makes of quantities and prices."""
from pyrt.core.int128 cimport HALF_EVEN, TOWARD_ZERO, i128_muldiv, i128_to_i64
from pyrt.core.orders cimport no_price


cdef int64_t restated(int64_t value, int64_t numerator, int64_t denominator, int mode) except? -1:
    return i128_to_i64(i128_muldiv(value, numerator, denominator, mode))


cdef int64_t split_units(Instrument instrument, int64_t units, int64_t new,
                         int64_t old) except? -1:
    """What a split makes of units; what does not fill a step is gone."""
    return instrument.round_quantity_raw(restated(units, new, old, TOWARD_ZERO))


cdef int64_t split_price(Instrument instrument, int64_t price, int side, int64_t new,
                         int64_t old) except? -1:
    """What a split makes of an order's price, rounded as for an order of that side.

    Never better than before: a limit rounds away from the market by its order's side, a trigger
    away from the price by the other one. `no_price()` stays.
    """
    if price == no_price():
        return price
    return instrument.round_price_raw(restated(price, old, new, HALF_EVEN), side)


cdef int64_t split_distance(int64_t distance, int64_t new, int64_t old) except? -1:
    """What a split makes of a price or a distance that lies on no grid; `no_price()` stays."""
    return distance if distance == no_price() else restated(distance, old, new, HALF_EVEN)
