"""What waits on the desk for what it counts on, and leaves when that has been answered."""
from libc.stdint cimport int64_t
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command
from pyrt.execution.desk cimport Desk

cdef inline bint has_asked(Command command, int what) noexcept:
    """Whether others have been asked for `what` on behalf of a submission."""
    return command.asked >> -what & 1


cdef bint hold(Desk desk, Command command) except -1

cdef bint hold_anew(Desk desk, Command command) except -1

cdef bint hold_for(Desk desk, Command command, int what, bint is_new) except -1

cdef str hold_behind(Desk desk, Command command)

cdef int wake(Desk desk) except -1

cdef bint drop(Desk desk, Order order) except -1

cdef bint trim(Desk desk, Order order) except -1

cdef list split(Desk desk, Py_ssize_t index, int64_t new, int64_t old)
