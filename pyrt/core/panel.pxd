"""Rows of one stream side by side: what conditions are judged over many at once by."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.ports cimport Indicator

cdef enum:
    PANEL_ROWS = 1024

ctypedef const double* Line

@cython.final
cdef class Panel:
    cdef Line[5] columns
    """The stream's columns from the window's first row on."""
    cdef const int64_t* times
    """When each row happened, ns UTC."""
    cdef list indicators
    """Those the stream feeds."""
    cdef Py_ssize_t[64] starts
    """Of each, its first line."""
    cdef double* lines
    """Outputs in the window, PANEL_ROWS to a line, one line an output."""
    cdef Py_ssize_t n_lines

    cdef int hold(self, list indicators) except -1
    cdef double* line(self, Py_ssize_t number, int output) noexcept
    cdef Line line_of(self, Indicator indicator, int output) noexcept
