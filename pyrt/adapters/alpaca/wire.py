"""Market-data messages as they are on the wire, in JSON and in MessagePack."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.msgpack import Ext

from pyrt.adapters.alpaca.events import BarEvent, QuoteEvent, TradeEvent
from pyrt.core.times import timestamp_ns
from pyrt.errors import DataError

MINUTE = 60_000_000_000
DAY = 86_400_000_000_000
TIMESTAMP = -1
"""MessagePack's own extension type for times."""


class _Bar(msgspec.Struct):
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


class QuoteWire(msgspec.Struct, tag_field="T", tag="q"):
    """A best bid and offer."""

    S: str
    t: str | Ext
    bp: float
    ap: float
    bs: float = 0.0
    # `as` is a word of Python's own.
    ask_size: float = msgspec.field(name="as", default=0.0)


class TradeWire(msgspec.Struct, tag_field="T", tag="t"):
    """A print."""

    S: str
    t: str | Ext
    p: float
    s: float


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


Wire = (
    BarWire
    | UpdatedBarWire
    | DailyBarWire
    | QuoteWire
    | TradeWire
    | SuccessWire
    | ErrorWire
    | SubscriptionWire
)
BAR_KINDS = {"BarWire": "bar", "UpdatedBarWire": "updated", "DailyBarWire": "daily"}
TAGS = frozenset({"b", "u", "d", "q", "t", "success", "error", "subscription"})


class Decoder:
    """Turns frames of either codec into messages; kinds it does not know are left out."""

    def __init__(self) -> None:
        self._json = msgspec.json.Decoder(list[Wire])
        self._msgpack = msgspec.msgpack.Decoder(list[Wire])

    def decode(self, frame: bytes | str) -> list[Any]:
        """Return the messages of a frame.

        Raises
        ------
        msgspec.DecodeError
            If it is neither JSON nor MessagePack, or a known kind lacks a field.
        """
        raw = frame.encode() if isinstance(frame, str) else frame
        packed = bool(raw) and raw[0] >= 0x80
        decoder = self._msgpack if packed else self._json
        try:
            messages: list[Any] = decoder.decode(raw)
        except msgspec.ValidationError:
            return _known_of(raw, packed=packed)
        return messages


def _known_of(raw: bytes, *, packed: bool) -> list[Any]:
    """Decode message by message: one that is new to us must not cost us its neighbors."""
    codec: Any = msgspec.msgpack if packed else msgspec.json
    found = []
    for piece in codec.decode(raw, type=list[msgspec.Raw]):
        tag = codec.decode(piece, type=dict[str, msgspec.Raw]).get("T")
        if tag is not None and codec.decode(tag, type=str) in TAGS:
            found.append(codec.decode(piece, type=Wire))
    return found


def time_ns(value: str | Ext) -> int:
    """Return a wire time in ns UTC, to the nanosecond in both codecs.

    Raises
    ------
    DataError
        If it is no time.
    """
    if isinstance(value, str):
        return timestamp_ns(value)
    data = bytes(value.data)
    if value.code != TIMESTAMP or len(data) not in (4, 8, 12):
        raise DataError(f"extension {value.code} of {len(data)} bytes is no time")
    if len(data) == 4:
        return int.from_bytes(data, "big") * 1_000_000_000
    if len(data) == 8:
        both = int.from_bytes(data, "big")
        return (both & (1 << 34) - 1) * 1_000_000_000 + (both >> 34)
    seconds = int.from_bytes(data[4:], "big", signed=True)
    return seconds * 1_000_000_000 + int.from_bytes(data[:4], "big")


def event_of(message: Any) -> BarEvent | QuoteEvent | TradeEvent | None:
    """Return the event of a data message; None for the handshake's."""
    if isinstance(message, _Bar):
        kind = BAR_KINDS[type(message).__name__]
        ts_open = time_ns(message.t)
        ts_close = ts_open + (DAY if kind == "daily" else MINUTE)
        prices = (message.o, message.h, message.low, message.c, message.v)
        return BarEvent(message.S, ts_open, ts_close, prices, kind)
    if isinstance(message, QuoteWire):
        return QuoteEvent(
            message.S, time_ns(message.t), message.bp, message.bs, message.ap, message.ask_size
        )
    if isinstance(message, TradeWire):
        return TradeEvent(message.S, time_ns(message.t), message.p, message.s)
    return None
