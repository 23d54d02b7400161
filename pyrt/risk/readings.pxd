"""Portfolio risk as last computed, in the units in which limits compare."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.risk.claims cimport Book

@cython.final
cdef class Readings:
    cdef readonly int64_t ts
    """When it was computed, ns UTC; INT64_MIN before the first time."""
    cdef readonly dict betas
    """Symbol → beta against the market symbol."""
    cdef dict raw_betas
    """The same in 1e-9."""
    cdef readonly dict values
    """The same readings as floats, by name."""
    cdef int128 value_at_risk
    cdef int128 shortfall
    cdef int128 beta_exposure
    cdef int64_t volatility
    cdef int64_t correlation
    cdef int64_t number
    """How many there have been, this one included."""
    cdef int find_beta(self, Instrument instrument, Book* book) except -1
    cdef int128 beta_part(self, Instrument instrument, Book* book, int128 value) except? -1
