"""Corporate actions at the venue: what splits and dividends do to the account and open orders."""
from pyrt.backtest.venue cimport SimVenue
from pyrt.core.events cimport Event

cdef int apply_action(SimVenue venue, Event* event) except -1
