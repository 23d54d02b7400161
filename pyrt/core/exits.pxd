"""Conditions on a position: which way it is held, and when it is to be left."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.conditions cimport Condition, Foreseeing
from pyrt.core.events cimport Event
from pyrt.core.int128 cimport int128
from pyrt.core.positions cimport Position

@cython.final
cdef class Holding(Condition):
    cdef readonly str symbol
    cdef readonly str side
    """"flat", "long" or "short"."""
    cdef int wanted
    """0, 1 or -1."""
    cdef Position position

cdef struct Held:
    bint fresh         # entered, and no price seen since
    double best        # price since entry, from the average on
    int64_t events     # that saw the position held

cdef class Exit(Foreseeing):
    cdef readonly str symbol
    cdef readonly double distance
    cdef Position position
    cdef int side
    """1 long, -1 short, 0 nothing held, as last seen."""
    cdef int64_t entry_time
    cdef int64_t units
    cdef int128 cost
    cdef double average
    """Average price of the units held."""
    cdef int long_column
    """Where a price to leave a long position at stands in the event ..."""
    cdef int short_column
    """... and a short one."""
    cdef const double* prices
    """Those of a panel's rows."""
    cdef Held memory
    cdef Held ahead
    """The memory's copy; see `Foreseeing`."""
    cdef int look(self) except -2
    cdef int step(self, Held* memory, double price) noexcept
    cdef int judge(self, Held* memory, double price) noexcept
