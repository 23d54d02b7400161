"""The market-data stream: handshake, subscriptions and their difference, gaps after a break."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from random import Random
from typing import Any

import msgspec

from pyrt.adapters.alpaca.core.activity import Activity
from pyrt.adapters.alpaca.core.events import (
    Alarm,
    BarEvent,
    BookEvent,
    BookGapEvent,
    Event,
    NewsGapEvent,
)
from pyrt.adapters.alpaca.core.pacing import SECOND
from pyrt.adapters.alpaca.core.stitching import Stitcher
from pyrt.adapters.alpaca.core.streams import (
    ACTIVE,
    AUTHENTICATING,
    SUBSCRIBING,
    Connection,
)
from pyrt.adapters.alpaca.core.wire import (
    MAKERS,
    MINUTE,
    Decoder,
    ErrorWire,
    Spoiled,
    SubscriptionWire,
    SuccessWire,
    due_ns,
    is_sound,
)
from pyrt.adapters.alpaca.credentials import Credentials
from pyrt.errors import DataError

STOCK_CHANNELS = (
    "bars", "quotes", "trades", "updatedBars", "dailyBars", "statuses", "lulds"
)  # fmt: skip
CRYPTO_CHANNELS = ("bars", "quotes", "trades", "orderbooks", "updatedBars", "dailyBars")
ACKNOWLEDGED = ("bars", "quotes", "trades", "orderbooks")
"""Channels of which an acknowledgement that leaves a symbol out is an alarm."""
LIMITED = ("quotes", "trades", "orderbooks")
"""Channels whose symbols a plan limits: each is asked for by itself, behind those that none does.

