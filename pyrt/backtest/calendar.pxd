"""What the calendar brings: corporate actions, halts, bands, auctions, days of the account."""
from libc.stdint cimport int64_t
from pyrt.backtest.venue cimport SimVenue
from pyrt.kernel.kernel cimport Kernel

cdef int apply_row(SimVenue venue, Kernel kernel, object row, int64_t now) except -1
