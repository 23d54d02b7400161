"""The closed vocabularies: sides, order types, states, event kinds; and their names in words."""

from enum import IntEnum

class Side(IntEnum):
    SELL = -1
    BUY = 1
    def __eq__(self, other: object) -> bool: ...
    def __ne__(self, other: object) -> bool: ...
    def __hash__(self) -> int: ...

class OrderType(IntEnum):
    MARKET = 0
    LIMIT = 1
    STOP = 2
    STOP_LIMIT = 3
    TRAILING_STOP = 4
    TRAILING_STOP_LIMIT = 5
    MARKET_IF_TOUCHED = 6
    LIMIT_IF_TOUCHED = 7
    MARKET_TO_LIMIT = 8

class TimeInForce(IntEnum):
    DAY = 0
    GTC = 1
    GTD = 2
    IOC = 3
    FOK = 4
    OPG = 5
    CLS = 6

class OrderStatus(IntEnum):
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

class RequestState(IntEnum):
    NONE = 0
    OPEN = 1
    CONFIRMED = 2
    REFUSED = 3
    UNKNOWN = 4

class Liquidity(IntEnum):
    NO_LIQUIDITY = 0
    MAKER = 1
    TAKER = 2

class TradingStatus(IntEnum):
    ST_TRADING = 0
    ST_HALTED = 1
    ST_QUOTING = 2
    ST_LIMIT = 3
    ST_STRADDLE = 4

class EventKind(IntEnum):
    EV_BAR = 0
    EV_QUOTE = 1
    EV_TRADE = 2
    EV_BOOK = 3
    EV_STATUS = 4
    EV_SPLIT = 5
    EV_DIVIDEND = 6
    EV_CUSTOM = 7
    EV_TIMER = 8
    EV_DAY_END = 9
    EV_RATE = 10
    EV_CASH = 11
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

SIDE_NAMES: dict[int, str]
TYPE_NAMES: tuple[str, ...]
TIF_NAMES: tuple[str, ...]
STATUS_NAMES: tuple[str, ...]
LIQUIDITY_NAMES: tuple[str, ...]
EVENT_NAMES: dict[int, str]
TRADING_STATUS_NAMES: tuple[str, ...]

def is_side(side: Side, other: object) -> bool: ...
def is_other_side(side: Side, other: object) -> bool: ...
