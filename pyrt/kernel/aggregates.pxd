"""Bars made from finer data on the way: built here, delivered like bars that were given."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.events cimport Event
from pyrt.core.streams cimport Stream
from pyrt.data.aggregation cimport Aggregator

@cython.final
cdef class Aggregates:
    cdef Cache cache
    cdef Clock clock
    cdef readonly int64_t due
    """When the next bar is over though nothing more comes; INT64_MAX for never."""
    cdef list completed
    """Bars not yet delivered, as rows that sort finest timeframe first."""
    cdef list batch
    """Those being delivered, first one last."""
    cdef list plain
    """(aggregator, target) of bars made from data that are given."""
    cdef list chained
    """The same of bars made from bars that are made here, finest first."""
    cdef bint chain_due
    """Time has closed bars, and those made from them are still to be looked at."""

    cdef int link(self, Stream source, Aggregator aggregator, Stream target) except -1
    cdef int add_bar(self, Stream stream, Event* event) except -1
    cdef int add_quote(self, Stream stream, Event* event) except -1
    cdef int add_trade(self, Stream stream, Event* event) except -1
    cdef int close(self, int64_t ts) except -1
    cdef bint pop(self, Event* event) except -1
    cdef int collect(self, Aggregator aggregator, Stream target, int n) except -1
    cdef int close_chained(self) except -1
    cdef inline bint ready(self) noexcept:
        """A completed bar waits to be delivered, or may come of those that were."""
        return len(self.completed) > 0 or self.chain_due
