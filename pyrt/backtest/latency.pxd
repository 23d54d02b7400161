"""Latency models: how long a message takes to the venue, and its answer back."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.backtest.draws cimport Draws

cpdef enum MessageKind:
    """What is on its way: to the venue a submission, change or cancel, back an answer."""
    SUBMISSION = 0
    CHANGE = 1
    CANCELLATION = 2
    ANSWER = 3

cdef class LatencyModel:
    cdef int64_t delay(self, int kind, int64_t ts, int32_t instrument) except? -1

@cython.final
cdef class ConstantLatency(LatencyModel):
    cdef int64_t[4] delays
    """By MessageKind, ns."""

@cython.final
cdef class RandomLatency(LatencyModel):
    cdef readonly str distribution
    cdef double first
    cdef double second
    cdef Draws draws
    cdef readonly bint answers
    """Whether answers are delayed as well."""

@cython.final
cdef class RecordedLatency(LatencyModel):
    cdef const int64_t[::1] stamps
    cdef const int64_t[::1] entries
    cdef const int64_t[::1] answers
    cdef readonly str digest
    """Of the records: what a run's settings show of them."""
