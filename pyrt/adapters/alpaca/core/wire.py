"""Market-data messages as they are on the wire, in JSON and in MessagePack."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from msgspec.msgpack import Ext

from pyrt.adapters.alpaca.core.conditions import sets_price
from pyrt.adapters.alpaca.core.events import (
    BandsEvent,
    BarEvent,
    BookEvent,
    CorrectionEvent,
    MarketEvent,
    QuoteEvent,
    StatusEvent,
    TradeEvent,
)
from pyrt.adapters.alpaca.core.stamps import stamp_ns

MINUTE = 60_000_000_000
DAY = 86_400_000_000_000


class _Bar(msgspec.Struct, gc=False):
    S: str
    t: str | Ext
    o: float
    h: float
    low: float = msgspec.field(name="l")
    c: float
    v: float


class BarWire(_Bar, tag_field="T", tag="b"):
    """A minute's bar, stamped at its open."""


class UpdatedBarWire(_Bar, tag_field="T", tag="u"):
    """A bar that late trades have changed."""


class DailyBarWire(_Bar, tag_field="T", tag="d"):
    """The day's bar so far."""


class QuoteWire(msgspec.Struct, tag_field="T", tag="q", gc=False):
    """A best bid and offer."""

    S: str
    t: str | Ext
    bp: float
    ap: float
    bs: float = 0.0
    # `as` is a word of Python's own.
    ask_size: float = msgspec.field(name="as", default=0.0)


class TradeWire(msgspec.Struct, tag_field="T", tag="t", gc=False):
    """A print, with its conditions and its tape where it is one of a stock."""

    S: str
    t: str | Ext
    p: float
    s: float
    tks: str = ""
    c: list[str] | None = None
    z: str = ""


class LevelWire(msgspec.Struct, gc=False):
    """Price and size of a level."""

    p: float
    s: float


class BookWire(msgspec.Struct, tag_field="T", tag="o"):
    """Changed levels of a book, of coins only; all of them where `r` is true."""

    S: str
    t: str | Ext
    b: list[LevelWire] = []
    a: list[LevelWire] = []
    r: bool = False


class StatusWire(msgspec.Struct, tag_field="T", tag="s"):
    """A change of a symbol's trading state: code and words, of the state and of its reason."""

    S: str
    t: str | Ext
    sc: str = ""
    sm: str = ""
    rc: str = ""
    rm: str = ""


class LuldWire(msgspec.Struct, tag_field="T", tag="l", gc=False):
    """Price bands of a stock, upper and lower; 0 where they are suspended."""

    S: str
    t: str | Ext
    u: float = 0.0
    d: float = 0.0
    i: str = ""


class CorrectionWire(msgspec.Struct, tag_field="T", tag="c"):
    """A print as it was, and as it should have been."""

    S: str
    t: str | Ext
    op: float = 0.0
    os: float = 0.0
    cp: float = 0.0
    cs: float = 0.0


class CancelWire(msgspec.Struct, tag_field="T", tag="x"):
    """A print that was taken back."""

    S: str
    t: str | Ext
    p: float = 0.0
    s: float = 0.0
    a: str = "C"


class SuccessWire(msgspec.Struct, tag_field="T", tag="success"):
    """A step of the handshake is done."""

    msg: str = ""


class ErrorWire(msgspec.Struct, tag_field="T", tag="error"):
    """Something was refused."""

    code: int = 0
    msg: str = ""


class SubscriptionWire(msgspec.Struct, tag_field="T", tag="subscription"):
    """All that is subscribed to now."""

    bars: list[str] = []
    quotes: list[str] = []
    trades: list[str] = []
    orderbooks: list[str] = []


Wire = (
    BarWire
    | UpdatedBarWire
    | DailyBarWire
    | QuoteWire
    | TradeWire
    | BookWire
    | StatusWire
    | LuldWire
    | CorrectionWire
    | CancelWire
    | SuccessWire
    | ErrorWire
    | SubscriptionWire
)
TAGS = frozenset(
    {"b", "u", "d", "q", "t", "o", "s", "l", "c", "x", "success", "error", "subscription"}
)
HALTED = frozenset({"2", "H", "P"})
"""Codes of a halt or pause: CTA's number, UTP's letters."""
TRADING = frozenset({"3", "T"})
QUOTING = frozenset({"5", "Q"})
PRICE_MAX = 9e9
"""What a price in nano-units of 64 bits can be."""
SIZE_MAX = 1e15
AGGRESSORS = {"B": 1, "S": -1}


class Spoiled(msgspec.Struct):
    """A message that makes no sense, and why."""

    reason: str


# Made once: each takes a millisecond, and they keep nothing between frames.
_JSON = msgspec.json.Decoder(list[Wire])
_MSGPACK = msgspec.msgpack.Decoder(list[Wire])


class Decoder:
    """Turns frames of either codec into messages; kinds it does not know are left out."""

    def __init__(self) -> None:
        self._json = _JSON.decode
        self._msgpack = _MSGPACK.decode

    def decode(self, frame: Any) -> list[Any]:
        """Return the messages of a frame.

        Raises
        ------
        msgspec.DecodeError
            If it is neither JSON nor MessagePack. A message of a known kind that lacks a field, or
            has one of another type, is a `Spoiled` among its neighbors.
        """
        packed = not isinstance(frame, str) and bool(frame) and frame[0] >= 0x80
        try:
            messages: list[Any] = self._msgpack(frame) if packed else self._json(frame)
        except msgspec.ValidationError:
            return _known_of(frame, packed=packed)
        return messages


