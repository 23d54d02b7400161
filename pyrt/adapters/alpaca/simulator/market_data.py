"""The market-data API: history up to now, latest values, snapshots; only bars are recorded.

Where the data hold no ticks, each bar stands for one print at its close, and a quote is that
price on both sides. Nothing after the simulator's time is ever shown.
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator.desk import Desk
from pyrt.adapters.alpaca.simulator.http import Response, answer, bad, names, refused, whole
from pyrt.adapters.alpaca.simulator.router import Request, Router
from pyrt.adapters.alpaca.simulator.timeframes import aggregate, parse_timeframe
from pyrt.adapters.alpaca.simulator.wires import instant, is_pair
from pyrt.core.times import format_ns

PAGE_MAX = 10_000
FAR = 1 << 62
KINDS = ("bars", "trades", "quotes")
Rows = list[dict[str, Any]]


class MarketDataApi:
    """Answers what the market was, from the exchange's recorded bars.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._tables = {columns.symbol: columns for columns in desk.exchange.tables}

    def install(self, router: Router) -> None:
        """Add the routes."""
        crypto = "/v1beta3/crypto/(?:us|us-1|eu-1)"
        for base in ("/v2/stocks", crypto):
            for kind in KINDS:
                router.add("GET", f"{base}/{kind}", self._history(kind))
                router.add("GET", f"{base}/{kind}/latest", self._history_latest(kind))
            router.add("GET", f"{base}/snapshots", self._snapshots)
        router.add("GET", f"{crypto}/latest/(bars|trades|quotes)", self._crypto_latest)
        router.add("GET", "/v2/stocks/([^/]+)/(bars|trades|quotes)", self._one)
        router.add("GET", "/v2/stocks/([^/]+)/(bars|trades|quotes)/latest", self._one_latest)
        router.add("GET", "/v2/stocks/([^/]+)/snapshot", self._one_snapshot)
        router.add("GET", "/v1/corporate-actions", self._corporate_actions)

    # -- history -------------------------------------------------------------------------------

    def _history(self, kind: str) -> Callable[[Request], Response]:
        return lambda request: answer(self._page(kind, _symbols(request), request.query))

    def _one(self, request: Request) -> Response:
        symbol, kind = request.parts
        page = self._page(kind, [symbol], request.query)
        return answer({**page, kind: page[kind].get(symbol, []), "symbol": symbol})

    def _page(self, kind: str, symbols: list[str], query: Mapping[str, str]) -> dict[str, Any]:
        """Return one page: symbols in order, each by time; the token names the next row."""
        limit = whole(query, "limit", 1000, PAGE_MAX)
        sort = query.get("sort", "asc")
        if sort not in ("asc", "desc"):
            raise bad(f"invalid sort: {sort}")
        first_symbol, first_row = _read_token(query.get("page_token"))
        found: dict[str, Rows] = {}
        room = limit
        for symbol in sorted(set(symbols)):
            if symbol < first_symbol:
                continue
            skip = first_row if symbol == first_symbol else 0
            rows = self._rows(kind, symbol, query, descends=sort == "desc")
            part = rows[skip : skip + room]
            if part:
                found[symbol] = part
            room -= len(part)
            if len(rows) > skip + len(part):
                return {kind: found, "next_page_token": _token(symbol, skip + len(part))}
        return {kind: found, "next_page_token": None}

    def _rows(self, kind: str, symbol: str, query: Mapping[str, str], *, descends: bool) -> Rows:
        if kind == "bars":
            rows = self._bars(symbol, query)
        else:
            make = trade_row if kind == "trades" else quote_row
            columns, span = self._span(symbol, query)
            rows = [make(columns, row) for row in range(span.start, span.stop)]
        return rows[::-1] if descends else rows

    def _bars(self, symbol: str, query: Mapping[str, str]) -> Rows:
        count, unit = parse_timeframe(query.get("timeframe") or "1Min")
        columns, span = self._span(symbol, query)
        return [] if columns is None else list(bar_rows(aggregate(columns, span, count, unit)))

    def _span(self, symbol: str, query: Mapping[str, str]) -> tuple[Any, slice]:
        """Return a symbol's table and its rows in [start, end] that have ended by now."""
        columns = self._tables.get(symbol)
        if columns is None:
            return None, slice(0, 0)
        start = instant(query.get("start"), "start", -FAR)
        end = instant(query.get("end"), "end", FAR)
        opens = np.asarray(columns.ts_open)
        known = int(np.searchsorted(np.asarray(columns.ts_close), self._desk.now, side="right"))
        low = int(np.searchsorted(opens, start, side="left"))
        high = min(int(np.searchsorted(opens, end, side="right")), known)
        return columns, slice(low, max(low, high))

    # -- the latest ----------------------------------------------------------------------------

    def _history_latest(self, kind: str) -> Callable[[Request], Response]:
        return lambda request: answer({kind: self._latest(kind, _symbols(request))})

    def _crypto_latest(self, request: Request) -> Response:
        kind = request.parts[0]
        return answer({kind: self._latest(kind, _symbols(request))})

    def _one_latest(self, request: Request) -> Response:
        symbol, kind = request.parts
        found = self._latest(kind, [symbol])
        if symbol not in found:
            raise refused(404, 40410000, f"no {kind[:-1]} found for {symbol}")
        return answer({"symbol": symbol, kind[:-1]: found[symbol]})

    def _latest(self, kind: str, symbols: list[str]) -> dict[str, Any]:
        found = {}
        for symbol in sorted(set(symbols)):
            columns, span = self._span(symbol, {})
            if span.stop > span.start:
                found[symbol] = _row_of(kind, columns, span.stop - 1)
        return found

    def _snapshots(self, request: Request) -> Response:
        found = {symbol: self._snapshot(symbol) for symbol in _symbols(request)}
        known = {symbol: value for symbol, value in found.items() if value is not None}
        return answer({"snapshots": known} if "/crypto/" in request.path else known)

    def _one_snapshot(self, request: Request) -> Response:
        snapshot = self._snapshot(request.parts[0])
        if snapshot is None:
            raise refused(404, 40410000, f"no snapshot found for {request.parts[0]}")
        return answer({"symbol": request.parts[0], **snapshot})

    def _snapshot(self, symbol: str) -> dict[str, Any] | None:
        columns, span = self._span(symbol, {})
        if span.stop == span.start:
            return None
        row = span.stop - 1
        days = list(bar_rows(aggregate(columns, span, 1, "Day")))
        return {
            "latestTrade": trade_row(columns, row),
            "latestQuote": quote_row(columns, row),
            "minuteBar": _row_of("bars", columns, row),
            "dailyBar": days[-1],
            "prevDailyBar": days[-2] if len(days) > 1 else None,
        }

    @staticmethod
    def _corporate_actions(request: Request) -> Response:
        """The data hold prices as they were traded and no actions: an empty, valid page."""
        return answer({"corporate_actions": {}, "next_page_token": None})


