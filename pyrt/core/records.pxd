"""What outlives a handler: rows in growable columns, and the texts they point to."""
cimport cython
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t, uint8_t
from pyrt.core.int128 cimport int128

cdef enum:
    BLOCK_BITS = 8
    BLOCK_ROWS = 256

cdef struct OrderRow:
    int64_t ts_init
    int64_t ts_last
    int64_t quantity
    int64_t filled
    int64_t limit_price
    int64_t stop_price
    int32_t instrument
    int32_t strategy
    int32_t tag
    int32_t reason
    int32_t parent
    uint8_t type
    uint8_t time_in_force
    uint8_t status
    int8_t side

cdef struct OrderEventRow:
    int64_t ts_event
    int64_t value
    int32_t order
    uint8_t kind
    uint8_t status
    int16_t reserved

cdef struct FillRow:
    int128 fee
    int64_t ts_event
    int64_t quantity
    int64_t price
    int64_t position
    # units of the asset bought that were taken as the fee, of which `fee` is the value
    int64_t taken
    int64_t reserved
    int32_t order
    int32_t instrument
    int32_t bar
    int16_t strategy
    # number of the fee's currency in the low four bits, liquidity in the high ones
    uint8_t flags
    int8_t side

cdef struct TripRow:
    int128 entry_notional
    int128 exit_notional
    int128 pnl
    int128 fees
    int64_t entry_time
    int64_t exit_time
    int64_t quantity
    int32_t instrument
    int32_t strategy
    int32_t bars
    int32_t tag
    int32_t side
    int32_t reserved

cdef struct LedgerRow:
    int128 amount
    int64_t ts_event
    int32_t instrument
    int16_t currency
    int16_t kind

cdef struct EquityRow:
    int64_t ts_event
    double equity
    double cash
    double exposure

@cython.final
cdef class Rows:
    """Fixed-size records in blocks of 2**BLOCK_BITS; a row never moves."""
    cdef char** blocks
    cdef Py_ssize_t n_blocks
    cdef readonly Py_ssize_t count
    cdef Py_ssize_t size
    cdef void* append(self) except NULL
    cdef inline void* extend(self) except NULL:
        """Return a row at the end whose every field the caller writes."""
        cdef Py_ssize_t i = self.count
        if i == self.n_blocks << BLOCK_BITS:
            self.grow()
        self.count = i + 1
        return self.at(i)
    cdef inline void* at(self, Py_ssize_t i) noexcept:
        return self.blocks[i >> BLOCK_BITS] + (i & (BLOCK_ROWS - 1)) * self.size
    cdef int grow(self) except -1

@cython.final
cdef class Texts:
    """Each distinct text once, by a small number; 0 is the empty text."""
    cdef readonly list names
    cdef dict known
    cdef int32_t number(self, str text) except -1

@cython.final
cdef class Records:
    """Everything a run leaves behind."""
    cdef readonly Rows orders
    cdef readonly Rows order_events
    cdef readonly Rows fills
    cdef readonly Rows trips
    cdef readonly Rows ledger
    cdef readonly Rows equity
    cdef readonly Texts texts
    cdef int event(self, int64_t ts, int32_t order, int kind, int status, int64_t value) except -1
    cdef int entry(self, int64_t ts, int kind, int instrument, int currency,
                   int128 amount) except -1
