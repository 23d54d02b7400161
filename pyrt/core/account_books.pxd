"""An account's books: cash, holdings at their marks, what is unpaid, what margin asks for."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.instruments cimport Instrument
from pyrt.core.int128 cimport int128
from pyrt.core.margin cimport Holding, Tiers

cdef enum:
    # the three kinds of `AccountRules`
    CASH_ACCOUNT = 0
    MARGIN_ACCOUNT = 1
    ALPACA_ACCOUNT = 2

cdef class AccountBooks:
    cdef readonly str base_currency
    cdef readonly list currencies
    """Names; positions in this list number the currencies."""
    cdef readonly object rules
    """`AccountRules`: how the broker judges this account."""
    cdef int128[16] balance
    """Cash by currency, in 1e-18, of all trades up to now."""
    cdef int128[16] long_value
    cdef int128[16] short_value
    """Marked value of long and short holdings by quote currency; both positive."""
    cdef int64_t[16] rate
    """Units of base currency per unit, in 1e-9; 0 where not known."""
    cdef int64_t rate_changes
    """How often a rate was stated."""
    cdef Holding* holdings
    cdef Py_ssize_t n_holdings
    cdef readonly int open_holdings
    cdef bint single
    """Only the base currency is in use."""
    cdef int kind
    cdef readonly int multiplier
    """Buying power per unit of free equity during the day; 1 for a cash account."""
    cdef bint shorting
    """Whether the broker lets anything be sold short."""
    cdef Tiers tiers
    cdef int128 margin_equity_min
    cdef int64_t day_rate
    """Share of its value that a usual holding asks for during the day, in 1e-9."""
    cdef int128[16] initial
    cdef int128[16] intraday
    cdef int128[16] maintenance
    cdef int128[16] opened
    """Requirements of all holdings by quote currency; `opened`: intraday, of today's units."""
    cdef int128 reserved
    """What waiting orders will cost, in base currency; kept by who takes them in."""
    cdef public object waiting
    """Callable that says what waiting orders will cost, asked when buying power is read; or None,
    where `reserved` is kept by who takes orders in."""
    cdef int settlement_days
    cdef int128[16] unsettled
    """Proceeds of sales that have not been paid yet."""
    cdef int128[16] unpaid
    """All cash flows of trades that have not been paid yet, signed."""
    cdef int128 proceeds_by_age[3][16]
    cdef int128 flows_by_age[3][16]
    cdef int128 last_equity
    cdef int128 last_maintenance
    """Of the end of the day before."""
    cdef int128 day_deposits
    cdef bint call_is_initial
    """The call is Regulation T's, for what was bought that day."""
    cdef int128 call
    """What the last day's end asked for and has not been met; 0 without a margin call."""

    cdef int take_account_rules(self, object rules) except -1
    cdef int take_rate(self, int currency, int64_t rate) except -1
    cdef int currency_number(self, str currency) except -1
    cdef int add_instrument(self, Instrument instrument) except -1
    cdef int take_rules(self, Instrument instrument) except -1
    cdef int64_t floor_of(self, object asked, object own, object usual) except -1

    @cython.final
    cdef inline int set_mark(self, Py_ssize_t index, int64_t price) except -1:
        """Take a new price; free when nothing is held."""
        if self.holdings[index].units != 0:
            self.revalue(index, price)
        self.holdings[index].mark = price
        return 0
    cdef int revalue(self, Py_ssize_t index, int64_t price) except -1
    cdef int weigh(self, Py_ssize_t index, bint adds) except -1
    cdef int trade(self, Py_ssize_t index, int side, int64_t quantity, int64_t price) except -1
    cdef int settle_later(self, Holding* holding, int side, int64_t quantity,
                          int64_t price) except -1
    cdef int pay(self, int currency, int128 amount) except -1
    cdef int reserve(self, int128 change) except -1
    cdef int set_units(self, Py_ssize_t index, int64_t units, int64_t mark) except -1
    cdef int128 to_base(self, int currency, int128 amount) except? -1
    cdef int128 from_base(self, int currency, int128 amount) except? -1
    cdef int128 need_in_base(self, const int128* sums) except? -1
    cdef int128 cash_raw(self) except? -1
    cdef int128 equity_raw(self) except? -1
    cdef int128 exposure_raw(self) except? -1
    cdef list end_day(self, int nights)
    cdef int charge_interest(self, int nights, list charges) except -1
    cdef int charge_borrow(self, int nights, list charges) except -1
    cdef int let_settle(self) except -1
