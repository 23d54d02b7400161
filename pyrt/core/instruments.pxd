"""What can be traded: price grid, quantity unit, currency and permissions of one symbol."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.int128 cimport int128, i128_notional

@cython.final
cdef class Instrument:
    # What every order is judged by comes first, and lies together.
    cdef readonly int32_t index
    """Dense position in the cache's table; -1 until registered there."""
    cdef readonly int decimals
    """Quantities are ints in 10**-decimals."""
    cdef readonly int64_t step
    """Smallest quantity increment, in units."""
    cdef readonly int64_t tick
    """Smallest price increment in 1e-9; 0 where any 1e-9 is accepted."""
    cdef readonly bint tradable
    cdef readonly bint strict_tick
    """An order off the tick is denied before it leaves; else the venue judges its prices."""
    cdef readonly str calendar
    """Name of the trading calendar; "24/7" where there are no sessions."""
    cdef int128 min_notional_raw
    cdef int64_t factor
    """Money (1e-18) per raw price and quantity unit."""
    cdef readonly bint shortable
    cdef readonly bint marginable
    cdef readonly str symbol
    cdef readonly str venue
    """Listing venue, or "" where the symbol alone is unambiguous."""
    cdef readonly str kind
    """"equity", "crypto" or "generic"."""
    cdef readonly str currency
    """Quote currency."""
    cdef readonly str base_currency
    """The asset itself for pairs ("BTC"), else ""."""
    cdef readonly str sector
    cdef readonly int64_t multiplier
    cdef readonly object margin_long
    """Share of a long's value that the broker asks to be kept, a Decimal; None: as of any other."""
    cdef readonly object margin_short
    """The same of a short's value."""
    cdef readonly object valid_from
    cdef readonly object valid_to

    cdef inline int128 notional(self, int64_t price, int64_t quantity) except? -1:
        return i128_notional(price, quantity, self.factor)

    cdef int64_t round_price_raw(self, int64_t price, int side) except? -1
    cdef int64_t round_quantity_raw(self, int64_t quantity) except? -1
    cdef int64_t price_raw(self, object value) except? -1
    cdef int64_t quantity_raw(self, object value) except? -1
    cdef int64_t volume_units(self, double volume) except? -1
    cdef double quantity_float(self, int64_t units) noexcept
    cdef int bind(self, int32_t index) except -1
