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
