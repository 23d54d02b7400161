"""The closed vocabularies: sides, order types, states, event kinds."""

cpdef enum Side:
    SELL = -1
    BUY = 1

cpdef enum OrderType:
    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    TRAILING_STOP = 4
    TRAILING_STOP_LIMIT = 5
    MARKET_IF_TOUCHED = 6
    LIMIT_IF_TOUCHED = 7
    MARKET_TO_LIMIT = 8

cpdef enum TimeInForce:
    DAY = 0
    GTC = 1
    GTD = 2
    IOC = 3
    FOK = 4
    OPG = 5
    CLS = 6

cpdef enum OrderStatus:
    INITIALIZED = 0
    EMULATED = 1
    RELEASED = 2
    SENT = 3
    HELD = 4
    ACCEPTED = 5
    TRIGGERED = 6
    PARTIALLY_FILLED = 7
    DENIED = 8
    REJECTED = 9
    FILLED = 10
    CANCELED = 11
    EXPIRED = 12
    LOST = 13

cpdef enum RequestState:
    NONE = 0
    OPEN = 1
    CONFIRMED = 2
    REFUSED = 3
    UNKNOWN = 4

cpdef enum Liquidity:
    NO_LIQUIDITY = 0
    MAKER = 1
    TAKER = 2

cpdef enum EventKind:
    """Everything the kernel takes in, market data first, then what happens to orders."""
    EV_BAR = 0
    EV_QUOTE = 1
    EV_TRADE = 2
    EV_BOOK = 3
    EV_STATUS = 4
    EV_SPLIT = 5
    EV_DIVIDEND = 6
    EV_CUSTOM = 7
    EV_TIMER = 8
    # Of the account: its day ends, a currency's rate is stated, cash moves without a trade.
    EV_DAY_END = 9
    EV_RATE = 10
    EV_CASH = 11
    # Order events: the rows of the transition table.
    EV_DENIED = 16
    EV_EMULATED = 17
    EV_RELEASED = 18
    EV_SENT = 19
    EV_HELD = 20
    EV_ACCEPTED = 21
    EV_REJECTED = 22
    EV_TRIGGERED = 23
    EV_FILL = 24
    EV_CANCELED = 25
    EV_EXPIRED = 26
    EV_LOST = 27
    EV_MODIFIED = 28
    EV_MODIFY_REJECTED = 29
    EV_CANCEL_REJECTED = 30
    EV_BUST = 31
    EV_CORRECTION = 32
    EV_UNKNOWN = 33
    EV_END = 34

cpdef enum TradingStatus:
    """Whether and how a symbol trades."""
    ST_TRADING = 0
    ST_HALTED = 1
    ST_QUOTING = 2
    # The best offer stands at the lower price band, or the best bid at the upper one.
    ST_LIMIT = 3
    # The best bid is below the lower price band, or the best offer above the upper one.
    ST_STRADDLE = 4

cdef inline bint is_final(int status) noexcept:
    return status >= 8

cdef inline bint is_working(int status) noexcept:
    """At the venue, or on the way to it."""
    return 0 <= status <= 7
