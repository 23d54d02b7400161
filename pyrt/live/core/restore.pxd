"""Orders and positions to plain values and back into a kernel, bit for bit."""
from pyrt.core.positions cimport Position
from pyrt.kernel.kernel cimport Kernel


cdef int number_of(Kernel kernel, str name) except -1
cdef int begin_trip(Position position) except -1
