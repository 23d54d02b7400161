"""An account: what its broker's rules let it afford, and what it shows."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.account_books cimport ALPACA_ACCOUNT, CASH_ACCOUNT, MARGIN_ACCOUNT
from pyrt.core.account_power cimport AccountPower
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.margin cimport Holding

@cython.final
cdef class Account(AccountPower):
    cdef int128 open_power(self) except? -1
    cdef int128 day_pnl_raw(self) except? -1
    cdef object unreserved(self, int128 room)
