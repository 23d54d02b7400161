"""The order manager: what stands between risk and venue."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.events cimport Event, EventQueue
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command, CommandSink
from pyrt.execution.emulation cimport Emulator
from pyrt.execution.parents cimport Parents

@cython.final
cdef class OrderManager(CommandSink):
    cdef readonly Emulator emulator
    cdef readonly Parents parents
