"""The order desk: a strategy's wishes become orders and queued commands."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.core.cache cimport Cache
from pyrt.core.clock cimport Clock
from pyrt.core.instruments cimport Instrument
from pyrt.core.orders cimport Order
from pyrt.core.ports cimport Command, OrderDesk, Owner
from pyrt.core.positions cimport Position
from pyrt.core.records cimport Records

@cython.final
cdef class Desk(OrderDesk):
    cdef Cache cache
    cdef Clock clock
    cdef Records records
    cdef readonly str prefix
    """Begins every client order id of the run."""
    cdef readonly list commands
    """Issued and not yet taken by the kernel, oldest first."""
    cdef readonly list waiting
    """Submissions to a target that leave when what they count on has been answered."""
    cdef readonly dict default_tif
    """Kind of instrument → time in force; "" for all others."""
    cdef dict default_codes
    """The same as codes."""
    cdef readonly object capital_of
    """Callable: strategy number, instrument → its equity in the instrument's currency."""
    cdef public object halts
    """Callable: an order → whether nothing but cancels leaves for it."""
    cdef public object shorts_fractions
    """Callable: an instrument → whether the venue lets fractions of a unit be sold short."""
    cdef public object keeps_back
    """Callable: an entry → whether a way out that waits here would be refused for it."""
    cdef public Py_ssize_t commands_max
    """So many may wait; whoever issues more at one instant is taken to do so without end."""
    cdef public object runaway
    """The error of whoever did; None where nobody has."""

    cdef Order describe(self, Owner owner, str symbol, int side, object quantity, dict terms)
    cdef Order new_order(self, Owner owner, Position position, int side, dict terms)
    cdef Order child(self, Order parent, dict exit)
    cdef int enlist(self, Order order) except -1
    cdef int issue(self, Command command) except -1
    cdef int check_room(self, Owner owner) except -1
    cdef int count(self, Order order, int64_t units) except -1
    cdef int tie(self, Order one, Order other) except -1
    cdef int settle(self, Order order) except -1
    cdef int write_row(self, Order order) except -1
