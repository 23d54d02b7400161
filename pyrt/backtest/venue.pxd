"""The simulated venue: takes orders, executes them, keeps the broker's account."""
cimport cython
from libc.stdint cimport int32_t, int64_t
from pyrt.backtest.book cimport VenueBook, VenueOrder
from pyrt.backtest.fills cimport VenueFills
from pyrt.backtest.queue cimport QueueModel
from pyrt.backtest.slippage cimport Slippage
from pyrt.core.accounts cimport Account
from pyrt.core.events cimport Event, EventQueue
from pyrt.core.instruments cimport Instrument
from pyrt.core.ports cimport FeeModel
from pyrt.core.records cimport Texts

cpdef enum FillTiming:
    NEXT_OPEN = 0
    SAME_CLOSE = 1
    NEXT_CLOSE = 2

cpdef enum BarPath:
    ADVERSE_FIRST = 0
    OPEN_HIGH_LOW_CLOSE = 1
    OPEN_LOW_HIGH_CLOSE = 2
    NEAREST_FIRST = 3

cdef class Matcher:
    """Meets orders with a market that stands: what a venue calls at their arrival."""
    cdef int arrive(self, VenueBook book, VenueOrder order) except -1

cdef bint crosses(VenueOrder order, int64_t price, bint touch_fills) noexcept

@cython.final
cdef class SimVenue(VenueFills):
    cdef readonly int timing
    cdef readonly int path
    cdef readonly bint touch_fills
    cdef readonly double participation
    """Largest share of a bar's volume that may fill; 0 for no cap."""
    cdef readonly QueueModel queue
    cdef readonly bint consumes
    """What our fills took from a level stays taken until it shows another size."""
    cdef public Matcher matcher
    cdef public object borrow
    """Callable: (instrument, quantity short, price, nights) → fee for them, or None."""
    cdef int64_t opens_over
    """The last instant whose bar opens are over: orders of that instant come too late for them."""
    cdef int64_t next_expiry
    cdef list pending
    """Under way, in that order: (arrival, issued, order number, terms), the terms of a change, None
    for a cancel, () for an order that is to meet the market that stands at its arrival."""
    cdef readonly int64_t ambiguous_bars

    cdef int accept(self, VenueOrder order) except -1
    cdef int refuse(self, VenueOrder order, str reason) except -1
    cdef int fill_at_close(self, VenueBook book, VenueOrder order) except -1
    cdef int reach(self, VenueBook book, VenueOrder order) except -1
    cdef int turn_to_limit(self, VenueOrder order, int64_t price) except -1
    cdef bint would_take(self, VenueBook book, VenueOrder order) except -1
    cdef int set_status(self, int32_t index, bint halted, str reason) except -1
    cdef int set_bands(self, int32_t index, int64_t lower, int64_t upper) except -1
    cdef int cancel_number(self, int32_t number) except -1
    cdef int change(self, int32_t number, int64_t units, int64_t limit_price, int64_t stop_price,
                    int64_t trail) except -1
    cdef int take_command(self, int32_t number, int kind, tuple terms) except -1
    cdef int carry_out(self, VenueOrder order, tuple terms) except -1
    cdef int alter(self, VenueOrder order, int64_t units, int64_t limit_price, int64_t stop_price,
                   int64_t trail) except -1
    cdef int hasten(self, VenueBook book, int64_t ts_open, int64_t length) except -1
    cdef int mark_unread(self, VenueBook book) except -1
    cdef int64_t share(self, int64_t units) noexcept
    cdef bint keeps_bars(self) noexcept
    cdef int expire(self, int64_t ts) except -1
    cdef bint comes_after_all(self, VenueBook book, VenueOrder order) except -1
    cdef int carry(self, VenueBook book, VenueOrder order, int64_t ts) except -1
    cdef int find_next_expiry(self) except -1
    cdef int64_t last_delayed(self) except? -1
    cdef int release_delayed(self, int64_t ts) except -1
