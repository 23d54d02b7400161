"""Limits compiled: one row of raw numbers for each set of symbols that share them."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.risk.checks cimport N_CONTROLS, Caps, Control

@cython.final
cdef class CapsTable:
    cdef readonly object limits
    cdef Caps* rows
    cdef readonly Py_ssize_t count
    cdef dict numbers
    cdef object share
    cdef Control[N_CONTROLS] enabled
    cdef readonly int n_enabled
    cdef readonly bint needs_value
    """Some limit is an amount of money, so an order without a price is denied ..."""
    cdef readonly str value_code
    """... under this code."""
    cdef int number(self, Instrument instrument) except -1
    cdef int fill(self, Caps* row, symbol, int decimals, bint is_allowed) except -1
    cdef int enable(self) except -1
