"""The base of compiled indicators: one C kernel behind `update`, `feed` and `batch`."""

cimport cython

from libc.math cimport NAN

from pyrt.indicators.compose cimport Composable

cdef enum:
    MAX_INPUTS = 6
    MAX_OUTPUTS = 8
    CHUNK = 512  # most rows one call of `run` gets: what stages of a kernel may hold between them


cdef int whole(str name, object value, int low) except? -1
cdef double number(str name, object value, double low, double high) except? -1.0


cdef class Native(Composable):
    cdef readonly tuple outputs
    """Names of the outputs, in the order of `values`; the first is `value`."""
    cdef readonly tuple arguments
    """Parameter values, positionally, as the constructor takes them."""
    cdef readonly tuple names
    """Names of the parameters, in the order of `arguments`."""
    cdef Py_ssize_t rows
    """Rows offered since the last reset, gaps included; during `run`, the row of its first."""
    cdef Py_ssize_t seen
    """Rows without a gap since the last reset: those the kernel has taken."""
    cdef Py_ssize_t stretch
    """Most rows one call of `run` gets; above CHUNK where the kernel keeps no rows in between."""
    cdef bint stateless
    """Every row stands alone and NaN in gives NaN out: gaps need no looking for."""
    cdef int n_in
    cdef int n_out
    cdef double out[MAX_OUTPUTS]
    """Latest outputs; NaN during warm-up and on a gap row."""
    cdef void* memory
    """Singly linked blocks handed out by `reserve`, owned by this object."""

    cdef void run(self, const double* const* x, double* const* y, Py_ssize_t n) noexcept nogil
    cdef Py_ssize_t flow(self, const double* x, double* y, Py_ssize_t n) noexcept nogil
    cdef int lives
    """How often it was begun: once, or again at each `reset`."""
    cdef int feed(self, const double* x) except -1
    cdef int take_rows(self, const double* const* x, double* const* y, Py_ssize_t n) except -1
    cdef int begin(self, tuple names, tuple arguments, Py_ssize_t lookback,
                   tuple outputs=*) except -1

    @cython.final
    cdef inline int note(self, double y) except -1:
        """End `feed` of a kernel with one output: a row without a gap gave `y`."""
        self.rows += 1
        self.seen += 1
        if self.seen > self.lookback:
            self.ready = True
        else:
            y = NAN
        self.out[0] = self.value = y
        return 0

    @cython.final
    cdef inline int note_gap(self) except -1:
        """End `feed` of a kernel with one output: the row was a gap."""
        self.rows += 1
        self.out[0] = self.value = NAN
        return 0

    cdef double* reserve(self, Py_ssize_t doubles) except NULL
    cdef object compute(self, tuple columns)
    cdef void sweep(
        self, const double* const* x, double* const* y, Py_ssize_t n
    ) noexcept nogil
    cdef void span(
        self, const double* const* x, double* const* y, Py_ssize_t start, Py_ssize_t stop
    ) noexcept nogil


cdef class Series(Native):
    pass


cdef class HighLow(Native):
    pass


cdef class OpenClose(Native):
    pass


cdef class CloseVolume(Native):
    pass


cdef class HighLowClose(Native):
    pass


cdef class HighLowVolume(Native):
    pass


cdef class OpenHighLowClose(Native):
    pass


cdef class HighLowCloseVolume(Native):
    pass


cdef class OpenHighLowCloseVolume(Native):
    pass


cdef class Quotes(Native):
    pass


cdef class HighLowCloseVolumeTime(Native):
    pass
