"""Rows of one stream side by side: what conditions are judged over many at once by."""
cimport cython
from libc.stdlib cimport free, malloc


@cython.final
cdef class Panel:
    """A window of a stream's rows with the outputs of the indicators it feeds."""

    def __dealloc__(self):
        free(self.lines)

    cdef int hold(self, list indicators) except -1:
        """Make room for the outputs of these indicators; 0 if they are too many."""
        cdef Indicator indicator
        cdef Py_ssize_t i = 0, n = 0
        if len(indicators) > 64:
            return 0
        for indicator in indicators:
            self.starts[i] = n
            n += indicator.n_outputs()
            i += 1
        free(self.lines)
        self.lines = <double*>malloc(max(n, 1) * PANEL_ROWS * sizeof(double))
        if self.lines == NULL:
            raise MemoryError
        self.indicators = indicators
        self.n_lines = n
        return 1

    cdef double* line(self, Py_ssize_t number, int output) noexcept:
        """The outputs of indicator `number` over the window."""
        return self.lines + (self.starts[number] + output) * PANEL_ROWS

    cdef Line line_of(self, Indicator indicator, int output) noexcept:
        """The outputs of an indicator over the window; NULL if the stream does not feed it."""
        cdef Py_ssize_t i
        for i in range(len(self.indicators)):
            if self.indicators[i] is indicator:
                return self.line(i, output)
        return NULL
