"""Calling strategies: one order of handlers, and one policy for what they raise."""
cimport cython
from cpython.object cimport PyObject
from cpython.ref cimport Py_DECREF
from libc.stdint cimport int64_t
from pyrt.core.bus cimport MessageBus
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.conditions cimport Signal
from pyrt.core.streams cimport Stream
from pyrt.execution.desk cimport Desk
from pyrt.strategy.core cimport StrategyCore

cdef extern from "Python.h":
    PyObject* call_one "PyObject_CallOneArg" (PyObject* callable, PyObject* argument) noexcept

cdef enum:
    ROUNDS_MAX = 10_000  # handlers may answer what they cause so often at one instant

@cython.final
cdef class Calls:
    cdef MessageBus bus
    cdef Clock clock
    cdef Cache cache
    cdef Desk desk
    cdef list hooks
    cdef readonly str on_error
    """"raise", "halt" or "log"."""
    cdef readonly list errors
    """What handlers raised and the policy let pass, oldest first."""

    cdef int signal(self, Signal signal, object view) except -1
    cdef int timers(self, int64_t ts) except -1
    cdef int call(self, StrategyCore owner, object method, object argument) except -1
    cdef int failed_in_dispatch(self, StrategyCore owner, object method, object view) except -1
    cdef int failed(self, StrategyCore owner, object method, object argument,
                    object error) except -1

    cdef inline int dispatch(self, Stream stream, object view) except -1:
        """Call the stream's handlers in order; messages they publish follow after."""
        # The bus is held by its counter, and a result is looked at without a try: both are
        # on the path of every event.
        cdef MessageBus bus = self.bus
        cdef list handlers = stream.handlers, owners = stream.owners
        cdef PyObject* result
        cdef Py_ssize_t i, n = len(handlers)
        bus.depth += 1
        for i in range(n):
            if not (<StrategyCore>owners[i]).running:
                continue
            result = call_one(<PyObject*>handlers[i], <PyObject*>view)
            if result is NULL:
                self.failed_in_dispatch(<StrategyCore>owners[i], handlers[i], view)
            else:
                Py_DECREF(<object>result)
        bus.depth -= 1
        if stream.channel.has_handlers:
            stream.channel.publish_c(view)
        if bus.pending and bus.depth == 0:
            bus.flush()
        return 0
