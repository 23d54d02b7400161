"""What a simulated venue says, and when it is heard: messages take their time both ways."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.backtest.book cimport VenueOrder
from pyrt.backtest.latency cimport LatencyModel
from pyrt.core.events cimport Event, EventQueue
from pyrt.core.records cimport Texts

cdef class VenueVoice:
    cdef readonly EventQueue out
    """What happened, in order; the sender takes it from here."""
    cdef EventQueue delayed
    """What happened and is learned of only after the latency."""
    cdef readonly Texts texts
    cdef readonly int64_t latency_ns
    """From sending an order to its arrival, where that is always the same."""
    cdef readonly LatencyModel latency
    cdef bint is_constant
    """All messages to the venue take `latency_ns`, and answers take nothing."""
    cdef int64_t last_arrival
    """When the latest message sent arrives: none overtakes another."""
    cdef int64_t now
    cdef int64_t next_delayed
    """When a delayed event or a command under way is due."""

    @cython.final
    cdef int64_t arrival_of(self, int kind, int32_t index) except? -1

    @cython.final
    cdef Event* emit(self, VenueOrder order, int kind, int64_t ts) except NULL

    @cython.final
    cdef int say(self, VenueOrder order, int kind, str reason) except -1

    @cython.final
    cdef int say_terms(self, VenueOrder order) except -1
