"""Booking: order, position, account, ledger and round trip move together."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.accounts cimport Account
from pyrt.core.events cimport Event
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.ledger cimport Ledger
from pyrt.core.orders cimport Order
from pyrt.core.positions cimport Position
from pyrt.core.records cimport Records

cpdef enum EntryKind:
    """Kinds of ledger entries that are no fill."""
    DEPOSIT = 0
    DIVIDEND = 1
    CASH_IN_LIEU = 2
    FEE_ADJUSTMENT = 3
    BORROW_FEE = 4
    INTEREST = 5

@cython.final
cdef class Booking:
    cdef readonly Account account
    cdef readonly Records records
    cdef readonly Ledger ledger
    """None unless `keep_ledger` was called."""
    cdef int32_t* bars
    """Bars seen so far by instrument, of the stream that marks it."""
    cdef Py_ssize_t n_bars
    cdef int add_instrument(self, Instrument instrument) except -1
    cdef int fill(self, Order order, Event* event) except -1
    cdef int record(self, Order order, Event* event) except -1
    cdef int follow_trip(self, Position position, int64_t before, int side, Event* event,
                         Order order) except -1
    cdef int end_trip(self, Position position, int64_t ts) except -1
    cdef int split(self, Position position, Event* event) except -1
    cdef int pay_out(self, Position position, int64_t stub, int64_t ts) except -1
    cdef int dividend(self, Position position, Event* event) except -1
    cdef int share_dividend(self, list positions, Event* event) except -1
    cdef int credit(self, Position position, Event* event, int128 cash) except -1
    cdef int on_account(self, Event* event) except -1
    cdef int move_cash(self, Event* event) except -1
