"""The kernel's two inputs as a live world gives them: decoded messages, one at a time."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.book_feed cimport BookColumns
from pyrt.core.events cimport Event
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport FeeModel
from pyrt.core.streams cimport Stream
from pyrt.kernel.kernel cimport Kernel
from pyrt.live.core.tape cimport Tape


@cython.final
cdef class Inputs:
    cdef readonly Kernel kernel
    cdef readonly Tape tape
    cdef readonly FeeModel fees
    cdef readonly dict last_bars
    """Stream → end of the last bar that was played or fed, of streams that bars come in on."""
    cdef readonly bint holds_timers
    """Time passes, and neither timers fire nor does a bar end by it alone; see `hold`."""
    cdef readonly bint holds_bars
    cdef int64_t ends_from
    """No bar ends by time earlier, since its parts may not have been heard yet; ns UTC."""
    cdef int64_t went_on
    """When the process went on after it had stood still; ns UTC."""
    cdef bint is_broken_off

    cdef int64_t next_due(self) noexcept
    cdef int catch_up(self, int64_t ts) except -1
    cdef int end_quietly(self, int64_t until) except -1
    cdef int finish_bars(self) except -1
    cdef int quiet(self) except -1
    cdef int fire(self) except -1
    cdef int begin(self, Event* event, int kind, int64_t ts_event, Stream stream=*) except -1
    cdef int feed(self, Event* event) except -1
    cdef int take_book(self, Stream stream, int64_t ts_event, BookColumns rows) except -1
    cdef int accrue(self, Order order, Event* event, object taken) except -1
    cdef int book_fee(self, Event* event) except -1
