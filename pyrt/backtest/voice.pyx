"""What a simulated venue says, and when it is heard: messages take their time both ways."""
from libc.stdint cimport INT64_MIN

from pyrt.backtest.latency cimport ANSWER, ConstantLatency
from pyrt.core.types cimport EV_MODIFIED


cdef inline bint has_due(EventQueue delayed, int64_t now) noexcept:
    """Whether something that is to be learned of by now has not been handed out yet."""
    return delayed.count > 0 and delayed.items[delayed.head].ts_init <= now


cdef class VenueVoice:
    """The messages of a venue, by its latency model; `SimVenue` sets its fields."""

    def set_latency(self, LatencyModel latency):
        """Let messages take what a model says."""
        self.latency = latency
        self.is_constant = False
        self.latency_ns = 0
        self.last_arrival = INT64_MIN
        if isinstance(latency, ConstantLatency):
            delays = latency.delays_ns
            self.is_constant = delays[1:] == (delays[0], delays[0], 0)
            self.latency_ns = delays[0]

    def set_output(self, EventQueue out):
        """Send events to a queue of the receiver's."""
        self.out = out

    cdef int64_t arrival_of(self, int kind, int32_t index) except? -1:
        """When a message that leaves now arrives."""
        cdef int64_t arrival
        if self.is_constant:
            return self.now + self.latency_ns
        arrival = self.now + self.latency.delay(kind, self.now, index)
        if arrival < self.last_arrival:
            arrival = self.last_arrival
        self.last_arrival = arrival
        return arrival

    cdef Event* emit(self, VenueOrder order, int kind, int64_t ts) except NULL:
        """Return a record to fill in; it is learned of at `ts`, which may be after now."""
        cdef Event* event
        cdef int64_t learned = ts
        if not self.is_constant:
            learned += self.latency.delay(ANSWER, ts, order.index)
        # Answers about one order come in their order, at one instant too: a bar's end comes first.
        learned = max(learned, order.learned)
        if learned > self.now or (learned == order.learned and has_due(self.delayed, self.now)):
            order.learned = learned
            event = self.delayed.insert(learned)
            if self.next_delayed > learned:
                self.next_delayed = learned
        else:
            event = self.out.push()
        event.kind = kind
        event.order = order.number
        event.instrument = order.index
        event.ts_event = ts
        event.ts_init = learned
        return event

    cdef int say(self, VenueOrder order, int kind, str reason) except -1:
        cdef Event* event = self.emit(
            order, kind, order.effective if order.effective > self.now else self.now
        )
        event.cumulative = order.filled
        if reason is not None:
            event.reason = self.texts.number(reason)
        return 0

    cdef int say_terms(self, VenueOrder order) except -1:
        """Announce the terms in force."""
        cdef Event* event = self.emit(
            order, EV_MODIFIED, order.effective if order.effective > self.now else self.now
        )
        event.quantity = order.units
        event.price = order.limit_price
        event.cumulative = order.stop_price
        return 0
