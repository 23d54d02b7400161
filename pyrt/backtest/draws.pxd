"""Random numbers of the venue's models: streams keyed by seed, model and instrument."""
cimport cython
from libc.stdint cimport int32_t, uint64_t

@cython.final
cdef class Draws:
    cdef uint64_t key
    cdef dict counters
    """Instrument → numbers drawn so far."""

    cdef uint64_t bits(self, int32_t instrument) except? 0
    cdef double uniform(self, int32_t instrument) except? -1.0
    cdef double normal(self, int32_t instrument) except? -1e300
