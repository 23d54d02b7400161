"""What the gate said about each order and change: rows, and the columns made of them."""
cimport cython
from libc.stdint cimport int8_t, int16_t, int32_t, int64_t
from pyrt.core.orders cimport Order
from pyrt.core.records cimport Rows

cdef struct VerdictRow:
    int64_t ts_event
    # units that may be filled, and the last price in 1e-9, 0 before the first
    int64_t quantity
    int64_t price
    # value of the order, and worst-case gross exposure with it, in base currency; 0 if not computed
    double value
    double exposure
    int32_t order
    int32_t instrument
    int32_t text
    int16_t strategy
    # index into CODES; 0 is approval
    int16_t control
    int16_t version
    int8_t side
    # 0 a submission, 1 a change
    int8_t is_change
    int32_t reserved

@cython.final
cdef class Verdicts:
    cdef readonly Rows rows
    cdef readonly list versions
    """Of the limits that applied, in order of first use."""
    cdef readonly list reasons
    cdef dict codes
    cdef VerdictRow* append(self, Order order, int64_t now) except NULL
    cdef int code(self, str reason) except -1
    cdef int text(self, str reason) except -1
