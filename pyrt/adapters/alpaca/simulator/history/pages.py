"""Pages of history over several symbols: what a query asks for, limits, tokens."""

from __future__ import annotations

import base64
import binascii
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.adapters.alpaca.simulator.protocol.http import invalid, whole
from pyrt.adapters.alpaca.simulator.protocol.wires import DAY, instant, is_pair, midnight

PAGE_MAX = 10_000
FEEDS = ("sip", "iex", "otc", "boats")
LATEST_FEEDS = (*FEEDS, "delayed_sip", "overnight")
ADJUSTMENTS = ("raw", "split", "dividend", "spin-off", "all")
FAR = 1 << 62
Rows = list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Stretch:
    """Rows of one symbol that a query may get, oldest first.

    Attributes
    ----------
    keys : ndarray of int64, shape (n,)
        What names each row in a token, rising.
    rows : callable
        Returns the rows of a slice as JSON objects.
    """

    keys: NDArray[np.int64]
    rows: Callable[[slice], Rows]

    def part(self, key: int | None, room: int, *, descends: bool) -> tuple[Rows, int | None]:
        """Return rows from the one that a token names on, and what names the next one."""
        if descends:
            high = len(self.keys)
            if key is not None:
                high = int(np.searchsorted(self.keys, key, side="right"))
            low = max(0, high - room)
            following = int(self.keys[low - 1]) if low else None
            return self.rows(slice(low, high))[::-1], following
        low = 0 if key is None else int(np.searchsorted(self.keys, key, side="left"))
        high = min(low + room, len(self.keys))
        following = int(self.keys[high]) if high < len(self.keys) else None
        return self.rows(slice(low, high)), following


@dataclass(frozen=True, slots=True)
class Span:
    """What a history query says besides its symbols."""

    start: int
    end: int
    limit: int
    descends: bool
    token: tuple[str, int] | None
    adjustments: frozenset[str]


def read_span(query: Mapping[str, str], now: int, *, utc: bool = False) -> Span:
    """Read a query; Refused if a value cannot be one. By default it is about today."""
    sort = query.get("sort", "asc")
    if sort not in ("asc", "desc"):
        raise invalid(f"invalid sort: {sort}")
    check_feed(query, FEEDS)
    asof = query.get("asof", "-")
    if asof not in ("-", ""):
        _date(asof, "asof")
    adjustments = frozenset((query.get("adjustment") or "raw").lower().split(","))
    for name in sorted(adjustments - set(ADJUSTMENTS)):
        raise invalid(f"invalid adjustment: {name}")
    if query.get("currency", "USD").upper() not in ("USD", ""):
        raise invalid(f"invalid currency: {query['currency']}, only USD is served")
    today = midnight(now, utc=utc)
    start = instant(query.get("start") or None, "start", today, refusal=invalid)
    end = instant(query.get("end") or None, "end", FAR, refusal=invalid)
    if "end" in query and len(query["end"]) == 10:
        end += DAY - 1
    if start > end:
        raise invalid("end should not be before start")
    limit = whole(query, "limit", 1000, PAGE_MAX, refusal=invalid)
    return Span(start, end, limit, sort == "desc", read_token(query.get("page_token")), adjustments)


def check_feed(query: Mapping[str, str], known: Sequence[str] = LATEST_FEEDS) -> None:
    """Refuse a feed that there is not; of the past there are fewer than of the latest values."""
    feed = query.get("feed")
    if feed not in (None, "", *known):
        raise invalid(f"invalid feed: {feed}")


def page(
    symbols: Sequence[str], span: Span, stretch: Callable[[str], Stretch]
) -> tuple[dict[str, Rows], str | None]:
    """Return one page: symbols in order, each by time; and the token of what follows."""
    found: dict[str, Rows] = {}
    room = span.limit
    first, key = span.token or ("", None)
    for symbol in sorted(set(symbols)):
        if symbol < first:
            continue
        source = stretch(symbol)
        if not room:
            if len(source.keys):
                edge = source.keys[-1] if span.descends else source.keys[0]
                return found, write_token(symbol, int(edge))
            continue
        start = key if symbol == first else None
        rows, following = source.part(start, room, descends=span.descends)
        if rows:
            found[symbol] = rows
            room -= len(rows)
        if following is not None:
            return found, write_token(symbol, following)
    return found, None


def write_token(symbol: str, key: int) -> str:
    """Return the token of a row."""
    return base64.urlsafe_b64encode(f"{symbol}|{key}".encode()).decode()


def read_token(token: str | None) -> tuple[str, int] | None:
    """Return symbol and key of a token; Refused if it is none of ours."""
    if not token:
        return None
    try:
        symbol, key = base64.urlsafe_b64decode(token.encode()).decode().split("|")
        if abs(int(key)) < FAR:
            return symbol, int(key)
    except (binascii.Error, UnicodeError, ValueError):
        pass
    raise invalid(f"invalid page_token: {token}")


def symbols_of(query: Mapping[str, str], *, pairs: bool) -> list[str]:
    """Return the symbols of a query; Refused if there are none, or of the wrong form."""
    symbols = [part.strip() for part in query.get("symbols", "").split(",") if part.strip()]
    if not symbols:
        raise invalid("symbols is required")
    return [check_symbol(symbol, pairs=pairs) for symbol in symbols]


def check_symbol(symbol: str, *, pairs: bool) -> str:
    """Return a symbol of the right form; Refused otherwise."""
    plain = symbol.replace("/", "").replace(".", "").replace("-", "")
    if pairs != is_pair(symbol) or not plain.isalnum() or symbol != symbol.upper():
        form = "^[A-Z]+x?/[A-Z]+$" if pairs else "^[A-Z0-9.-]+$"
        raise invalid(f"invalid symbol: {symbol} does not match {form}")
    return symbol


def _date(value: str, name: str) -> dt.date:
    try:
        return dt.date.fromisoformat(value)
    except ValueError:
        raise invalid(f"invalid {name}: {value}") from None
