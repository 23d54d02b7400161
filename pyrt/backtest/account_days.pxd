"""Days of the account: what the broker charges and settles when a session ends."""
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.events cimport Event
from pyrt.kernel.kernel cimport Kernel

cdef int apply_to_account(SimVenue venue, Kernel kernel, Event* event) except -1
