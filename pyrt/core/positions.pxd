"""A strategy's holding in one symbol, exact; and the round trip it is in."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128

cdef struct Lot:
    # unsigned units and what they cost, in 1e-18 of the quote currency
    int64_t quantity
    int128 cost

cdef struct RoundTrip:
    int64_t entry_time
    int64_t entered
    int128 entry_notional
    int128 exit_notional
    int128 fees
    # dividends while held
    int128 carried
    int32_t entry_bar
    int32_t tag
    int32_t side

@cython.final
cdef class Position:
    cdef readonly Instrument instrument
    cdef readonly int32_t strategy
    """Number of the owning strategy; -1 for the account as a whole."""
    cdef int32_t orders_working
    cdef int32_t unknown_buys
    """Open requests without an answer, by side."""
    cdef int32_t unknown_sells
    cdef int64_t units
    """Signed units held; > 0 long, < 0 short."""
    cdef int64_t mark
    """Last price in 1e-9; 0 before the first."""
    cdef int128 open_cost
    """Signed cost of the open units in 1e-18: paid when long, minus the proceeds when short."""
    cdef int128 realized
    """Realized profit or loss net of fees, in 1e-18 of the quote currency."""
    cdef int128 fees
    cdef int128 entered_notional
    """Value of all units that opened or added, at their prices."""
    cdef int64_t buy_working
    """Units of working buy orders, leaves only."""
    cdef int64_t sell_working
    cdef readonly bint fifo
    cdef Lot* lots
    cdef Py_ssize_t lot_head
    cdef Py_ssize_t lot_count
    cdef Py_ssize_t lot_capacity
    cdef RoundTrip trip

    cdef inline bint flat(self) noexcept:
        return self.units == 0 and self.orders_working == 0 and self.unknown_buys == 0 \
            and self.unknown_sells == 0

    cdef int128 fill(self, int side, int64_t quantity, int64_t price, int128 fee) except? -1
    cdef int128 cost_of(self, int64_t quantity) except? -1
    cdef int drop_lots(self, int64_t quantity) except -1
    cdef int64_t split(self, int64_t numerator, int64_t denominator) except? -1
    cdef int split_lots(self, int64_t numerator, int64_t denominator) except -1
    cdef int128 value(self) except? -1
    cdef int push_lot(self, int64_t quantity, int128 cost) except -1
    cdef int reserve_lot(self) except -1
