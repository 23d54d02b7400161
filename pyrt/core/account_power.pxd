"""What an account can afford by its broker's rules: cash, margin and buying power."""
from libc.stdint cimport int64_t
from pyrt.core.account_books cimport ALPACA_ACCOUNT, CASH_ACCOUNT, MARGIN_ACCOUNT, AccountBooks
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.margin cimport Holding

cdef class AccountPower(AccountBooks):
    cdef int128 free_raw(self, int currency) except? -1
    cdef bint lends(self) except -1
    cdef bint shorts(self) except -1
    cdef int128 power_raw(self) except? -1
    cdef int128 regt_raw(self) except? -1
    cdef int128 unmargined_raw(self) except? -1
    cdef int128 deficit_raw(self) except? -1
    cdef int128 call_raw(self) except? -1
    cdef int128 shortfall(self, Py_ssize_t index, int side, int64_t quantity, int64_t price,
                          int128 fee) except? -1
    cdef int128 cash_shortfall(self, Holding* holding, int side, int64_t quantity, int64_t after,
                               int64_t price, int128 fee) except? -1
    cdef int128 margin_shortfall(self, Holding* holding, int64_t after, int64_t price,
                                 int128 fee) except? -1
    cdef int128 power_shortfall(self, Holding* holding, int side, int64_t opening, int64_t price,
                                int128 fee) except? -1
    cdef int128 power_used(self, Holding* holding, int side, int64_t price,
                           int128 value) except? -1
    cdef int128 power_of_waiting(self, Py_ssize_t index, int side, int64_t units,
                                 int128 value) except? -1
    cdef int128 order_value(self, Instrument instrument, int side, int64_t quantity,
                            int64_t limit, int64_t stop, int64_t last) except? -1
    cdef int128 reserve_of(self, Instrument instrument, int side, int64_t leaves, int64_t limit,
                           int64_t stop, int64_t last) except? -1
