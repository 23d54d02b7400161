"""Messages of the market-data streams, and frames of them in JSON or MessagePack.

`T` stands first in each message and fields are in Alpaca's order; times are text in JSON and
timestamp extensions in MessagePack, to the nanosecond.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, Struct, UnsetType, field

from pyrt.adapters.alpaca.simulator.protocol.wires import SECOND, utc_text


class Stamp:
    """An instant (ns UTC) that is written once for all messages that carry it."""

    __slots__ = ("_ext", "_text", "ns")

    def __init__(self, ns: int) -> None:
        self.ns = ns
        self._text: str | None = None
        self._ext: msgspec.msgpack.Ext | None = None

    @property
    def text(self) -> str:
        """RFC 3339, UTC, without trailing zeros."""
        if self._text is None:
            self._text = utc_text(self.ns)
        return self._text

    @property
    def ext(self) -> msgspec.msgpack.Ext:
        """MessagePack's timestamp extension."""
        if self._ext is None:
            self._ext = timestamp_ext(self.ns)
        return self._ext


def timestamp_ext(ts: int) -> msgspec.msgpack.Ext:
    """Return an instant (ns UTC) as MessagePack's timestamp extension, to the nanosecond."""
    seconds, nanos = divmod(ts, SECOND)
    if seconds >> 34:
        return msgspec.msgpack.Ext(-1, struct.pack(">Iq", nanos, seconds))
    return msgspec.msgpack.Ext(-1, struct.pack(">Q", nanos << 34 | seconds))


class Message(Struct, tag_field="T", kw_only=True, gc=False):
    """What all messages of the streams have: a symbol."""

    S: str


class Trade(Message, tag="t", kw_only=True, gc=False):
    """A print of a stock."""

    i: int
    x: str = "V"
    p: float
    s: int
    c: tuple[str, ...] = ("@",)
    t: Any
    z: str = "B"


class Quote(Message, tag="q", kw_only=True, gc=False):
    """Best bid and offer of a stock; 0 where a side is missing."""

    bx: str = "V"
    bp: float
    bs: int
    ax: str = "V"
    ap: float
    ask_size: int = field(name="as")
    c: tuple[str, ...] = ("R",)
    t: Any
    z: str = "B"


class Bar(Message, tag="b", kw_only=True, gc=False):
    """A minute that has ended; `t` is its start."""

    o: float
    h: float
    l: float  # noqa: E741 - Alpaca's name
    c: float
    v: float
    t: Any
    n: int
    vw: float


class UpdatedBar(Bar, tag="u", kw_only=True, gc=False):
    """A minute bar once more, after late, corrected or canceled prints."""


class DailyBar(Bar, tag="d", kw_only=True, gc=False):
    """The session's bar so far."""


class Correction(Message, tag="c", kw_only=True, gc=False):
    """A print that is replaced by another."""

    x: str = "V"
    oi: int
    op: float
    os: int
    oc: tuple[str, ...] = ("@",)
    ci: int
    cp: float
    cs: int
    cc: tuple[str, ...] = ("@",)
    t: Any
    z: str = "B"


class CancelError(Message, tag="x", kw_only=True, gc=False):
    """A print that is taken back: `a` is C for a cancel, E for an error."""

    i: int
    x: str = "V"
    p: float
    s: int
    a: str = "C"
    t: Any
    z: str = "B"


class Luld(Message, tag="l", kw_only=True, gc=False):
    """Limit up, limit down: the band in which a stock may trade."""

    u: float
    d: float
    i: str = "B"
    t: Any
    z: str = "B"


class Status(Message, tag="s", kw_only=True, gc=False):
    """A stock's trading status changed."""

    sc: str
    sm: str
    rc: str = ""
    rm: str = ""
    t: Any
    z: str = "B"


class CoinTrade(Message, tag="t", kw_only=True, gc=False):
    """A print of a pair of coins; `tks` says who took, B or S."""

    p: float
    s: float
    t: Any
    i: int
    tks: str = "B"


class CoinQuote(Message, tag="q", kw_only=True, gc=False):
    """Best bid and offer of a pair of coins."""

    bp: float
    bs: float
    ap: float
    ask_size: float = field(name="as")
    t: Any


class Level(Struct, gc=False):
    """Price and size of one level; size 0 takes it away."""

    p: float
    s: float


class OrderBook(Message, tag="o", kw_only=True, gc=False):
    """Changed levels of a book; all of them where `r` is true."""

    t: Any
    b: list[Level]
    a: list[Level]
    r: bool | UnsetType = UNSET


CHANNELS: dict[type[Message], str] = {
    Trade: "trades",
    CoinTrade: "trades",
    Quote: "quotes",
    CoinQuote: "quotes",
    Bar: "bars",
    UpdatedBar: "updatedBars",
    DailyBar: "dailyBars",
    Correction: "corrections",
    CancelError: "cancelErrors",
    Luld: "lulds",
    Status: "statuses",
    OrderBook: "orderbooks",
}
"""Which subscription a message belongs to."""


def _as_text(value: Any) -> Any:
    if isinstance(value, Stamp):
        return value.text
    raise TypeError(f"{value!r} cannot be sent")


def _as_ext(value: Any) -> Any:
    if isinstance(value, Stamp):
        return value.ext
    raise TypeError(f"{value!r} cannot be sent")


_JSON = msgspec.json.Encoder(enc_hook=_as_text)
_PACKED = msgspec.msgpack.Encoder(enc_hook=_as_ext)


def encode(messages: Sequence[Any], *, packed: bool) -> bytes:
    """Return one frame: an array of messages."""
    return _PACKED.encode(messages) if packed else _JSON.encode(messages)
