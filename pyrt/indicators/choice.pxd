"""The moving average a `matype` number names."""

from pyrt.indicators.base cimport Native

cdef Native average(int matype, int timeperiod)
cdef int kind(str name, object value) except -1
