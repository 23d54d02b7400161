"""The market-data stream: handshake, subscriptions and their difference, gaps after a break."""

from __future__ import annotations

from collections.abc import Iterable
from random import Random

import msgspec

from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.adapters.alpaca.events import Alarm, BarEvent, Event
from pyrt.adapters.alpaca.stitching import Stitcher
from pyrt.adapters.alpaca.streams import (
    ACTIVE,
    AUTHENTICATING,
    SUBSCRIBING,
    Connection,
)
from pyrt.adapters.alpaca.wire import Decoder, ErrorWire, SubscriptionWire, SuccessWire, event_of
from pyrt.errors import DataError

CHANNELS = ("bars", "quotes", "trades")
ALREADY_AUTHENTICATED = 403
FATAL = frozenset({402, 404, 406, 407, 409})
"""Errors after which Alpaca closes, or after which waiting for data is vain."""


class MarketData(Connection):
    """One market-data connection.

    Parameters
    ----------
    credentials : Credentials
    """

    def __init__(self, random: Random, credentials: Credentials) -> None:
        super().__init__(random)
        self._credentials = credentials
        self._decoder = Decoder()
        self._wanted: dict[str, set[str]] = {channel: set() for channel in CHANNELS}
        self._asked: dict[str, set[str]] = {channel: set() for channel in CHANNELS}
        self._gaps: list[tuple[str, int]] = []
        self.stitcher = Stitcher()

    # -- subscriptions -------------------------------------------------------------------------

    def subscribe(self, channel: str, symbols: Iterable[str]) -> None:
        """Want symbols of ``bars``, ``quotes`` or ``trades``; only the difference is sent."""
        self._wanted[channel] |= set(symbols)
        self._send_difference()

    def unsubscribe(self, channel: str, symbols: Iterable[str]) -> None:
        """Want symbols no longer."""
        self._wanted[channel] -= set(symbols)
        self._send_difference()

    def _send_difference(self) -> None:
        if self.state not in (SUBSCRIBING, ACTIVE):
            return
        more = {c: sorted(self._wanted[c] - self._asked[c]) for c in CHANNELS}
        less = {c: sorted(self._asked[c] - self._wanted[c]) for c in CHANNELS}
        for action, change in (("subscribe", more), ("unsubscribe", less)):
            named = {channel: symbols for channel, symbols in change.items() if symbols}
            if named:
                self._send(msgspec.json.encode({"action": action, **named}))
        self._asked = {channel: set(symbols) for channel, symbols in self._wanted.items()}

    # -- the connection ------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """Note that the connection stands; the server greets first."""
        self._asked = {channel: set() for channel in CHANNELS}
        self._move_to(AUTHENTICATING, now)

    def closed(self, now: int) -> None:
        """Note that the connection is gone; what it carried will be asked for again."""
        super().closed(now)
        for symbol in sorted(self._wanted["bars"]):
            if self.stitcher.last_open(symbol) is not None:
                self.stitcher.hold(symbol)

    def take_gaps(self) -> list[tuple[str, int]]:
        """Return (symbol, open of the last bar seen) for which history has to be fetched."""
        taken, self._gaps = self._gaps, []
        return taken

    def receive(self, frame: bytes | str, now: int) -> list[Event]:
        """Take a frame in either codec; one that makes no sense is an alarm, not an end."""
        self.heard(now)
        events: list[Event] = []
        try:
            for message in self._decoder.decode(frame):
                events.extend(self._on_message(message, now))
        except (msgspec.DecodeError, DataError, UnicodeDecodeError, RecursionError) as error:
            events.append(Alarm("bad_frame", f"market data: {type(error).__name__}", now))
        return events

    def _on_message(self, message: object, now: int) -> list[Event]:
        event = event_of(message)
        if isinstance(event, BarEvent) and event.kind == "bar":
            return list(self.stitcher.take(event))
        if event is not None:
            return [event]
        if isinstance(message, SuccessWire):
            self._on_success(message.msg, now)
        elif isinstance(message, SubscriptionWire):
            self._on_subscription(now)
        elif isinstance(message, ErrorWire):
            return self._on_error(message, now)
        return []

    def _on_success(self, text: str, now: int) -> None:
        if text == "connected":
            key, secret = self._credentials.key, self._credentials.reveal_secret()
            self._send(msgspec.json.encode({"action": "auth", "key": key, "secret": secret}))
        elif text == "authenticated":
            self._authenticated(now)

    def _authenticated(self, now: int) -> None:
        self._move_to(SUBSCRIBING, now)
        self._send_difference()
        if not any(self._wanted.values()):
            self._move_to(ACTIVE, now)

    def _on_subscription(self, now: int) -> None:
        if self.state == SUBSCRIBING:
            self._move_to(ACTIVE, now)
            for symbol in sorted(self._wanted["bars"]):
                last = self.stitcher.last_open(symbol)
                if last is not None:
                    self._gaps.append((symbol, last))

    def _on_error(self, error: ErrorWire, now: int) -> list[Event]:
        if error.code == ALREADY_AUTHENTICATED:
            self._authenticated(now)
            return []
        if error.code in FATAL:
            self.closed(now)
        return [Alarm(f"market_data_{error.code}", error.msg, now)]
