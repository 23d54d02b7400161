"""The kernel as execution algorithms see it."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.kernel.answers cimport Answers
from pyrt.kernel.calls cimport Calls

@cython.final
cdef class World:
    cdef readonly Clock clock
    cdef readonly object sessions_of
    """Callable: instrument → (opens, closes) or None."""
    cdef Cache cache
    cdef Calls calls
    cdef Answers answers
