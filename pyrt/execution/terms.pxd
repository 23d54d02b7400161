"""The terms of an order as a strategy writes them: read, checked, made codes of."""
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command

cdef int64_t units_of(Instrument instrument, object quantity) except? -1
cdef int64_t signed_units(Instrument instrument, object quantity) except? -1
cdef int64_t positive_price(dict terms, str name) except? -1
cdef dict exit_terms(dict terms, str name)
cdef int64_t exit_price(Order exit) except? -1
cdef int read_terms(Order order, dict terms, dict default_tif, int64_t now) except -1
cdef int read_changes(Command command, dict changes) except -1
cdef int read_type(Order order, dict terms) except -1
