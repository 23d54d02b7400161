"""Calling strategies: one order of handlers, and one policy for what they raise."""
cimport cython

from pyrt.core.clock cimport TimerEvent
from pyrt.core.orders cimport Order
from pyrt.kernel.hooks cimport Hooks

import logging

from pyrt.core.times import format_ns
from pyrt.errors import ConfigError, RunawayError, StrategyError

cdef extern from "Python.h":
    object PyObject_CallOneArg(object callable, object argument)


cdef int raise_set_error() except -1:
    return -1


@cython.final
cdef class Calls:
    """Calls the handlers of strategies, and applies the error policy to what they raise.

    Parameters
    ----------
    bus : MessageBus
        Held during a call, so that messages published by a handler follow after it.
    clock : Clock
    cache : Cache
    desk : Desk
    hooks : list of Hooks
        By the strategies' numbers.
    on_error : {"raise", "halt", "log"}
        What an exception in a handler does: end the run, stop that strategy, or be logged.
    """

    def __init__(self, MessageBus bus, Clock clock, Cache cache, Desk desk, list hooks,
                 str on_error="raise"):
        if on_error not in ("raise", "halt", "log"):
            raise ConfigError(f"on_error is {on_error!r}; expected 'raise', 'halt' or 'log'")
        self.bus = bus
        self.clock = clock
        self.cache = cache
        self.desk = desk
        self.hooks = hooks
        self.on_error = on_error
        self.errors = []
        bus.on_error = self.bus_failed

    # -- calling -------------------------------------------------------------------------------

    cdef int signal(self, Signal signal, object view) except -1:
        """Call the handler of a condition that has come true."""
        self.bus.begin()
        try:
            if signal.takes_view:
                signal.handler(view)
            else:
                signal.handler()
        except Exception as error:
            self.failed(<StrategyCore>signal.owner, signal.handler, view, error)
        finally:
            self.bus.end()
        return 0

    cdef int timers(self, int64_t ts) except -1:
        """Call what is due at or before `ts`, in the order it was set."""
        cdef TimerEvent event
        cdef StrategyCore owner
        cdef int fired = 0
        while self.clock.next_due <= ts:
            event = self.clock.pop_due(ts)
            owner = event.owner
            if owner is None:
                # The kernel's own, such as the end of an order.
                event.handler(event)
                continue
            if not owner.running:
                continue
            handler = event.handler
            if handler is None:
                handler = (<Hooks>self.hooks[owner.number]).on_timer
            if handler is None:
                raise ConfigError(f"timer {event.name!r} of {owner.name} has no handler to call")
            self.bus.begin()
            try:
                self.call(owner, handler, event)
            finally:
                self.bus.end()
            fired += 1
            if fired > ROUNDS_MAX:
                raise RunawayError(
                    f"{owner.name} sets timers for {format_ns(ts)} without end",
                    strategy=owner.name,
                )
        return 0

    def plain(self, StrategyCore strategy, str handler):
        """Call a handler without arguments, such as `on_start`."""
        self.bus.begin()
        try:
            getattr(strategy, handler)()
        except Exception as error:
            self.failed(strategy, handler, None, error)
        finally:
            self.bus.end()

    cdef int call(self, StrategyCore owner, object method, object argument) except -1:
        try:
            PyObject_CallOneArg(method, argument)
        except Exception as error:
            self.failed(owner, method, argument, error)
        return 0

    # -- what they raise -----------------------------------------------------------------------

    cdef int failed_in_dispatch(self, StrategyCore owner, object method, object view) except -1:
        """Apply the error policy to the exception that is set."""
        try:
            raise_set_error()
        except Exception as error:
            self.bus.leave()
            self.failed(owner, method, view, error)
            self.bus.depth += 1
        except BaseException:
            self.bus.leave()
            raise
        return 0

    cdef int failed(self, StrategyCore owner, object method, object argument,
                    object error) except -1:
        """Apply the error policy to an exception that a handler let out."""
        name = method if isinstance(method, str) else getattr(method, "__name__", repr(method))
        what = "" if argument is None else f" for {argument!r}"
        message = (
            f"{owner.name}.{name} raised {type(error).__name__}: {error}"
            f"{what} at {format_ns(self.clock.now)}"
        )
        wrapped = StrategyError(
            message, strategy=owner.name, handler=name, event=repr(argument), ts=self.clock.now
        )
        if self.on_error == "raise":
            raise wrapped from error
        self.errors.append(wrapped)
        wrapped.__cause__ = error
        logging.getLogger(f"pyrt.strategy.{owner.name}").error(message, exc_info=error)
        if self.on_error == "halt":
            self.halt(owner, message)
        return 0

    def take_failure(self, StrategyCore owner not None, handler, argument, error):
        """Apply the error policy to what a handler of a strategy let out, a method of it or not."""
        self.failed(owner, handler, argument, error)

    def bus_failed(self, handler, message, error):
        """Apply the error policy to a handler of a bus message; true goes on with the next."""
        owner = getattr(handler, "__self__", None)
        if not isinstance(owner, StrategyCore) or not isinstance(error, Exception):
            return False
        self.failed(owner, handler, message, error)
        return True

    def halt(self, StrategyCore strategy, str reason):
        """Stop one strategy: no handler of it is called any more; its entries are canceled."""
        cdef Order order
        strategy.set_running(False, reason)
        for stream in self.cache.streams:
            (<Stream>stream).remove_owner(strategy)
        self.clock.cancel_all(owner=strategy)
        for order in self.cache.orders_open(strategy.number):
            if not order.is_exit:
                self.desk.cancel(strategy, order)