def _known_of(frame: Any, *, packed: bool) -> list[Any]:
    """Decode message by message: one that is new to us must not cost us its neighbors."""
    codec: Any = msgspec.msgpack if packed else msgspec.json
    found: list[Any] = []
    for piece in codec.decode(frame, type=list[msgspec.Raw]):
        tag = codec.decode(piece, type=dict[str, msgspec.Raw]).get("T")
        if tag is not None and codec.decode(tag, type=str) in TAGS:
            try:
                found.append(codec.decode(piece, type=Wire))
            except msgspec.ValidationError as error:
                found.append(Spoiled(str(error)))
    return found


def _bar(message: Any) -> BarEvent:
    ts = stamp_ns(message.t)
    prices = (message.o, message.h, message.low, message.c, message.v)
    return BarEvent(message.S, ts, ts + MINUTE, prices)


def _updated(message: Any) -> BarEvent:
    ts = stamp_ns(message.t)
    prices = (message.o, message.h, message.low, message.c, message.v)
    return BarEvent(message.S, ts, ts + MINUTE, prices, "updated")


def _daily(message: Any) -> BarEvent:
    ts = stamp_ns(message.t)
    prices = (message.o, message.h, message.low, message.c, message.v)
    return BarEvent(message.S, ts, ts + DAY, prices, "daily")


def _quote(message: Any) -> QuoteEvent:
    ts = stamp_ns(message.t)
    return QuoteEvent(message.S, ts, message.bp, message.bs, message.ap, message.ask_size)


def _trade(message: Any) -> TradeEvent | None:
    if message.c and not sets_price(message.c, message.z):
        return None
    aggressor = AGGRESSORS.get(message.tks, 0)
    return TradeEvent(message.S, stamp_ns(message.t), message.p, message.s, aggressor)


def _book(message: Any) -> BookEvent:
    bids = tuple((level.p, level.s) for level in message.b)
    asks = tuple((level.p, level.s) for level in message.a)
    return BookEvent(message.S, stamp_ns(message.t), bids, asks, message.r)


def is_sound(event: object) -> bool:
    """Return whether the numbers of an event are some that a market can have made.

    A side of a quote without anybody has price 0; NaN is never between two numbers.
    """
    if isinstance(event, QuoteEvent):
        return (
            0 <= event.bid_price < PRICE_MAX
            and 0 <= event.ask_price < PRICE_MAX
            and 0 <= event.bid_size < SIZE_MAX
            and 0 <= event.ask_size < SIZE_MAX
        )
    if isinstance(event, TradeEvent):
        return 0 < event.price < PRICE_MAX and 0 <= event.size < SIZE_MAX
    if isinstance(event, BookEvent):
        return all(
            0 < price < PRICE_MAX and 0 <= size < SIZE_MAX
            for levels in (event.bids, event.asks)
            for price, size in levels
        )
    if isinstance(event, BandsEvent):
        # Suspended bands are 0; a lower one may be.
        return 0 <= event.lower <= event.upper < PRICE_MAX
    if isinstance(event, BarEvent):
        o, h, low, c, volume = event.prices
        return 0 < low <= o <= h < PRICE_MAX and low <= c <= h and 0 <= volume < SIZE_MAX
    return True


def due_ns(event: object) -> int:
    """Return when a price can be known at the earliest, ns UTC; 0 of what has none.

    A day's bar comes again and again while its day goes on.
    """
    if isinstance(event, (QuoteEvent, TradeEvent, BookEvent)):
        return event.ts_event
    if isinstance(event, BarEvent):
        return event.ts_open if event.kind == "daily" else event.ts_close
    return 0


def _status(message: Any) -> StatusEvent:
    code = message.sc
    status = (
        "halted"
        if code in HALTED
        else "trading"
        if code in TRADING
        else "quoting"
        if code in QUOTING
        else message.sm or code
    )
    return StatusEvent(message.S, stamp_ns(message.t), status, message.rm or message.rc)


def _bands(message: Any) -> BandsEvent:
    return BandsEvent(message.S, stamp_ns(message.t), message.d, message.u, message.i)


def _correction(message: Any) -> CorrectionEvent:
    old, new = (message.op, message.os), (message.cp, message.cs)
    return CorrectionEvent(message.S, stamp_ns(message.t), "corrected", *old, *new)


def _cancel(message: Any) -> CorrectionEvent:
    kind = "error" if message.a == "E" else "canceled"
    return CorrectionEvent(message.S, stamp_ns(message.t), kind, message.p, message.s)


MAKERS: dict[type, Callable[[Any], MarketEvent | None]] = {
    BarWire: _bar,
    UpdatedBarWire: _updated,
    DailyBarWire: _daily,
    QuoteWire: _quote,
    TradeWire: _trade,
    BookWire: _book,
    StatusWire: _status,
    LuldWire: _bands,
    CorrectionWire: _correction,
    CancelWire: _cancel,
}
"""What makes the event of a data message; the handshake's messages have none.

Of a print that is no price nothing is made.
"""


def event_of(message: Any) -> MarketEvent | None:
    """Return the event of a data message; None for the handshake's and prints that are no price."""
    maker = MAKERS.get(type(message))
    return None if maker is None else maker(message)
