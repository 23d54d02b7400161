"""The handlers a strategy defines, looked up once, and the channels its news go to."""
cimport cython
from pyrt.core.bus cimport Channel

@cython.final
cdef class Hooks:
    """The handlers one strategy defines, looked up once; None where it defines none."""
    cdef object on_order
    cdef object on_fill
    cdef object on_position
    cdef object on_timer
    cdef object on_status
    cdef dict narrow
    """Event kind → bound method."""
    cdef bint listens
    """It defines any handler of orders, fills or positions."""
    cdef Channel orders
    cdef Channel fills
    cdef Channel positions