A refusal is one of a whole message: bars, which are unlimited, were refused with too many quotes.
"""
Named = dict[str, list[str]]
"""Channel → symbols of a request."""
RENEW_NS = 60 * SECOND
"""A book that came out wrong is subscribed to anew no more often."""
ALREADY_AUTHENTICATED = 403
NOT_SERVED = frozenset({400, 405, 410})
"""Errors that answer a subscription: it is not understood, too large, or not of this feed."""
NO_CHANNEL = 410
FATAL = frozenset({402, 404, 406, 407, 409})
"""Errors after which Alpaca closes, or after which waiting for data is vain."""


class MarketData(Connection):
    """One market-data connection.

    Parameters
    ----------
    credentials : Credentials
    channels : tuple of str
        Those that the endpoint has.
    activity : Activity, optional
        Judges a silence while pings are answered.
    codec : {"json", "msgpack"}
        What the upgrade asks for. Frames are taken in either: what came is what counts.

    Attributes
    ----------
    ahead_ns : int, optional
        Prices whose stamps are further ahead of our clock are put aside: what came after them,
        stamped as it should be, would be taken for older news. None, the default, lets all pass.
    """

    def __init__(
        self,
        random: Random,
        credentials: Credentials,
        channels: tuple[str, ...] = STOCK_CHANNELS,
        activity: Activity | None = None,
        codec: str = "json",
    ) -> None:
        super().__init__(random)
        self.is_packed = codec == "msgpack"
        self.headers = {"Content-Type": f"application/{codec}"}
        self._credentials = credentials
        self._decoder = Decoder()
        self._channels = channels
        self._wanted: dict[str, set[str]] = {channel: set() for channel in channels}
        self._asked: dict[str, set[str]] = {channel: set() for channel in channels}
        self._gaps: list[tuple[str, int]] = []
        self._renewed_at: dict[str, int] = {}
        self._lost_books: dict[str, int] = {}
        """Symbol → when changes of its book were lost; told once, by `take_lost_books`."""
        self._unanswered: deque[tuple[str, Named]] = deque()
        """Requests without an answer, which come in their order."""
        self._acknowledged: dict[str, set[str]] = {}
        self._served_since: dict[str, int] = {}
        """Symbol → when its bars were acknowledged on this connection."""
        self._owed: dict[str, int] = {}
        """Symbol → open of its last bar before those that are asked for once it is served."""
        self._before: dict[str, int] = {}
        """Symbol → open of the last minute before those that the stream has first sent it of."""
        self._has_stood = False
        self.unserved: tuple[str, ...] = ()
        """Symbols that were asked for and are not sent, as the stream last told."""
        self.ineligible = 0
        """Prints that are no prices by their conditions, and were left out; over connections."""
        self.ahead_ns: int | None = None
        self.stitcher = Stitcher()
        self.activity = activity or Activity()

    # -- subscriptions -------------------------------------------------------------------------

    def subscribe(self, channel: str, symbols: Iterable[str]) -> None:
        """Want symbols of a channel, such as ``bars``; only the difference is sent.

        A channel that the endpoint does not have is left alone: coins are never halted.
        """
        if channel in self._wanted:
            self._wanted[channel] |= set(symbols)
            self._send_difference()

    def unsubscribe(self, channel: str, symbols: Iterable[str]) -> None:
        """Want symbols no longer."""
        if channel in self._wanted:
            self._wanted[channel] -= set(symbols)
            if channel == "bars":
                for symbol in symbols:
                    self._before.pop(symbol, None)
            self._send_difference()

    @property
    def is_wanted(self) -> bool:
        """Whether anything is subscribed to."""
        return any(self._wanted.values())

    @property
    def wanted(self) -> dict[str, list[str]]:
        """Channel → symbols subscribed to."""
        return {channel: sorted(symbols) for channel, symbols in self._wanted.items() if symbols}

    def _send_difference(self) -> None:
        if self.state not in (SUBSCRIBING, ACTIVE):
            return
        more = {c: sorted(self._wanted[c] - self._asked[c]) for c in self._channels}
        less = {c: sorted(self._asked[c] - self._wanted[c]) for c in self._channels}
        for action, change in (("subscribe", more), ("unsubscribe", less)):
            unlimited = {c: symbols for c, symbols in change.items() if c not in LIMITED}
            for named in (unlimited, *({c: change.get(c, [])} for c in LIMITED)):
                if any(named.values()):
                    self._ask(action, {c: symbols for c, symbols in named.items() if symbols})
        self._asked = {channel: set(symbols) for channel, symbols in self._wanted.items()}

    def _ask(self, action: str, named: Named) -> None:
        self._unanswered.append((action, named))
        self._say({"action": action, **named})

    def _say(self, message: dict[str, object]) -> None:
        codec = msgspec.msgpack if self.is_packed else msgspec.json
        self._send(codec.encode(message))

    # -- the connection ------------------------------------------------------------------------

    def opened(self, now: int) -> None:
        """Note that the connection stands; the server greets first."""
        self._asked = {channel: set() for channel in self._channels}
        self._acknowledged = {}
        self._served_since = {}
        self._unanswered.clear()
        self._move_to(AUTHENTICATING, now)

    def closed(self, now: int) -> None:
        """Note that the connection is gone; what it carried will be asked for again."""
        super().closed(now)
        for symbol in sorted(self._wanted["bars"]):
            if self._last_before_gap(symbol) is not None:
                self.stitcher.hold(symbol)
        self._lose_books(self._asked.get("orderbooks", ()), now)

    def wants_close(self, now: int) -> bool:
        """Return whether the line is dead, or lives and carries nothing while it should."""
        return super().wants_close(now) or (self.state == ACTIVE and self.activity.is_mute(now))

    def take_gaps(self) -> list[tuple[str, int]]:
        """Return (symbol, open of the last bar seen) for which history has to be fetched."""
        taken, self._gaps = self._gaps, []
        return [gap for gap in taken if gap[0] in self._wanted["bars"]]

    def served_since(self, symbol: str) -> int | None:
        """Return when the stream began to send a symbol's bars; None while it does not."""
        return self._served_since.get(symbol)

    def owe_gap(self, symbol: str, last: int) -> None:
        """Tell of a gap behind the bar opened at `last` as soon as the symbol's bars are served."""
        self._owed[symbol] = last

    def _last_before_gap(self, symbol: str) -> int | None:
        """Return the open of the minute that a gap of now lies behind; None where nothing is lost.

        A line that breaks before the first bar has lost those since the symbol was served.
        """
        last = self.stitcher.last_open(symbol)
        return self._before.get(symbol) if last is None else last

    def take_lost_books(self) -> list[Event]:
        """Return which books have missed changes since the last call."""
        lost, self._lost_books = self._lost_books, {}
        return [BookGapEvent(symbol, ts) for symbol, ts in lost.items()]

    def _lose_books(self, symbols: Iterable[str], now: int) -> None:
        self._lost_books.update(dict.fromkeys(sorted(symbols), now))

    def _renew_books(self, symbols: Iterable[str], now: int) -> None:
        """Ask for books anew while the line stands: a subscription begins with a full message."""
        lost = sorted(symbols)
        self._lose_books(lost, now)
        # Messages that are wrong again and again are not asked for again and again.
        lost = [s for s in lost if now - self._renewed_at.get(s, now - RENEW_NS) >= RENEW_NS]
        self._renewed_at.update(dict.fromkeys(lost, now))
        if not lost:
            return
        for action in ("unsubscribe", "subscribe"):
            self._ask(action, {"orderbooks": lost})

    def receive(self, frame: bytes | str, now: int) -> list[Event]:
        """Take a frame in either codec; one that makes no sense is an alarm, not an end."""
        self.heard(now)
        events = self.take_lost_books() if self._lost_books else []
        has_data = False
        try:
            for message in self._decoder.decode(frame):
                maker = MAKERS.get(type(message))
                if maker is None:
                    events.extend(self._on_control(message, now))
                    continue
                if not has_data:
                    has_data = True
                    self.activity.heard(now)
                try:
                    event = maker(message)
                except DataError as error:
                    # A time that is none: its neighbors have theirs.
                    events.extend(self._put_aside(str(error), now))
                    continue
                if event is None:
                    self.ineligible += 1
                    continue
                fault = self._fault_of(event, now)
                if fault:
                    events.append(Alarm("bad_tick", f"put aside: {fault}", now))
                    if type(event) is BookEvent:
                        self._renew_books((event.symbol,), now)
                    continue
                if type(event) is BarEvent and event.kind != "daily":
                    events.extend(self.stitcher.take(event))
                else:
                    events.append(event)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            events.extend(self._put_aside(type(error).__name__, now))
        return [*events, *self.take_lost_books()] if self._lost_books else events

    def _fault_of(self, event: Any, now: int) -> str:
        """Return why an event cannot be taken; of a stamp without figures, to be told once."""
        if not is_sound(event):
            return str(event)
        if self.ahead_ns is not None and due_ns(event) > now + self.ahead_ns:
            return f"prices of {event.symbol} are stamped later than it is"
        return ""

    def _on_control(self, message: object, now: int) -> list[Event]:
        if isinstance(message, SuccessWire):
            self._on_success(message.msg, now)
        elif isinstance(message, SubscriptionWire):
            return self._on_subscription(message, now)
        elif isinstance(message, ErrorWire):
            return self._on_error(message, now)
        elif isinstance(message, Spoiled):
            return self._put_aside(message.reason, now)
        return []

    def _put_aside(self, reason: str, now: int) -> list[Event]:
        """Go on without a message that makes no sense; it may have been one of a book."""
        self._renew_books(self._asked.get("orderbooks", ()), now)
        return [Alarm("bad_frame", f"market data: {reason}", now)]

    def _on_success(self, text: str, now: int) -> None:
        if text == "connected":
            key, secret = self._credentials.key, self._credentials.reveal_secret()
            self._say({"action": "auth", "key": key, "secret": secret})
        elif text == "authenticated":
            self._authenticated(now)

    def _authenticated(self, now: int) -> None:
        self._move_to(SUBSCRIBING, now)
        self._send_difference()
        if not any(self._wanted.values()):
            self._move_to(ACTIVE, now)

    def _on_subscription(self, ack: SubscriptionWire, now: int) -> list[Event]:
        events = self._stands(now)
        self._acknowledged = {channel: set(getattr(ack, channel)) for channel in ACKNOWLEDGED}
        served = sorted(self._acknowledged["bars"])
        self._served_since = {s: self._served_since.get(s, now) for s in served}
        for symbol in served:
            # The bar of the running minute is the first that it is to bring.
            self._before.setdefault(symbol, now // MINUTE * MINUTE - MINUTE)
        self._gaps += [(s, self._owed.pop(s)) for s in served if s in self._owed]
        self._answered()
        # An acknowledgement lists all that stands; only what it shows as missing is news.
        if not self._unanswered and self.unserved:
            left_out = ", ".join(self.unserved)
            events.append(Alarm("not_subscribed", f"the stream leaves out {left_out}", now))
        return events

    def _stands(self, now: int) -> list[Event]:
        """Take the handshake to be through, where it is not yet: what was missed is asked for."""
        if self.state != SUBSCRIBING:
            return []
        told = [NewsGapEvent(now)] if self._has_stood and "statuses" in self._channels else []
        self._has_stood = True
        self._move_to(ACTIVE, now)
        self.activity.began(now)
        for symbol in sorted(self._wanted["bars"]):
            last = self._last_before_gap(symbol)
            if last is not None:
                self.stitcher.hold(symbol)
                self._gaps.append((symbol, last))
        return list[Event](told)

    def _answered(self) -> None:
        """Note that a request has its answer; the last one shows what is not served."""
        if self._unanswered:
            self._unanswered.popleft()
        if not self._unanswered:
            missing = [
                self._asked[channel] - self._acknowledged.get(channel, set())
                for channel in ACKNOWLEDGED
                if channel in self._asked
            ]
            self.unserved = tuple(sorted(set().union(*missing)))

    def _on_error(self, error: ErrorWire, now: int) -> list[Event]:
        if error.code == ALREADY_AUTHENTICATED:
            self._authenticated(now)
            return []
        told: list[Event] = []
        if error.code in FATAL:
            # The socket has to be gone before the next is opened: most accounts may have one.
            self._refused()
        elif error.code in NOT_SERVED and self.state in (SUBSCRIBING, ACTIVE):
            # The line stands without what was refused: the next would not be served it either.
            told = self._stands(now)
            if self._asks_in_parts(error.code):
                return told
            self._answered()
        return [*told, Alarm(f"market_data_{error.code}", error.msg, now)]

    def _asks_in_parts(self, code: int) -> bool:
        """Ask again for what was refused together, so that only what cannot be had is missing.

        One symbol beyond the plan's number, or one that is none, has all of its message refused.
        """
        action, named = self._unanswered[0] if self._unanswered else ("", {})
        if action != "subscribe":
            return False
        wanted = {c: [s for s in symbols if s in self._wanted[c]] for c, symbols in named.items()}
        parts: list[Named] = [{c: symbols} for c, symbols in wanted.items() if symbols]
        if len(named) == 1 and code != NO_CHANNEL:
            parts = [{c: [symbol]} for c, symbols in wanted.items() for symbol in symbols]
        if parts in ([], [named]):
            return False
        self._unanswered.popleft()
        for part in parts:
            self._ask(action, part)
        return True
