"""What a split makes of quantities and prices."""
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument

cdef int64_t restated(int64_t value, int64_t numerator, int64_t denominator, int mode) except? -1

cdef int64_t split_units(Instrument instrument, int64_t units, int64_t new,
                         int64_t old) except? -1

cdef int64_t split_price(Instrument instrument, int64_t price, int side, int64_t new,
                         int64_t old) except? -1

cdef int64_t split_distance(int64_t distance, int64_t new, int64_t old) except? -1
