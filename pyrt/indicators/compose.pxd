"""Chains of indicators and arithmetic on them."""

from pyrt.core.ports cimport Indicator

cdef enum:
    MAX_NODES = 32
    MAX_COLUMNS = 8


cdef class Composable(Indicator):
    cdef double output_at(self, int k) noexcept


cdef class Derived(Composable):
    cdef readonly tuple outputs
    """One output, `value`."""
    cdef list order
    """Every indicator below this one, once, sources before what uses them."""
    cdef int slots[MAX_NODES][MAX_COLUMNS]
    """For each leaf of `order`, the places of its inputs in this one's row."""

    cdef int join(self, tuple operands, Py_ssize_t lookback) except -1
    cdef int refresh(self) except -1
    cdef object evaluate(self, list arrays)
    cdef object column_of(self, object item, dict given, dict known)
    cdef tuple operands(self)
