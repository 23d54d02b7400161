"""The market-data stream's side of the wire: handshake, subscriptions, errors."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.limits import Limits
from pyrt.adapters.alpaca.simulator.protocol.wires import is_pair
from pyrt.adapters.alpaca.simulator.streams.frames import CHANNELS, Message

STOCK_CHANNELS = (
    *("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds"),
    *("corrections", "cancelErrors"),
)
CRYPTO_CHANNELS = ("trades", "quotes", "orderbooks", "bars", "updatedBars", "dailyBars")
FOLLOWING = ("corrections", "cancelErrors")
"""Channels that are subscribed together with trades."""
ELSEWHERE = ("imbalances", "news", "orderbooks", "statuses", "lulds", *FOLLOWING)
"""Channels of other feeds: asking for none of their symbols is no mistake."""
ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    408: "v2 not enabled",
    409: "insufficient subscription",
    410: "invalid subscribe action for this feed",
    411: "insufficient scope",
    412: "option messages are only available in MsgPack format",
    413: "star subscription is not allowed for option quotes",
    500: "internal error",
}
CLOSING = frozenset({402, 404, 406, 407})
"""Errors after which the server closes."""
FAKE = "FAKEPACA"
"""The one symbol of the feed `test`."""
SYMBOL_LENGTH_MAX = 32
Messages = list[dict[str, Any]]
Key = tuple[frozenset[str], ...]


def error(code: int) -> Messages:
    """Return the messages that refuse with a code."""
    return [{"T": "error", "code": code, "msg": ERRORS[code]}]


def success(text: str) -> Messages:
    """Return the messages of a step of the handshake."""
    return [{"T": "success", "msg": text}]


class Feed:
    """One client's handshake and subscriptions on one market-data endpoint.

    Parameters
    ----------
    key, secret : str
        What authenticates.
    name : str
        Of the endpoint: ``"crypto"``, ``"iex"``, ``"sip"``, ``"delayed_sip"`` or ``"test"``.
    limits : Limits
        How many symbols a client may have.
    """

    def __init__(self, key: str, secret: str, name: str, limits: Limits) -> None:
        self._keys = (key, secret)
        self._name = name
        self._limits = limits
        self.authenticated = False
        channels = CRYPTO_CHANNELS if name == "crypto" else STOCK_CHANNELS
        self.subscribed: dict[str, frozenset[str]] = {name: frozenset() for name in channels}
        self.key: Key = tuple(self.subscribed.values())
        """Equal for clients of one endpoint that get the same messages."""

    def authenticate(self, key: object, secret: object) -> Messages:
        """Answer an authentication."""
        if self.authenticated:
            return error(403)
        # OAuth clients send the word and a token, which stands for key and secret here.
        if (key, secret) not in (self._keys, ("oauth", self._keys[1])):
            return error(402)
        if self._name in self._limits.refused_feeds:
            return error(409)
        self.authenticated = True
        return success("authenticated")

    def receive(self, message: object) -> Messages:
        """Answer one decoded message of the client."""
        if not isinstance(message, dict):
            return error(400)
        action = message.get("action")
        if action == "auth":
            return self.authenticate(message.get("key"), message.get("secret"))
        if not self.authenticated:
            return error(401)
        if action not in ("subscribe", "unsubscribe"):
            return error(400)
        return self._subscribe(message, adds=action == "subscribe")

    def _subscribe(self, message: Mapping[str, Any], *, adds: bool) -> Messages:
        wanted = dict(self.subscribed)
        for name, symbols in message.items():
            if name == "action":
                continue
            if not isinstance(symbols, list) or not all(map(self._is_symbol, symbols)):
                return error(400)
            if name not in wanted:
                if symbols or name not in (*ELSEWHERE, *STOCK_CHANNELS):
                    return error(410)
                continue
            wanted[name] = wanted[name] | set(symbols) if adds else wanted[name] - set(symbols)
        if self._exceeds(wanted):
            return error(405)
        if self._name != "crypto":
            wanted |= dict.fromkeys(FOLLOWING, wanted["trades"])
        self.subscribed = wanted
        self.key = tuple(wanted.values())
        return [{"T": "subscription", **{name: sorted(wanted[name]) for name in wanted}}]

    def _is_symbol(self, symbol: object) -> bool:
        if symbol == "*":
            return True
        return (
            isinstance(symbol, str)
            and 0 < len(symbol) <= SYMBOL_LENGTH_MAX
            and (self._name == "crypto") == is_pair(symbol)
            and symbol == symbol.upper()
            and not any(character.isspace() for character in symbol)
        )

    def _exceeds(self, wanted: Mapping[str, frozenset[str]]) -> bool:
        most = self._limits.symbols if self._name == "iex" else 0
        books = self._limits.orderbooks
        if most and len(wanted["trades"] | wanted["quotes"]) > most:
            return True
        return bool(books and len(wanted.get("orderbooks", ())) > books)

    @property
    def added_books(self) -> frozenset[str]:
        """Pairs whose order books are subscribed."""
        return self.subscribed.get("orderbooks", frozenset())

    def select(self, messages: Sequence[Message]) -> Sequence[Message]:
        """Return the messages that this client has subscribed to."""
        subscribed, pairs, fake = self.subscribed, self._name == "crypto", self._name == "test"
        chosen = []
        for message in messages:
            symbols = subscribed.get(CHANNELS[type(message)])
            if not symbols:
                continue
            symbol = message.S
            if ("/" in symbol) != pairs or (symbol == FAKE) != fake:
                continue
            if symbol in symbols or "*" in symbols:
                chosen.append(message)
        return chosen
