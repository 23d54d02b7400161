# cython: nonecheck=False
# Every part is there when the kernel is; the checks were a tenth of what a row costs here.
"""One event of market data: state first, then indicators, signals, handlers, aggregates."""
cimport cython
from libc.stdint cimport INT64_MIN, int64_t

from pyrt.core.conditions cimport TRUE, Signal
from pyrt.core.numbers cimport nano_from_double, nano_to_double
from pyrt.core.positions cimport Position
from pyrt.core.touch cimport within
from pyrt.core.types cimport EV_BAR, EV_QUOTE
from pyrt.kernel.probe cimport BOOK, HANDLER, INDICATORS
from pyrt.kernel.views cimport bar_of, quote_of, trade_of, view_of


@cython.final
cdef class Market:
    """Takes bars, quotes, trades and book events in.

    Parameters
    ----------
    account : Account
    booking : Booking
    clock : Clock
    calls : Calls
    aggregates : Aggregates
    watcher : Watcher, optional
        The risk gate, where it wants to hear of prices.
    """

    def __init__(self, Account account, Booking booking, Clock clock, Calls calls,
                 Aggregates aggregates, Watcher watcher=None):
        self.account = account
        self.booking = booking
        self.clock = clock
        self.calls = calls
        self.aggregates = aggregates
        self.watcher = watcher
        self.handlers_from = INT64_MIN

    cdef double doubt(self, Stream stream, double bid, double ask) noexcept:
        """What a touch that is not tight leaves of the last mark; its middle where none is."""
        cdef double last = stream.last_price
        if last == 0.0:
            # Taken over or traded before this stream has shown a price.
            last = nano_to_double(self.account.holdings[stream.instrument_index].mark)
        return within(last if last > 0.0 else 0.5 * (bid + ask), bid, ask)

    cdef int mark_held(self, Stream stream, double price) except -1:
        """Value the positions in the stream's instrument at `price`."""
        cdef list positions = stream.positions
        cdef int64_t raw = nano_from_double(price)
        cdef Py_ssize_t i
        self.account.set_mark(stream.instrument_index, raw)
        for i in range(len(positions)):
            (<Position>positions[i]).mark = raw
        return 0

    cdef int tell_mark(self, Stream stream, double price) except -1:
        """Let the risk gate hear of a price."""
        return self.watcher.on_mark(
            stream.instrument_index, nano_from_double(price), self.clock.now
        )

    cdef int tell_quote(self, Stream stream, Event* event) except -1:
        """Let the risk gate hear of a touch: 0 for a side that is not there."""
        cdef double bid = event.values[0], ask = event.values[2]
        return self.watcher.on_quote(
            stream.instrument_index, nano_from_double(bid) if bid > 0.0 else 0,
            nano_from_double(ask) if ask > 0.0 else 0,
        )

    # `on_*` takes an event in and calls the handlers; what comes before them is in the `.pxd`.

    cdef int on_bar(self, Stream stream, Event* event) except -1:
        cdef int64_t since = 0 if self.probe is None else self.probe.sample()
        cdef object view = self.take_bar(stream, event)
        if since:
            since = self.probe.lap(INDICATORS, since)
        if event.ts_init >= self.handlers_from and stream.is_heard():
            self.calls.dispatch(stream, bar_of(stream, event) if view is None else view)
            if since:
                self.probe.lap(HANDLER, since)
        return self.build(stream, event) if stream.n_aggregates else 0

    cdef int on_quote(self, Stream stream, Event* event) except -1:
        cdef int64_t since = 0 if self.probe is None else self.probe.sample()
        cdef object view = self.take_quote(stream, event)
        if since:
            since = self.probe.lap(INDICATORS, since)
        if event.ts_init >= self.handlers_from and stream.is_heard():
            self.calls.dispatch(stream, quote_of(stream, event) if view is None else view)
            if since:
                self.probe.lap(HANDLER, since)
        return self.build(stream, event) if stream.n_aggregates else 0

    cdef int on_trade(self, Stream stream, Event* event) except -1:
        cdef int64_t since = 0 if self.probe is None else self.probe.sample()
        cdef object view = self.take_trade(stream, event)
        if since:
            since = self.probe.lap(INDICATORS, since)
        if event.ts_init >= self.handlers_from and stream.is_heard():
            self.calls.dispatch(stream, trade_of(stream, event) if view is None else view)
            if since:
                self.probe.lap(HANDLER, since)
        return self.build(stream, event) if stream.n_aggregates else 0

    cdef int build(self, Stream stream, Event* event) except -1:
        """Let the bars made from this stream take the event in."""
        if event.kind == EV_BAR:
            return self.aggregates.add_bar(stream, event)
        if event.kind == EV_QUOTE:
            return self.aggregates.add_quote(stream, event)
        return self.aggregates.add_trade(stream, event)

    cdef int on_book(self, Stream stream, Event* event) except -1:
        """Take a batch of book events; the book is brought up to it when somebody looks."""
        cdef object view = None
        cdef bint is_heard = event.ts_init >= self.handlers_from and stream.is_heard()
        cdef int64_t since = 0 if self.probe is None else self.probe.sample()
        if event.price < 0:
            return self.lose_book(stream, is_heard)
        stream.known = event.price
        if is_heard or stream.marks or stream.n_feeds or stream.n_signals:
            stream.catch_up()
            stream.read_touch(event)
            if since:
                since = self.probe.lap(BOOK, since)
            if stream.marks and event.values[4] > 0.0:  # not NaN
                self.mark(stream, self.worth(stream, event.values[0], event.values[2]))
        stream.update(event)
        if stream.n_signals:
            view = self.raise_signals(stream, event)
        if since:
            since = self.probe.lap(INDICATORS, since)
        if is_heard:
            self.calls.dispatch(stream, stream.book if view is None else view)
            if since:
                self.probe.lap(HANDLER, since)
        return 0

    cdef int lose_book(self, Stream stream, bint is_heard) except -1:
        """Mark a book stale: its feed has lost changes. Handlers hear of it, indicators do not."""
        if stream.book is None:
            return 0
        stream.catch_up()
        stream.book.mark_stale()
        if is_heard:
            self.calls.dispatch(stream, stream.book)
        return 0

    cdef object raise_signals(self, Stream stream, Event* event):
        """Test the stream's conditions, each followed by its handler; return the view if made."""
        cdef list signals = stream.signals
        cdef Signal signal
        cdef object view = None
        cdef bint is_live = event.ts_init >= self.handlers_from
        cdef Py_ssize_t i, n = len(signals)
        for i in range(n):
            signal = <Signal>signals[i]
            # Tested in warm-up too: a condition remembers what it has seen.
            if signal.condition.test(event, stream.count) != TRUE:
                continue
            if not is_live or not signal.owner.running:
                continue
            if signal.takes_view and view is None:
                view = view_of(stream, event)
            self.calls.signal(signal, view)
        return view
