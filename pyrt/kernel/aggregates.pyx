"""Bars made from finer data on the way: built here, delivered like bars that were given."""
cimport cython
from libc.math cimport NAN
from libc.stdint cimport INT64_MAX, int64_t

from pyrt.core.events cimport clear_event
from pyrt.core.types cimport EV_BAR
from pyrt.data.aggregation cimport BarRow


@cython.final
cdef class Aggregates:
    """The bars that streams of a run build for coarser streams.

    Parameters
    ----------
    cache : Cache
    clock : Clock
    """

    def __init__(self, Cache cache, Clock clock):
        self.cache = cache
        self.clock = clock
        self.due = INT64_MAX
        self.completed = []
        self.batch = []
        self.plain = []
        self.chained = []

    cdef int link(self, Stream source, Aggregator aggregator, Stream target) except -1:
        """Let `aggregator` build the bars of `target` from the events of `source`."""
        source.add_aggregate(aggregator, target)
        if self.makes(source):
            self.chained = sorted(
                [*self.chained, (aggregator, target)], key=lambda pair: pair[1].timeframe_ns
            )
        else:
            self.plain = [*self.plain, (aggregator, target)]
        self.due = min(self.due, aggregator.next_due)
        return 0

    def makes(self, Stream stream not None):
        """Return whether a stream's bars are made here."""
        return any(pair[1] is stream for pair in self.plain + self.chained)

    def hold(self, Stream source not None, bint waits):
        """Let bars made of a stream's bars end by their parts alone, or by time again.

        Some of their parts are late, and on their way.
        """
        cdef list sources = [source], made = []
        for stream in sources:
            for aggregator, target in stream.aggregates:
                made.append(aggregator)
                sources.append(target)
        self.plain = [marked(pair, made, waits) for pair in self.plain]
        self.chained = [marked(pair, made, waits) for pair in self.chained]
        self.due = first_due(self.plain + self.chained)

    def close_made(self, Stream source not None, int64_t ts):
        """Complete bars made of one stream that are over at `ts`: all their parts are there."""
        cdef Aggregator aggregator
        for pair in source.aggregates:
            aggregator = <Aggregator>(<tuple>pair)[0]
            self.collect(aggregator, (<tuple>pair)[1], aggregator.advance(ts))
        self.due = first_due(self.plain + self.chained)

    cdef int add_bar(self, Stream stream, Event* event) except -1:
        cdef Aggregator aggregator
        cdef int n
        for pair in stream.aggregates:
            aggregator = <Aggregator>(<tuple>pair)[0]
            n = aggregator.add_bar(
                event.ts_open, event.ts_event, event.values[0], event.values[1], event.values[2],
                event.values[3], event.values[4],
            )
            self.collect(aggregator, (<tuple>pair)[1], n)
        return 0

    cdef int add_trade(self, Stream stream, Event* event) except -1:
        cdef Aggregator aggregator
        cdef int n
        for pair in stream.aggregates:
            aggregator = <Aggregator>(<tuple>pair)[0]
            n = aggregator.add_trade(
                event.ts_event, event.values[0], event.values[1], <int>event.quantity
            )
            self.collect(aggregator, (<tuple>pair)[1], n)
        return 0

    cdef int add_quote(self, Stream stream, Event* event) except -1:
        cdef Aggregator aggregator
        # A side that nobody quotes comes as a price of zero.
        cdef double bid = event.values[0] if event.values[0] > 0.0 else NAN
        cdef double ask = event.values[2] if event.values[2] > 0.0 else NAN
        for pair in stream.aggregates:
            aggregator = <Aggregator>(<tuple>pair)[0]
            self.collect(
                aggregator, (<tuple>pair)[1], aggregator.add_quote(event.ts_event, bid, ask)
            )
        return 0

    cdef int close(self, int64_t ts) except -1:
        """Complete the bars whose time is over at `ts` although nothing came."""
        cdef Aggregator aggregator
        self.due = INT64_MAX
        for pair in self.plain:
            if len(pair) > 2:
                continue
            aggregator = <Aggregator>(<tuple>pair)[0]
            self.collect(aggregator, (<tuple>pair)[1], aggregator.advance(ts))
        # Bars made of these take them first: they are looked at when these are delivered.
        self.chain_due = len(self.chained) > 0
        return 0

    cdef int close_chained(self) except -1:
        """Complete bars made of bars, up to the first that then waits to be delivered itself."""
        cdef Aggregator aggregator
        for pair in self.chained:
            if len(pair) > 2:
                continue
            aggregator = <Aggregator>(<tuple>pair)[0]
            self.collect(aggregator, (<tuple>pair)[1], aggregator.advance(self.clock.now))
            if self.completed:
                return 0
        self.chain_due = False
        self.due = first_due(self.plain + self.chained)
        return 0

    cdef int collect(self, Aggregator aggregator, Stream target, int n) except -1:
        cdef int i
        cdef BarRow* row
        for i in range(n):
            row = &aggregator.completed.at[i]
            self.completed.append((
                target.timeframe_ns, target.index, row.ts_open, row.ts_close, row.open, row.high,
                row.low, row.close, row.volume,
            ))
        if aggregator.next_due < self.due:
            self.due = aggregator.next_due
        return 0

    cdef bint pop(self, Event* event) except -1:
        """Move the next completed bar into `event`, finest timeframe first; False if none is.

        What is delivered may complete coarser bars: they follow after all that waited before.
        """
        cdef Stream stream
        cdef tuple row
        if not self.batch:
            if not self.completed and self.chain_due:
                self.close_chained()
            if not self.completed:
                return False
            self.batch = sorted(self.completed, reverse=True)
            self.completed = []
        row = self.batch.pop()
        clear_event(event)
        stream = <Stream>self.cache.streams[<int>row[1]]
        event.kind = EV_BAR
        event.stream = stream.index
        event.instrument = stream.instrument.index
        event.ts_open = row[2]
        event.ts_event = row[3]
        event.ts_init = self.clock.now
        event.values[0] = row[4]
        event.values[1] = row[5]
        event.values[2] = row[6]
        event.values[3] = row[7]
        event.values[4] = row[8]
        return True


cdef tuple marked(tuple pair, list held, bint waits):
    """Return (aggregator, target), with a third item where it waits for parts that are late."""
    if not any([pair[0] is aggregator for aggregator in held]):
        return pair
    return (pair[0], pair[1], True) if waits else (pair[0], pair[1])


cdef int64_t first_due(list pairs) except? -1:
    """When the first of these bars ends by time; INT64_MAX where none does."""
    cdef int64_t due = INT64_MAX
    for pair in pairs:
        if len(pair) == 2:
            due = min(due, (<Aggregator>(<tuple>pair)[0]).next_due)
    return due
