"""The numeric controls: one small function each, over the facts of one order."""
cimport cython
from libc.stdint cimport int64_t
from pyrt.core.int128 cimport int128

cdef enum Unit:
    COUNT = 0
    # units of 10^-decimals
    UNITS = 1
    # 1e-18 of the base currency
    MONEY = 2
    # 1e-9
    RATIO = 3
    # 1e-9, shown in basis points
    BPS = 4
    NANOSECONDS = 5
    FLAG = 6

cdef struct Caps:
    # -1 where a limit is not set; units as in `Unit`
    int64_t order_quantity
    int64_t position_quantity
    int64_t daily_quantity
    int64_t leverage
    int64_t concentration
    int64_t sector_concentration
    int64_t open_orders
    int64_t open_positions
    int64_t daily_orders
    int64_t stale_ns
    int64_t collar
    int64_t slippage
    int64_t protection
    int64_t volatility
    int64_t correlation
    int64_t risk_age
    int128 value_at_risk
    int128 shortfall
    int128 beta_exposure
    int128 order_notional
    int128 position_notional
    int128 daily_notional
    int128 gross_exposure
    int128 net_exposure
    bint buying_power
    bint shortable
    bint open_session
    bint allowed

cdef struct Case:
    # the order; value in base currency
    int64_t units
    int128 value
    # what would be if it were approved and all went the bad way
    int64_t position_units
    int128 position_value
    int128 sector_value
    int128 gross
    int128 net
    int128 missing_cash
    int64_t open_orders
    int64_t open_positions
    int64_t daily_orders
    int64_t daily_units
    int128 daily_value
    # the account and the market
    # shares of equity as money; -1 where off
    int128 concentration_bound
    int128 sector_bound
    int128 leverage_bound
    int64_t age_ns
    int64_t collar_distance
    int64_t slippage
    # portfolio risk as last computed
    int64_t volatility
    int64_t correlation
    int64_t risk_age
    int128 value_at_risk
    int128 shortfall
    int128 beta_exposure
    bint is_suspect
    bint is_halted
    bint is_limited
    bint is_closed
    bint goes_short
    bint shortable
    # what the check that failed saw
    int128 observed
    int128 limit

ctypedef bint (*Check)(const Caps* caps, Case* case) noexcept

cdef struct Control:
    Check check
    # index into CODES
    int code
    Unit unit
    # what reduces has to pass it too
    bint always

cdef enum:
    N_CONTROLS = 30

cdef Control[N_CONTROLS] CONTROLS
