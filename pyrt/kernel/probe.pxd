"""How long parts of the kernel's work take, for whoever wants to know; the kernel has no clock."""
from libc.stdint cimport int64_t

cpdef enum Stage:
    BOOK = 0
    INDICATORS = 1
    HANDLER = 2
    RISK = 3

cdef class Probe:
    cdef int64_t now(self) except? -1
    cdef int64_t sample(self) except? -1
    cdef int64_t lap(self, int stage, int64_t since) except? -1
