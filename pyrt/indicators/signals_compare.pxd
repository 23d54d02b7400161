"""Numbers that conditions read, and comparisons between them."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.conditions cimport Condition
from pyrt.core.events cimport Event
from pyrt.core.panel cimport Line, Panel

cdef class Source:
    """A number that is there at each event: an indicator's, a column's, or a constant."""
    cdef const double* at
    """Where it stands; NULL for a column of the event, and where `fetch` has to be asked."""
    cdef int column
    """Place in the event's values; -1 where it is not a column."""
    cdef object kept
    """The indicator whose memory `at` points into."""
    cdef double constant
    cdef const double* laid
    """Where it stands in a panel, at the window's first row ..."""
    cdef Py_ssize_t step
    """... and how far from row to row: 0 for a constant."""

    cdef double fetch(self, const Event* event) except? -1.0
    cdef Line line_in(self, Panel panel) except? NULL
    cdef bint lay(self, Panel panel) except -1
    cdef int renew(self) except -1

    cdef inline double read(self, const Event* event) except? -1.0:
        if self.at != NULL:
            return self.at[0]
        if self.column >= 0:
            return event.values[self.column]
        return self.fetch(event)

@cython.final
cdef class Column(Source):
    cdef readonly str name

@cython.final
cdef class Comparison(Condition):
    cdef Source left
    cdef Source right
    cdef readonly str sign
    cdef const double* left_at
    """The sources' memory; NULL where they are to be asked."""
    cdef const double* right_at
    cdef int when_less
    """Verdicts for left < right ..."""
    cdef int when_equal
    cdef int when_more

cdef Source source_of(object given)
