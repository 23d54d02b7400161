"""Orders that are kept on our side because the venue lacks what they ask for."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.events cimport Event
from pyrt.core.instruments cimport Instrument
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command
from pyrt.execution.custody cimport Custody
from pyrt.execution.triggers cimport Kept

@cython.final
cdef class Emulator(Custody):
    cdef bint shows_whole(self, Order order) except -1
    cdef str place(self, Order order)
    cdef bint keeps_back(self, Order order) except -1
    cdef bint is_ours(self, Order order, object table) except -1
    cdef str forecast(self, Order order)
    cdef str objection(self, Order order, object table, bint is_sent)
    cdef int change(self, Command command) except -1
    cdef int on_bar(self, Py_ssize_t index, const double* values, int64_t ts_open) except -1
    cdef int on_tick(self, Py_ssize_t index, double bid, double ask) except -1
    cdef bint is_regular(self, Instrument instrument, int64_t ts_open) except -1
    cdef int meet(self, Kept kept, int64_t low, int64_t high, int64_t last) except -1
    cdef int on_order(self, Order order, Event* event) except -1
    cdef int wake_exits(self, Order entry, Event* event) except -1
    cdef int follow_pair(self, Order order, Event* event) except -1
    cdef int follow_kept(self, Kept kept, Order order, Event* event) except -1
    cdef int follow_position(self, Order order) except -1
