"""One stream of market data inside the kernel: what feeds on it and who handles it."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.book cimport OrderBook
from pyrt.core.book_feed cimport BookColumns
from pyrt.core.bus cimport Channel
from pyrt.core.conditions cimport Signal
from pyrt.core.events cimport Event
from pyrt.core.instruments cimport Instrument
from pyrt.core.ports cimport Indicator
from pyrt.core.recent cimport Recent

@cython.final
cdef class Feed:
    """What a stream feeds: an indicator, or what keeps its last events."""
    cdef readonly Indicator indicator
    """None where the last events are kept."""
    cdef Recent recent
    """Takes events as they are; None where an indicator is fed."""
    cdef int width
    cdef bint direct
    """The inputs lie side by side in the event already."""
    cdef int[8] columns
    cdef int push(self, Event* event) except -1

@cython.final
cdef class Stream:
    # What each event reads comes first, side by side: with many streams each of them is cold.
    cdef readonly int32_t count
    """Events delivered so far."""
    cdef int32_t instrument_index
    cdef readonly bint marks
    """Its prices mark positions: the finest stream of its instrument."""
    cdef double last_price
    """The last of those prices; 0.0 before the first. A later position begins with it."""
    cdef list positions
    """The positions in the instrument, kept by the cache: what a price marks."""
    cdef Py_ssize_t n_feeds
    cdef Py_ssize_t n_signals
    cdef Py_ssize_t n_handlers
    cdef Py_ssize_t n_aggregates
    cdef list handlers
    """Bound methods, in subscription order; `owners` are the strategies they belong to."""
    cdef readonly Channel channel
    cdef list feeds
    cdef readonly list signals
    """Conditions tested at each event, in the order they were given, before the handlers."""
    cdef readonly list aggregates
    """Coarser streams built from this one: pairs of aggregator and stream."""
    cdef readonly str symbol
    cdef readonly str timeframe
    """Such as "1m"; "" for ticks."""
    cdef list owners
    cdef readonly int32_t index
    cdef readonly str kind
    """"bars", "quotes", "trades" or "book"."""
    cdef readonly Instrument instrument
    cdef readonly int64_t timeframe_ns
    cdef readonly str topic
    cdef readonly Recent recent
    """Its last events; None unless a strategy keeps them."""
    cdef readonly OrderBook book
    """The book that a stream of book events builds; None for other kinds."""
    cdef BookColumns rows
    """Book events in hand; those before `known` are delivered, those before `applied` in `book`."""
    cdef Py_ssize_t applied
    cdef Py_ssize_t known
    cdef int take_rows(self, BookColumns rows) except -1
    cdef int catch_up(self) except -1
    cdef int read_touch(self, Event* event) except -1
    cdef inline bint is_heard(self) noexcept:
        """Someone takes its events as objects."""
        return self.n_handlers > 0 or self.channel.has_handlers
    cdef inline int update(self, Event* event) except -1:
        """Count an event and feed what is attached."""
        self.count += 1
        return self.feed(event) if self.n_feeds else 0
    cdef int feed(self, Event* event) except -1
    cdef int add_aggregate(self, object aggregator, Stream target) except -1
    cdef int add_signal(self, Signal signal) except -1
    cdef int add_handler(self, object owner, object method) except -1
    cdef int remove_owner(self, object owner) except -1
    cdef int remove_handler(self, object method) except -1
    cdef int set_marks(self, bint marks) except -1
