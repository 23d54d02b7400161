"""The kernel as execution algorithms see it: guarded calls, market data, and the record."""
cimport cython
from libc.stdint cimport int64_t

from pyrt.core.orders cimport Order
from pyrt.core.streams cimport Stream
from pyrt.strategy.core cimport StrategyCore


@cython.final
cdef class World:
    """What the order manager asks of the kernel.

    Parameters
    ----------
    clock, cache, calls, answers
        Of the kernel.
    sessions_of : callable
        Instrument → (opens, closes) of its sessions, or None.
    """

    def __init__(self, Clock clock, Cache cache, Calls calls, Answers answers, sessions_of):
        self.clock = clock
        self.cache = cache
        self.calls = calls
        self.answers = answers
        self.sessions_of = sessions_of

    def guarded(self, StrategyCore owner not None, method, argument):
        """Call a method on behalf of a strategy, under the error policy for its handlers."""
        if not owner.running:
            return
        self.calls.bus.begin()
        try:
            self.calls.call(owner, method, argument)
        finally:
            self.calls.bus.end()

    def halts(self, Order order not None):
        """Return whether trading is HALTED for an order."""
        return self.answers.gate.halts(order)

    def announce(self, Order order not None, int kind, int64_t ts, int64_t quantity,
                 int64_t price):
        """Record and tell what has been accounted for already."""
        self.answers.announce(order, kind, ts, quantity, price)

    def listen(self, Order order not None, str kind, method):
        """Hand the finest stream of a kind to an order's algorithm; return whether there is one."""
        cdef Stream stream
        found = [s for s in self.cache.streams
                 if s.kind == kind and s.instrument is order.instrument
                 # Bars that follow no clock are made of others.
                 and (kind != "bars" or s.timeframe[:1].isdigit())]
        if not found:
            return False
        stream = min(found, key=lambda s: s.timeframe_ns)
        stream.add_handler(order.strategy, method)
        return True

    def unlisten(self, Order order not None, methods):
        """Take an algorithm's handlers from all streams."""
        cdef Stream stream
        for stream in self.cache.streams:
            if stream.instrument is order.instrument:
                for method in methods:
                    stream.remove_handler(method)
