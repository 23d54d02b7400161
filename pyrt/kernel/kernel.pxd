"""The kernel: two inputs, `advance` and `process`; both worlds call these and nothing else."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.events cimport Event
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport ApprovedOrder, Command
from pyrt.kernel.wiring cimport Wiring

@cython.final
cdef class Kernel(Wiring):
    cdef int advance(self, int64_t ts) except -1
    cdef int process(self, Event* event) except -1
    cdef int on_status(self, Event* event) except -1
    cdef int on_cash(self, Event* event) except -1
    cdef int on_corporate_action(self, Event* event) except -1
    cdef int restate(self, Py_ssize_t index, int64_t new, int64_t old) except -1

    cdef int deliver(self) except -1
    cdef int settle(self) except -1
    cdef int execute(self, Command command) except -1
    cdef str judged(self, Order order)
    cdef str judged_change(self, Command command)
    cdef int submit(self, Order order) except -1
    cdef int deny(self, Order order, str reason) except -1
    cdef int submit_pair(self, ApprovedOrder first, Order second) except -1

    cdef int fire_timers(self, int64_t ts) except -1
    cdef int deliver_aggregates(self) except -1
    cdef int sample(self, int64_t ts) except -1
