"""The last events of a stream, kept in a ring for those who look back."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.events cimport Event

cdef struct Row:
    # As in the event it was; a trade's aggressor is in `ts_open`.
    int64_t ts_open
    int64_t ts_event
    int64_t ts_init
    double[5] values

@cython.final
cdef class Recent:
    cdef readonly str kind
    """"bars", "quotes" or "trades"."""
    cdef readonly str symbol
    cdef readonly str timeframe
    """Of bars; "" for ticks."""
    cdef readonly Py_ssize_t capacity
    """How many are kept at most."""
    cdef readonly int64_t total
    """Events taken in so far, those that have made room included."""
    cdef Row* rows
    cdef Py_ssize_t count
    """How many are held."""
    cdef Py_ssize_t at
    """Where the next one goes."""
    cdef int take(self, const Event* event) noexcept
    cdef int widen(self, Py_ssize_t capacity) except -1
    cdef Row* row(self, Py_ssize_t i) except NULL
    cdef object view(self, Py_ssize_t i)
