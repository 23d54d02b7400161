"""The kernel's one input record, and a queue of them."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.int128 cimport int128

cdef struct Event:
    # An EventKind.
    int32_t kind
    # Dense index; -1 where none.
    int32_t instrument
    # Dense index of the data stream; -1 for order events.
    int32_t stream
    # Sequence number of the order; -1 for data.
    int32_t order
    int64_t ts_event
    int64_t ts_init
    # Bars: start of the interval. Path fills: start of the bar they happened in.
    int64_t ts_open
    # Bar: open high low close volume. Quote: bid, size, ask, size. Trade: price, size.
    double[5] values
    # Fill or new total quantity, in instrument units. Trade: aggressor. Split: numerator.
    int64_t quantity
    # Fill or new limit price in 1e-9. Split: denominator. Dividend: amount per share, 1e-9.
    int64_t price
    # Filled quantity of the order after this fill; with the order it identifies the execution.
    int64_t cumulative
    # Of a fill: units of the asset bought that the venue keeps as its fee; `fee` is their value.
    int64_t taken
    # Fee in 1e-18 of the currency `fee_currency`.
    int128 fee
    int32_t fee_currency
    int32_t liquidity
    # Index into the records' texts; 0 is empty.
    int32_t reason
    int32_t flags

@cython.final
cdef class EventQueue:
    """First in, first out, in one growing ring of records."""
    cdef Event* items
    cdef Py_ssize_t head
    cdef Py_ssize_t count
    cdef Py_ssize_t capacity
    cdef Event* push(self) except NULL
    cdef Event* insert(self, int64_t ts_init) except NULL
    cdef bint pop(self, Event* into) noexcept
    cdef int clear(self) except -1
    cdef int grow(self) except -1

cdef void clear_event(Event* event) noexcept
