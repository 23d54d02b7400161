"""Controls over the flow of orders: throttles, duplicates, fat fingers, self-matches, day sums."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.int128 cimport int128
from pyrt.core.orders cimport Order
from pyrt.risk.claims cimport Book, Claim, Claims
from pyrt.risk.windows cimport RateWindow, RecentKeys

cdef struct Likeness:
    # what makes two orders the same
    int64_t units
    int64_t limit_price
    int64_t stop_price
    int64_t trail_amount
    int64_t trail_percent
    int128 notional
    int64_t strategy
    int64_t instrument
    int64_t side
    int64_t type

@cython.final
cdef class Traffic:
    cdef readonly object limits
    cdef readonly RateWindow per_second
    cdef readonly RateWindow per_minute
    cdef readonly RateWindow messages
    cdef RecentKeys recent
    cdef Py_ssize_t reserve
    cdef double fat_multiple
    """-1.0 where off."""
    cdef list histories
    """SizeHistory by strategy number."""
    cdef bint self_match
    cdef list offers
    """By instrument: heap of (price, order number) of own resting sells ..."""
    cdef list bids
    """... and of (-price, order number) of buys; entries that no longer hold are dropped late."""
    cdef dict runs
    """Position → [side, RateWindow] of its last orders filled in one direction."""
    cdef int64_t day
    cdef readonly int64_t orders_today
    cdef int128 value_today

    cdef int roll(self, int64_t day) except -1
    cdef str judge_flow(self, Order order, int64_t limit, int64_t stop, double value, int64_t now,
                        Claims claims)
    cdef str judge_rates(self, int64_t now, bint is_order)
    cdef str judge_size(self, Order order, double value)
    cdef str judge_self_match(self, Order order, int64_t limit, int64_t stop, Claims claims)
    cdef int64_t best_resting(self, int index, int side, Claims claims) except? -1
    cdef bint is_duplicate(self, Order order, int64_t now, Claims claims) except -1
    cdef bytes key_of(self, Order order)
    cdef int count(self, Order order, int128 value, int128 more, int64_t now,
                   Claims claims) except -1
    cdef int mark(self, Order order, Book* book, int64_t now) except -1
    cdef int mark_all(self, Claims claims) except -1
    cdef int count_change(self, int128 more, int64_t now) except -1
    cdef int count_message(self, int64_t now, bint is_order) except -1
    cdef int rest(self, Claim claim, Claims claims) except -1
    cdef bint repeats(self, Order order, int64_t now)
