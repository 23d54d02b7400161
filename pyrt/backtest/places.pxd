"""The place of a resting order: what stands ahead of it at its price."""
from libc.stdint cimport int64_t
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.queue cimport QueueModel

cdef int join(QueueModel queue, VenueBook book, VenueOrder order) except -1
cdef int follow_levels(QueueModel queue, VenueBook book) except -1
cdef int leave(VenueBook book, VenueOrder order, int64_t order_id, int64_t size) except -1
cdef int64_t steps_over(VenueOrder order) except? -1
