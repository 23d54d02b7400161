"""Fee models: what an execution costs, exact."""
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.ports cimport FeeModel

cdef class NoFees(FeeModel):
    cdef int reserved

cdef class BpsFees(FeeModel):
    cdef int64_t maker
    """In 1e-9 of the notional."""
    cdef int64_t taker

cdef class PerShareFees(FeeModel):
    cdef int128 per_share
    """In 1e-18 per share."""
    cdef int128 minimum
    cdef int64_t maximum
    """Cap in 1e-9 of the notional; 0 for none."""
    cdef int128 total(self, Instrument instrument, int64_t quantity) except? -1

cdef class FixedFees(FeeModel):
    cdef int128 amount
    cdef bint per_fill

cdef class UsRegulatoryFees(FeeModel):
    cdef int64_t[:, ::1] sec
    """Rows (first ns in force, rate in 1e-9 of notional)."""
    cdef int64_t[:, ::1] taf
    """Rows (first ns in force, rate per share in 1e-9 dollars, cap in 1e-9 dollars)."""

cdef class SumOfFees(FeeModel):
    cdef readonly tuple models

cdef class PythonFees(FeeModel):
    cdef readonly object model
