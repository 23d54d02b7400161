"""What an order that is kept waits for before it leaves, and how it leaves."""
from pyrt.core.orders cimport Order
from pyrt.execution.custody cimport Custody
from pyrt.execution.triggers cimport Kept

cdef int fire(Custody custody, Kept kept) except -1

cdef int go_on(Custody custody, Order other) except -1

cdef bint may_rest(Custody custody, Order leg, object table) except -1

cdef int release(Custody custody, Kept kept, bint is_met) except -1
