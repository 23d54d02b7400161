"""The facts of one order: its terms, the worst case it would make, and the market it meets."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.accounts cimport Account
from pyrt.core.hours cimport Hours
from pyrt.core.int128 cimport int128
from pyrt.core.instruments cimport Instrument
from pyrt.core.orders cimport Order
from pyrt.core.records cimport Records
from pyrt.risk.caps cimport CapsTable
from pyrt.risk.checks cimport Caps, Case
from pyrt.risk.claims cimport Book, Claim, Claims
from pyrt.risk.readings cimport Readings
from pyrt.risk.traffic cimport Traffic
from pyrt.risk.watch cimport Watcher

cdef struct Terms:
    # of a new order, or of an order as a change would leave it
    int64_t units
    int64_t limit_price
    int64_t stop_price
    # distance that a change asks for; no_price() for none
    int64_t trail
    # what of it is in the worst case already
    int64_t counted_units
    int128 counted_value
    # worst price in 1e-9, 0 without any; units and value that may still be filled
    int64_t price
    int64_t leaves
    int128 value
    # what will count for it
    int64_t sum_units
    int64_t sum_price
    # what it adds to the worst case
    int64_t more_units
    int128 more_value
    bint is_change
    # of a change, whether it asks for another limit or stop price
    bint is_priced
    bint raises

cdef int64_t worst_price(int side, int64_t limit, int64_t stop, int64_t mark) noexcept
cdef int64_t trigger_of(Order order, int64_t stop, int64_t trail, int64_t mark) except? -2

cdef class Facts(Watcher):
    cdef readonly object limits
    cdef readonly bint strict
    cdef readonly Claims claims
    cdef readonly Traffic traffic
    cdef readonly Hours hours
    cdef readonly Readings readings
    """Portfolio risk as last computed."""
    cdef public object depth
    """Callable (symbol, side, quantity) → expected average price or None: a look into the book."""
    cdef CapsTable caps
    cdef Account account
    cdef Records records
    cdef int64_t jump
    """Largest believed jump of a price in 1e-9; -1 where off."""
    cdef int64_t day
    cdef bint reads_portfolio
    """Some limit reads portfolio risk."""
    cdef dict halted
    """Instrument indexes whose trading is halted, as keys."""
    cdef dict limited
    """Instrument indexes that are in a limit state, as keys."""
    cdef bint is_preview
    """The order being weighed is not to be sent: nothing may change for it."""
    cdef Case case
    cdef Terms terms

    @cython.final
    cdef inline Book* book_of(self, Order order) except NULL:
        return self.claims.book(order.instrument.index)
    cdef Caps* caps_of(self, Order order) except NULL
    cdef int touch(self, Instrument instrument) except -1
    cdef int read_terms(self, Order order) except -1
    cdef int read_counted(self, Order order, Claim own) except -1
    cdef int64_t units_for(self, Order order, int64_t price) except? -1
    cdef bint can_raise(self, Order order, Book* book, Claim own) except -1
    cdef bint can_enter(self, Order order, Book* book) except -1
    cdef bint lifts(self, Order order, Book* book, int64_t more) except -1
    cdef bint opens_own(self, Order order) except -1
    cdef bint enters(self, Order order) except -1
    cdef bint shrinks(self, Order order) noexcept
    cdef int fill_case(self, Order order, Caps* caps, int64_t now) except -1
    cdef int fill_readings(self, Order order, Caps* caps, int64_t now) except -1
    cdef int fill_portfolio(self, Order order, Caps* caps) except -1
    cdef int128 missing_power(self, Order order, Book* book) except? -1
    cdef int fill_market(self, Order order, Caps* caps, int64_t now) except -1
    cdef int64_t collar_distance(self, Order order, int64_t collar) except? -1
    cdef int64_t slippage_of(self, Order order, int64_t limit) except? -1
    cdef bint turned_into_limit(self, Order order, Caps* caps) except -1
    cdef str protect_market(self, Order order, Caps* caps)
    cdef int make_limit(self, Order order, int64_t price) except -1
