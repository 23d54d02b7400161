"""The closed vocabularies: sides, order types, states, event kinds; and their names in words."""

SIDE_NAMES = {1: "buy", -1: "sell"}
TYPE_NAMES = (
    "market",
    "limit",
    "stop",
    "stop_limit",
    "trailing_stop",
    "trailing_stop_limit",
    "market_if_touched",
    "limit_if_touched",
    "market_to_limit",
)
TIF_NAMES = ("day", "gtc", "gtd", "ioc", "fok", "opg", "cls")
STATUS_NAMES = tuple(OrderStatus(i).name for i in range(14))
LIQUIDITY_NAMES = ("", "maker", "taker")
EVENT_NAMES = {int(kind): kind.name[3:].lower() for kind in EventKind}
TRADING_STATUS_NAMES = ("trading", "halted", "quoting", "limit_state", "straddle_state")


def is_side(side not None, other):
    """Return whether another value, or word, is this side: ``order.side == "buy"`` holds."""
    if isinstance(other, str):
        return SIDE_NAMES[int(side)] == other.lower()
    return int.__eq__(side, other)


def is_other_side(side not None, other):
    """Return the opposite of `is_side`, or NotImplemented with it."""
    same = is_side(side, other)
    return same if same is NotImplemented else not same


Side.__eq__ = is_side
Side.__ne__ = is_other_side
