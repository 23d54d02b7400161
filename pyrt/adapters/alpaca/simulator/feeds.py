"""The market-data stream's side of the wire: subscriptions, messages, both encodings."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import msgspec

from pyrt.adapters.alpaca.simulator.wires import is_pair
from pyrt.core.times import format_ns, timestamp_ns

STOCK_CHANNELS = (
    *("trades", "quotes", "bars", "updatedBars", "dailyBars", "statuses", "lulds"),
    *("corrections", "cancelErrors"),
)
CRYPTO_CHANNELS = ("trades", "quotes", "orderbooks", "bars", "updatedBars", "dailyBars")
ERRORS = {
    400: "invalid syntax",
    401: "not authenticated",
    402: "auth failed",
    403: "already authenticated",
    404: "auth timeout",
    405: "symbol limit exceeded",
    406: "connection limit exceeded",
    407: "slow client",
    410: "invalid subscribe action for this feed",
    500: "internal error",
}
CLOSING = frozenset({402, 404, 406, 407})
"""Errors after which the server closes."""
CHANNEL_OF = {"t": "trades", "q": "quotes", "b": "bars"}
Messages = list[dict[str, Any]]


def timestamp_ext(ts: int) -> msgspec.msgpack.Ext:
    """Return an instant (ns UTC) as MessagePack's timestamp extension, to the nanosecond."""
    seconds, nanos = divmod(ts, 1_000_000_000)
    if seconds >> 34:
        return msgspec.msgpack.Ext(-1, struct.pack(">Iq", nanos, seconds))
    return msgspec.msgpack.Ext(-1, struct.pack(">Q", nanos << 34 | seconds))


def encode(messages: Sequence[Mapping[str, Any]], *, packed: bool) -> bytes:
    """Return a frame; times are text in JSON and extensions in MessagePack."""
    if not packed:
        return msgspec.json.encode(messages)
    return msgspec.msgpack.encode(
        [
            {**message, "t": timestamp_ext(timestamp_ns(message["t"]))}
            if "t" in message
            else message
            for message in messages
        ]
    )


def error(code: int) -> Messages:
    """Return the messages that refuse with a code."""
    return [{"T": "error", "code": code, "msg": ERRORS[code]}]


def success(text: str) -> Messages:
    """Return the messages of a step of the handshake."""
    return [{"T": "success", "msg": text}]


def expand(bars: Sequence[Mapping[str, Any]], now: int) -> Iterator[dict[str, Any]]:
    """Yield, for each bar that ended at `now`, its print, its quote and the bar itself."""
    stamp = format_ns(now)
    for number, bar in enumerate(bars):
        symbol, price, size = bar["S"], bar["c"], bar["v"]
        quote = {"bp": price, "bs": 100, "ap": price, "as": 100, "t": stamp}
        if is_pair(symbol):
            yield {"T": "t", "S": symbol, "p": price, "s": size, "t": stamp, "i": now, "tks": "B"}
            yield {"T": "q", "S": symbol, **quote}
        else:
            more = {"c": ["@"], "z": "B"}
            yield {
                "T": "t",
                "S": symbol,
                "i": now + number,
                "x": "V",
                "p": price,
                "s": int(size),
                "t": stamp,
                **more,
            }
            yield {"T": "q", "S": symbol, "bx": "V", "ax": "V", **quote, "c": ["R"], "z": "B"}
        # T stands first in every message.
        yield {"T": "b", **{name: value for name, value in bar.items() if name != "T"}}


class Feed:
    """One client's handshake and subscriptions on one market-data endpoint.

    Parameters
    ----------
    key, secret : str
        What authenticates.
    crypto : bool
        Which channels and symbols the endpoint has.
    symbols_max : int
        Most symbols of trades and quotes together; 0 for no limit.
    """

    def __init__(self, key: str, secret: str, *, crypto: bool, symbols_max: int = 0) -> None:
        self._keys = (key, secret)
        self._crypto = crypto
        self._symbols_max = symbols_max
        self.authenticated = False
        channels = CRYPTO_CHANNELS if crypto else STOCK_CHANNELS
        self.subscribed: dict[str, set[str]] = {channel: set() for channel in channels}

    def authenticate(self, key: object, secret: object) -> Messages:
        """Answer an authentication."""
        if self.authenticated:
            return error(403)
        if (key, secret) != self._keys:
            return error(402)
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
        asked = {name: value for name, value in message.items() if name != "action" and value}
        if any(name not in self.subscribed for name in asked):
            return error(410)
        wanted = {name: set(symbols) for name, symbols in self.subscribed.items()}
        for name, symbols in asked.items():
            if not isinstance(symbols, list) or not all(isinstance(s, str) for s in symbols):
                return error(400)
            wanted[name] = wanted[name] | set(symbols) if adds else wanted[name] - set(symbols)
        if self._symbols_max and len(wanted["trades"] | wanted["quotes"]) > self._symbols_max:
            return error(405)
        if not self._crypto:
            wanted["corrections"] = wanted["cancelErrors"] = set(wanted["trades"])
        self.subscribed = wanted
        return [{"T": "subscription", **{name: sorted(wanted[name]) for name in wanted}}]

    def select(self, messages: Sequence[dict[str, Any]]) -> Messages:
        """Return the messages that this client has subscribed to."""
        return [m for m in messages if self._wants(m)]

    def _wants(self, message: Mapping[str, Any]) -> bool:
        symbols = self.subscribed[CHANNEL_OF[message["T"]]]
        symbol = message["S"]
        return is_pair(symbol) == self._crypto and ("*" in symbols or symbol in symbols)
