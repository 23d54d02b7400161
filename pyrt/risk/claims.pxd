"""Worst cases: what working orders could make of each position, summed up as events come in."""
cimport cython
from libc.stdint cimport int32_t, int64_t, uint64_t
from pyrt.core.accounts cimport Account
from pyrt.core.int128 cimport int128
from pyrt.core.orders cimport Order
from pyrt.core.types cimport EMULATED

# max() and unary minus would let Cython choose the type of the result, and it knows no 128 bits.
cdef inline int128 larger(int128 a, int128 b) noexcept:
    if a > b:
        return a
    return b

cdef inline int128 magnitude(int128 a) noexcept:
    cdef int128 zero = 0
    if a < 0:
        return zero - a
    return a

cdef inline bint stands_alone(Order order) noexcept:
    """Whether an order counts beside its sibling, not as one of two of which one fills."""
    return (
        order.sibling is None or order.sibling.side_sign != order.side_sign
        or order.status_ == EMULATED or order.sibling.status_ == EMULATED
    )

cdef extern from *:
    """
    #ifndef PYRT_FETCH
    #define PYRT_FETCH
    #define pyrt_fetch(place) __builtin_prefetch(place)
    #endif
    """
    # Asks for the cache line that holds a place, without waiting for it.
    void fetch "pyrt_fetch"(const void* place) noexcept

cdef enum:
    # bytes that memory comes in; a whole number of them makes a Book
    LINE = 64

cdef struct Book:
    # All that is known of one symbol, and that every verdict on it reads.
    # unsigned units of approved orders that may still be filled
    int64_t buys
    int64_t sells
    # of these, exits whose cancel is under way
    int64_t buys_leaving
    int64_t sells_leaving
    # value of buys and sells in base currency, each at its own worst price
    int128 buy_value
    int128 sell_value
    # signed value held and worst-case value of the position, as of the last count
    int128 held
    int128 worst
    # what its waiting buys and sells take of the buying power, in base currency
    int128 buy_power
    int128 sell_power
    int32_t sector
    # number of the limits that apply; 0 before they were looked up
    int32_t caps
    int32_t is_open
    # a price that jumped, and how many have come near it since
    int32_t suspects
    int64_t suspect
    # price and time of the last believed tick, and of the last quote
    int64_t reference
    int64_t ts_reference
    int64_t bid
    int64_t ask
    int64_t day
    int64_t day_units
    # when the last order left that another may be like, INT64_MIN before any; and marks of those
    # that left since the last pause of a window's length
    int64_t ts_like
    uint64_t likes
    # best limit prices of own orders that rest, or rested; no_price() for none
    int64_t own_bid
    int64_t own_ask
    # in 1e-9, and the number of the readings that it is of
    int64_t beta
    int64_t beta_of

@cython.final
cdef class Claim:
    cdef Order order
    cdef int64_t units
    """What it adds to its book; 0 for all but one of a one-cancels-other pair."""
    cdef list waiting
    """Total, limit and stop price that each change not answered yet asks for, as they left."""
    cdef tuple in_force
    """Terms as they were told last before the next answer; None before any change has left."""
    cdef int64_t asked
    """The largest total among them; 0 without one."""
    cdef Py_ssize_t refused
    """Changes among them that were refused; which, nobody says."""
    cdef int denied
    """Changes that were denied, and that the kernel is about to answer."""
    cdef int64_t total
    """Most that it and the other of its pair were ever told to fill together."""
    cdef int64_t price
    """Worst price by the terms in force, in 1e-9."""
    cdef int64_t asked_price
    """The worst by changes under way; 0 without one."""
    cdef int64_t resting
    """Limit price at which it may rest; no_price() for none."""
    cdef int128 value
    cdef bint leaving
    cdef bint is_answered
    cdef bint is_restated
    """A split lies between what it fills and what its entry or sibling has filled."""
    cdef int64_t ts_sent
    cdef int64_t estimate
    """Units of an order by notional before it fills; 0 elsewhere."""

    @cython.final
    cdef inline int64_t dearest(self) noexcept:
        """Worst price by any terms that may be in force."""
        return self.price if self.price > self.asked_price else self.asked_price

@cython.final
cdef class Claims:
    cdef Book* books
    cdef readonly Py_ssize_t n_books
    cdef Account account
    cdef dict open
    """Order number → Claim."""
    cdef readonly int open_symbols
    cdef int128 buy_value
    cdef int128 sell_value
    cdef int128 extra
    """How far all worst cases are above the values held."""
    cdef int64_t rates_seen
    """How many changes of rates are in the sums."""
    cdef object rules_seen
    cdef bint lends_seen
    """The account's rules, and whether it lends, as they are in what waiting orders take."""
    cdef int128* sectors
    """Worst-case values by sector."""
    cdef readonly Py_ssize_t n_sectors
    cdef bint keeps_sectors
    cdef bint keeps_power
    cdef int128 power
    """What all waiting orders take of the buying power."""
    cdef dict sector_numbers

    @cython.final
    cdef inline Book* book(self, Py_ssize_t index) except NULL:
        """Return the book of an instrument; valid until the next call for a larger index."""
        if index >= self.n_books:
            self.reserve(max(index + 1, self.account.n_holdings, self.n_books * 3 // 2))
        return &self.books[index]
    cdef int fetch_facts(self, Order order, Py_ssize_t index) except -1
    cdef int reserve(self, Py_ssize_t count) except -1
    cdef int sector(self, str name) except -1
    cdef int128 held_value(self, Py_ssize_t index) except? -1
    cdef int128 value_of(self, Py_ssize_t index, int64_t units, int64_t price) except? -1
    cdef Claim add(self, Order order, int64_t price, int64_t estimate, int64_t now)
    cdef int follow(self, Order order) except -1
    cdef int put(self, Claim claim, int64_t units, int128 value, bint leaving) except -1
    cdef int128 worth(self, Claim claim, int64_t units) except? -1
    cdef int ask(self, Claim claim, int64_t units, int64_t limit, int64_t stop,
                 int64_t price) except -1
    cdef int take_answer(self, Claim claim, int kind) except -1
    cdef int forget_granted(self, Claim claim) except -1
    cdef int restate(self, Py_ssize_t index) except -1
    cdef int catch_up(self) except -1
    cdef int revalue(self) except -1
    cdef int recount(self, Py_ssize_t index) except -1
    cdef int refresh(self, Py_ssize_t index) except -1
    cdef int count_power(self, Py_ssize_t index) except -1
    cdef int128 power_of(self, Py_ssize_t index, int side, int64_t units,
                         int128 value) except? -1
    cdef int64_t wanted(self, Claim claim) except? -1
    cdef int64_t group_room(self, Claim claim, int64_t asked) noexcept
