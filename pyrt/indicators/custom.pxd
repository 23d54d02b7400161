"""The base of indicators written in Python."""

from pyrt.indicators.compose cimport Composable


cdef class PyIndicator(Composable):
    cdef tuple given
    """Positional constructor arguments, to make a twin with."""
    cdef dict named
    cdef readonly tuple outputs

    cdef int take(self, tuple row) except -1
