"""What one bar offers to features: its prices, and what follows from it and the bar before."""
from libc.stdint cimport int64_t

cdef enum:
    N_COLUMNS = 27

cdef class BarColumns:
    cdef double[N_COLUMNS] at
    """The row of the latest bar, in the order of `COLUMN_NAMES`."""
    cdef object zone
    cdef int64_t offset
    """Local time minus UTC, ns, for instants in [known_from, known_to)."""
    cdef int64_t known_from
    cdef int64_t known_to
    cdef int64_t before_ts
    cdef double before_close
    cdef double before_high
    cdef double before_low
    cdef double before_return
    cdef int take(self, int64_t ts, double first, double high, double low, double close,
                  double volume) except -1
    cdef int prices(self, double first, double high, double low, double close,
                    double volume) except -1
    cdef int returns(self, double first, double high, double low, double close,
                     double volume) except -1
    cdef int calendar(self, int64_t ts) except -1
    cdef int clear(self) except -1
