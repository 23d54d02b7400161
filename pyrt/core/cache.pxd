"""What the kernel knows now, by number and by name: instruments, streams, positions, orders."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.orders cimport Order
from pyrt.core.positions cimport Position
from pyrt.core.recent cimport Recent
from pyrt.core.streams cimport Stream

@cython.final
cdef class Cache:
    cdef readonly list instruments
    cdef dict by_name
    cdef readonly list streams
    cdef dict stream_by_topic
    cdef readonly list books
    """Per strategy: dict of symbol → Position."""
    cdef list slots
    """Per strategy: list of Position or None by instrument index."""
    cdef list by_instrument
    """Per instrument: the Positions that exist in it."""
    cdef list by_number
    """Order by its number while it is open or kept; else None."""
    cdef list open_by_strategy
    """Per strategy: dict of number → open Order, in order of submission."""
    cdef readonly bint keep_closed
    """Keep closed orders findable, for late fills from a real venue."""
    cdef readonly str cost

    cdef Instrument find(self, str name)
    cdef Recent kept(self, str kind, str symbol, str timeframe)
    cdef Position position(self, int32_t strategy, str symbol)
    cdef Position position_at(self, int32_t strategy, Instrument instrument)
    cdef int64_t last_mark(self, Instrument instrument) except? -1
    cdef int add_order(self, Order order) except -1
    cdef int drop_order(self, Order order) except -1
    cdef bint is_open(self, Order order) except -1
    cdef Order order(self, int32_t number)
