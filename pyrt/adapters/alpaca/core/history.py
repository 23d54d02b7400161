"""Historical bars: the requests for a span, page after page, and what their answers hold."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import urlencode

import msgspec

from pyrt.adapters.alpaca.core.events import BarEvent
from pyrt.adapters.alpaca.core.rest import HttpRequest
from pyrt.adapters.alpaca.core.stamps import text_ns
from pyrt.adapters.alpaca.core.wire import is_sound
from pyrt.core.times import format_ns
from pyrt.data.timeframe import parse_timeframe
from pyrt.errors import DataError
from pyrt.venues.alpaca import timeframes

MINUTE = 60_000_000_000
PAGE_LIMIT = 10_000


def wire_timeframe(text: str) -> str:
    """Return the broker's word for a timeframe.

    Raises
    ------
    ConfigError
        If it has no bars of that length.

    Examples
    --------
    >>> wire_timeframe("15m"), wire_timeframe("120m"), wire_timeframe("7d")
    ('15Min', '2Hour', '1Week')
    """
    return timeframes.wire_timeframe(parse_timeframe(text), text)


class _BarRow(msgspec.Struct):
    t: str
    o: float
    h: float
    low: float = msgspec.field(name="l")
    c: float
    v: float


class _Page(msgspec.Struct):
    bars: dict[str, list[_BarRow]] | None = None
    next_page_token: str | None = None


@dataclass(slots=True)
class BarHistory:
    """One span of bars being fetched; pages are merged, since one may hold a single symbol.

    Parameters
    ----------
    symbols : tuple of str
    start, end : int
        Opens of the first and last bar wanted, ns UTC, both included; `end` None is now.
    keep : int
        How many of the last bars are wanted; 0 for all.
    asked_at : int
        When the first page was asked for, ns UTC.
    timeframe : str
        Of `wire_timeframe`: ``1m``, ``15m``, ``1h``, ``1d``, ``1w``.
    """

    symbols: tuple[str, ...]
    start: int
    end: int | None = None
    timeframe: str = "1m"
    feed: str = "iex"
    adjustment: str = "raw"
    purpose: str = "bars"
    keep: int = 0
    asked_at: int = 0
    bars: list[BarEvent] = field(default_factory=list)
    is_complete: bool = False

    def request(self, page_token: str | None = None) -> HttpRequest:
        """Return the request for the first page, or for the one of a token."""
        crypto = "/" in self.symbols[0]
        query = {
            "symbols": ",".join(self.symbols),
            "timeframe": wire_timeframe(self.timeframe),
            "start": format_ns(self.start),
            "limit": str(PAGE_LIMIT),
        }
        if self.end is not None:
            query["end"] = format_ns(self.end)
        if not crypto:
            query.update(feed=self.feed, adjustment=self.adjustment)
        if page_token is not None:
            query["page_token"] = page_token
        base = "/v1beta3/crypto/us/bars" if crypto else "/v2/stocks/bars"
        path = f"{base}?{urlencode(query)}"
        return HttpRequest("GET", path, b"", purpose=self.purpose, host="data")

    def receive(self, body: bytes) -> HttpRequest | None:
        """Take a page; return the request for the next, None when this was the last.

        Raises
        ------
        msgspec.DecodeError
            If it is no page of bars; nothing is kept of it.
        """
        page = msgspec.json.decode(body, type=_Page)
        span = parse_timeframe(self.timeframe)
        found = [
            BarEvent(symbol, opened, opened + span, (row.o, row.h, row.low, row.c, row.v))
            for symbol, rows in (page.bars or {}).items()
            for row in rows
            for opened in (_time(row.t),)
        ]
        self.bars.extend(filter(is_sound, found))
        if page.next_page_token:
            return self.request(page.next_page_token)
        self.is_complete = True
        self.bars.sort(key=lambda bar: (bar.ts_close, bar.symbol))
        return None


def _time(text: str) -> int:
    try:
        return text_ns(text)
    except DataError as error:
        raise msgspec.DecodeError(str(error)) from error
