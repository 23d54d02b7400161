"""An account's cash by currency, what it holds, and what it can still afford."""
cimport cython
from libc.stdint cimport int32_t, int64_t, uint8_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128

cdef struct Holding:
    # net units of the account in one instrument, and the last price in 1e-9
    int64_t units
    int64_t mark
    int64_t factor
    int32_t currency
    int32_t reserved

@cython.final
cdef class Account:
    cdef readonly str base_currency
    cdef readonly list currencies
    """Names; positions in this list number the currencies."""
    cdef int128[16] balance
    """Cash by currency, in 1e-18."""
    cdef int128[16] long_value
    cdef int128[16] short_value
    """Marked value of long and short holdings by quote currency; both positive."""
    cdef int64_t[16] rate
    """Units of base currency per unit, in 1e-9; 0 where not known."""
    cdef Holding* holdings
    cdef Py_ssize_t n_holdings
    cdef readonly int open_holdings
    cdef bint single
    """Only the base currency is in use."""
    cdef readonly bint margin
    cdef int64_t leverage
    """Buying power per unit of free equity; 1 for a cash account."""

    cdef int currency_number(self, str currency) except -1
    cdef int add_instrument(self, Instrument instrument) except -1
    cdef inline int set_mark(self, Py_ssize_t index, int64_t price) except -1:
        """Take a new price; free when nothing is held."""
        if self.holdings[index].units != 0:
            self.revalue(index, price)
        self.holdings[index].mark = price
        return 0
    cdef int revalue(self, Py_ssize_t index, int64_t price) except -1
    cdef int trade(self, Py_ssize_t index, int side, int64_t quantity, int64_t price) except -1
    cdef int pay(self, int currency, int128 amount) except -1
    cdef int set_units(self, Py_ssize_t index, int64_t units, int64_t mark) except -1
    cdef int128 to_base(self, int currency, int128 amount) except? -1
    cdef int128 cash_raw(self) except? -1
    cdef int128 equity_raw(self) except? -1
    cdef int128 free_raw(self, int currency) except? -1
    cdef int128 exposure_raw(self) except? -1
    cdef int128 shortfall(self, Py_ssize_t index, int side, int64_t quantity, int64_t price,
                          int128 fee) except? -1
