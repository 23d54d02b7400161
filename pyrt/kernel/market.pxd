"""One event of market data: state first, then indicators, signals, handlers, aggregates."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.accounts cimport Account
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport Event
from pyrt.core.ports cimport CommandSink
from pyrt.core.streams cimport Stream
from pyrt.execution.booking cimport Booking
from pyrt.kernel.aggregates cimport Aggregates
from pyrt.kernel.calls cimport Calls
from pyrt.kernel.probe cimport Probe
from pyrt.risk.watch cimport Watcher

@cython.final
cdef class Market:
    cdef Account account
    cdef Booking booking
    cdef Clock clock
    cdef Calls calls
    cdef Aggregates aggregates
    cdef CommandSink sink
    """Orders that wait for a price are met before anything else is done with it."""
    cdef Watcher watcher
    """The gate, if it wants to hear of prices; else None."""
    cdef Probe probe
    """Measures stages; None where nobody wants to know."""
    cdef int64_t handlers_from
    """Rows with an earlier ts_init feed indicators, never handlers."""

    cdef int on_bar(self, Stream stream, Event* event) except -1
    cdef object take_bar(self, Stream stream, Event* event)
    cdef int on_quote(self, Stream stream, Event* event) except -1
    cdef object take_quote(self, Stream stream, Event* event)
    cdef int on_trade(self, Stream stream, Event* event) except -1
    cdef object take_trade(self, Stream stream, Event* event)
    cdef int build(self, Stream stream, Event* event) except -1
    cdef int on_book(self, Stream stream, Event* event) except -1
    cdef int lose_book(self, Stream stream, bint is_heard) except -1
    cdef int mark(self, Stream stream, double price) except -1
    cdef object raise_signals(self, Stream stream, Event* event)
