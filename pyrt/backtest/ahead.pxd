"""Conditions of a stream judged over many of its rows at once, before they are taken."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.backtest.feed cimport Cursor
from pyrt.core.panel cimport Panel
from pyrt.core.streams cimport Stream

@cython.final
cdef class Ahead:
    cdef Cursor cursor
    cdef Stream stream
    cdef Panel panel
    cdef list indicators
    """What the stream feeds ..."""
    cdef list twins
    """... and, of each, one that runs ahead; it has taken the window."""
    cdef list signals
    """The stream's, when last looked at."""
    cdef object chunk
    """The cursor's, whose columns the panel shows."""
    cdef double* unread
    """What the indicators themselves write while they follow."""
    cdef Py_ssize_t origin
    """Events of the stream before the first that the indicators have taken."""
    cdef Py_ssize_t base
    """Events of the stream before the window's first row."""
    cdef Py_ssize_t n
    """Rows in the window."""
    cdef bint is_usable
    """Indicators and conditions can do this, and nobody else has touched them."""

    cdef int begin(self, Cursor cursor) except -1
    cdef int look_up(self) except -1
    cdef bint are_at(self, Py_ssize_t rows) except -1
    cdef bint reaches(self, Py_ssize_t number) except -1
    cdef int lay(self) except -1
    cdef Py_ssize_t quiet(self, Py_ssize_t limit) except -1
    cdef Py_ssize_t scan(self, Py_ssize_t start, Py_ssize_t limit) except -1
    cdef int take(self, Py_ssize_t rows) except -1
    cdef int give(self, object indicator, Py_ssize_t number, Py_ssize_t row, Py_ssize_t rows,
                  double* written) except -1
