"""One event of market data: state first, then indicators, signals, handlers, aggregates."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.accounts cimport Account
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport Event
from pyrt.core.ports cimport CommandSink
from pyrt.core.streams cimport Stream
from pyrt.core.touch cimport is_tight
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

    # `take_*` does what comes before the handlers, for who calls the one handler of a stream
    # itself, and returns the view if a signal's handler had one.

    cdef inline object take_bar(self, Stream stream, Event* event):
        if stream.marks:
            self.mark(stream, event.values[3])
            self.booking.bars[stream.instrument_index] += 1
            if self.sink.watching:
                self.sink.on_bar(stream.instrument_index, event.values, event.ts_open)
        stream.update(event)
        return self.raise_signals(stream, event) if stream.n_signals else None
    cdef inline object take_quote(self, Stream stream, Event* event):
        if stream.marks and event.values[0] > 0.0 and event.values[2] > 0.0:
            self.mark(stream, self.worth(stream, event.values[0], event.values[2]))
            if self.sink.watching:
                self.sink.on_tick(stream.instrument_index, event.values[0], event.values[2])
        if self.watcher is not None and self.watcher.watches_quotes:
            self.tell_quote(stream, event)
        stream.update(event)
        return self.raise_signals(stream, event) if stream.n_signals else None
    cdef inline object take_trade(self, Stream stream, Event* event):
        if stream.marks:
            self.mark(stream, event.values[0])
            if self.sink.watching:
                self.sink.on_tick(stream.instrument_index, event.values[0], event.values[0])
        stream.update(event)
        return self.raise_signals(stream, event) if stream.n_signals else None
    cdef inline int mark(self, Stream stream, double price) except -1:
        """Value what is held in the stream's instrument at `price`."""
        stream.last_price = price
        if len(stream.positions):
            self.mark_held(stream, price)
        if self.watcher is not None and self.watcher.watches_marks:
            self.tell_mark(stream, price)
        return 0
    cdef inline double worth(self, Stream stream, double bid, double ask) noexcept:
        """What a touch with both sides lets one unit be worth."""
        if is_tight(bid, ask):
            return 0.5 * (bid + ask)
        return self.doubt(stream, bid, ask)
    cdef double doubt(self, Stream stream, double bid, double ask) noexcept
    cdef int mark_held(self, Stream stream, double price) except -1
    cdef int tell_mark(self, Stream stream, double price) except -1
    cdef int tell_quote(self, Stream stream, Event* event) except -1
    cdef int on_bar(self, Stream stream, Event* event) except -1
    cdef int on_quote(self, Stream stream, Event* event) except -1
    cdef int on_trade(self, Stream stream, Event* event) except -1
    cdef int build(self, Stream stream, Event* event) except -1
    cdef int on_book(self, Stream stream, Event* event) except -1
    cdef int lose_book(self, Stream stream, bint is_heard) except -1
    cdef object raise_signals(self, Stream stream, Event* event)