def bar_rows(arrays: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield bars as JSON objects."""
    columns = {name: values.tolist() for name, values in arrays.items()}
    for at, ts in enumerate(columns["t"]):
        yield {
            "t": format_ns(ts),
            **{name: columns[name][at] for name in ["o", "h", "l", "c", "v", "n", "vw"]},
        }


def trade_row(columns: Any, row: int) -> dict[str, Any]:
    """Return the print that a bar stands for: its volume at its close."""
    ts = format_ns(int(columns.ts_close[row]))
    price, size = float(columns.close[row]), float(columns.volume[row])
    if is_pair(columns.symbol):
        return {"t": ts, "p": price, "s": size, "i": row + 1, "tks": "B"}
    return {"t": ts, "x": "V", "p": price, "s": int(size), "c": ["@"], "i": row + 1, "z": "B"}


def quote_row(columns: Any, row: int) -> dict[str, Any]:
    """Return the quote that a bar stands for: its close on both sides."""
    ts, price = format_ns(int(columns.ts_close[row])), float(columns.close[row])
    sides = {"ap": price, "as": 100, "bp": price, "bs": 100}
    if is_pair(columns.symbol):
        return {"t": ts, **sides}
    return {"t": ts, "ax": "V", "bx": "V", "c": ["R"], "z": "B", **sides}


def _row_of(kind: str, columns: Any, row: int) -> dict[str, Any]:
    if kind == "trades":
        return trade_row(columns, row)
    if kind == "quotes":
        return quote_row(columns, row)
    return next(bar_rows(aggregate(columns, slice(row, row + 1), 1, "Min")))


def _symbols(request: Request) -> list[str]:
    symbols = names(request.query.get("symbols"))
    if not symbols:
        raise refused(400, 40010001, "symbols is required")
    return symbols


def _token(symbol: str, row: int) -> str:
    return base64.urlsafe_b64encode(f"{symbol}|{row}".encode()).decode()


def _read_token(token: str | None) -> tuple[str, int]:
    if not token:
        return "", 0
    try:
        symbol, row = base64.urlsafe_b64decode(token).decode().split("|")
        return symbol, int(row)
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise bad("invalid page_token") from None
