"""The ledger: double entry, every entry balanced in every currency to the last 1e-18."""
cimport cython
from libc.stdint cimport int16_t, int32_t, int64_t
from pyrt.core.account_books cimport AccountBooks
from pyrt.core.int128 cimport int128
from pyrt.core.records cimport Rows

cpdef enum LedgerAccount:
    """Where money rests or comes from; what we have is positive, where it came from negative."""
    CASH = 0
    HOLDINGS = 1
    CAPITAL = 2
    TRADING = 3
    FEES = 4
    DIVIDENDS = 5
    INTEREST = 6
    BORROW = 7
    ADJUSTMENTS = 8

cdef enum:
    N_ACCOUNTS = 9
    N_CURRENCIES = 16
    LINES_MAX = 6

cdef struct Posting:
    int128 amount
    int64_t ts_event
    int32_t entry
    int32_t instrument
    int32_t strategy
    int16_t account
    int16_t currency
    int64_t reserved

@cython.final
cdef class Ledger:
    cdef readonly Rows rows
    cdef int128 sums[9][16]
    cdef Posting lines[6]
    cdef int n_lines
    cdef readonly int32_t entries
    """Entries made so far."""

    cdef int add(self, int account, int currency, int128 amount) except -1
    cdef int close(self, int64_t ts, int instrument, int strategy) except -1
    cdef int fill(self, int64_t ts, int instrument, int strategy, int currency, int128 cash,
                  int128 cost, int128 gross, int128 fee, int fee_currency) except -1
    cdef int movement(self, int64_t ts, int account, int instrument, int strategy, int currency,
                      int128 amount) except -1
