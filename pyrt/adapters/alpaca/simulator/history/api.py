"""The market-data API: history up to now, latest values, snapshots.

Where the data hold no ticks, each bar stands for one print at its close, and a quote is that
price on both sides. Nothing after the simulator's time is ever shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator.history import screens
from pyrt.adapters.alpaca.simulator.history.pages import (
    Rows,
    Span,
    Stretch,
    check_feed,
    check_symbol,
    page,
    read_span,
    symbols_of,
)
from pyrt.adapters.alpaca.simulator.history.timeframes import (
    aggregate,
    length_of,
    longest,
    parse_timeframe,
)
from pyrt.adapters.alpaca.simulator.market.series import Series
from pyrt.adapters.alpaca.simulator.protocol.http import Response, answer, refused
from pyrt.adapters.alpaca.simulator.protocol.router import Request, Router
from pyrt.adapters.alpaca.simulator.protocol.wires import midnight, utc_text
from pyrt.adapters.alpaca.simulator.streams.frames import Message
from pyrt.adapters.alpaca.simulator.trading.desk import Desk

KINDS = ("bars", "trades", "quotes")
COIN_API = "/v1beta3/crypto/(?:us|us-1|us-2|eu-1|bs-1)"
NONE = Stretch(np.empty(0, np.int64), lambda rows: [])
BAR_FIELDS = ("o", "h", "l", "c", "v", "n", "vw")


class MarketDataApi:
    """Answers what the market was, from what is recorded.

    Parameters
    ----------
    desk : Desk
    """

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._series = desk.market_now.series

    def install(self, router: Router) -> None:
        """Add the routes."""
        for base, pairs in (("/v2/stocks", False), (COIN_API, True)):
            for kind in KINDS:
                router.add("GET", f"{base}/{kind}", self._history(kind, pairs=pairs))
            router.add("GET", f"{base}/snapshots", self._snapshots(pairs=pairs))
        for kind in KINDS:
            latest = self._latest_of(kind, pairs=False)
            router.add("GET", f"/v2/stocks/{kind}/latest", latest)
            router.add("GET", f"{COIN_API}/latest/{kind}", self._latest_of(kind, pairs=True))
        router.add("GET", f"{COIN_API}/latest/orderbooks", self._order_books)
        router.add("GET", "/v2/stocks/([^/]+)/(bars|trades|quotes)", self._one)
        router.add("GET", "/v2/stocks/([^/]+)/(bars|trades|quotes)/latest", self._one_latest)
        router.add("GET", "/v2/stocks/([^/]+)/snapshot", self._one_snapshot)
        screens.install(router, self._desk)

    # -- history -------------------------------------------------------------------------------

    def _history(self, kind: str, *, pairs: bool) -> Callable[[Request], Response]:
        def respond(request: Request) -> Response:
            rows, token = self._page(kind, symbols_of(request.query, pairs=pairs), request.query)
            return answer({kind: rows, "next_page_token": token})

        return respond

    def _one(self, request: Request) -> Response:
        symbol, kind = check_symbol(request.parts[0], pairs=False), request.parts[1]
        rows, token = self._page(kind, [symbol], request.query)
        return answer({kind: rows.get(symbol, []), "symbol": symbol, "next_page_token": token})

    def _page(
        self, kind: str, symbols: list[str], query: Mapping[str, str]
    ) -> tuple[dict[str, Rows], str | None]:
        span = read_span(query, self._desk.now, utc="/" in symbols[0])
        if kind != "bars":
            return page(symbols, span, lambda symbol: self._ticks(kind, symbol, span))
        count, unit = parse_timeframe(query.get("timeframe", ""))
        return page(symbols, span, lambda symbol: self._bars(symbol, span, count, unit))

    def _rows(self, kind: str, symbol: str, start: int, end: int) -> slice:
        """Return which rows of a symbol lie in [start, end] and are known."""
        series = self._series[symbol]
        times = series.times(kind)
        low, high = np.searchsorted(times, start), np.searchsorted(times, end, side="right")
        known = min(int(high), series.known(kind, self._desk.now))
        return slice(int(low), max(int(low), known))

    def _ticks(self, kind: str, symbol: str, span: Span) -> Stretch:
        if symbol not in self._series:
            return NONE
        series = self._series[symbol]
        rows = self._rows(kind, symbol, span.start, span.end)

        def shown(part: slice) -> Rows:
            places = range(rows.start + part.start, rows.start + part.stop)
            found = [row_of(series.message(kind, place)) for place in places]
            if kind == "trades":
                for place in series.revised.keys() & set(places):
                    is_gone = series.revised[place] is None
                    found[place - places.start]["u"] = "canceled" if is_gone else "corrected"
            return found

        return Stretch(np.arange(rows.start, rows.stop), shown)

    def _bars(self, symbol: str, span: Span, count: int, unit: str) -> Stretch:
        if symbol not in self._series:
            return NONE
        series = self._series[symbol]
        if length_of(count, unit) < series.bars.timeframe_ns:
            return NONE
        # A bar is asked for by its own start, and made of all that it covers.
        rows = self._rows("bars", symbol, span.start, span.end + longest(count, unit))
        bars = aggregate(series, rows, count, unit, utc=series.is_pair)
        asked = (bars["t"] >= span.start) & (bars["t"] <= span.end)
        bars = {name: values[asked] for name, values in bars.items()}
        bars = self._desk.actions.adjust(symbol, bars, span.adjustments, self._desk.now)
        return Stretch(
            bars["t"], lambda part: list(bar_rows({name: v[part] for name, v in bars.items()}))
        )

    # -- the latest ----------------------------------------------------------------------------

    def _latest_of(self, kind: str, *, pairs: bool) -> Callable[[Request], Response]:
        def respond(request: Request) -> Response:
            check_feed(request.query)
            symbols = symbols_of(request.query, pairs=pairs)
            found = {symbol: self._latest(kind, symbol) for symbol in sorted(set(symbols))}
            return answer({kind: {symbol: row for symbol, row in found.items() if row}})

        return respond

    def _one_latest(self, request: Request) -> Response:
        check_feed(request.query)
        symbol, kind = check_symbol(request.parts[0], pairs=False), request.parts[1]
        found = self._latest(kind, symbol)
        if found is None:
            raise refused(404, 40410000, f"no {kind[:-1]} found for {symbol}")
        return answer({"symbol": symbol, kind[:-1]: found})

    def _latest(self, kind: str, symbol: str) -> dict[str, Any] | None:
        series = self._series.get(symbol)
        row = -1 if series is None else series.known(kind, self._desk.now) - 1
        return None if series is None or row < 0 else row_of(series.message(kind, row))

    def _order_books(self, request: Request) -> Response:
        found = {}
        for symbol in sorted(set(symbols_of(request.query, pairs=True))):
            depth = self._desk.market_now.depths.get(symbol)
            if depth is not None and not depth.is_empty:
                row = row_of(depth.snapshot())
                del row["r"]
                found[symbol] = row
        return answer({"orderbooks": found})

    # -- snapshots -----------------------------------------------------------------------------

    def _snapshots(self, *, pairs: bool) -> Callable[[Request], Response]:
        def respond(request: Request) -> Response:
            check_feed(request.query)
            symbols = symbols_of(request.query, pairs=pairs)
            found = {symbol: self._snapshot(symbol) for symbol in sorted(set(symbols))}
            known = {symbol: value for symbol, value in found.items() if value}
            return answer({"snapshots": known} if pairs else known)

        return respond

    def _one_snapshot(self, request: Request) -> Response:
        check_feed(request.query)
        symbol = check_symbol(request.parts[0], pairs=False)
        snapshot = self._snapshot(symbol)
        if not snapshot:
            raise refused(404, 40410000, f"no snapshot found for {symbol}")
        return answer({"symbol": symbol, **snapshot})

    def _snapshot(self, symbol: str) -> dict[str, Any]:
        """Return what is known of a symbol now; empty if nothing is."""
        series = self._series.get(symbol)
        if series is None:
            return {}
        found = {
            "latestTrade": self._latest("trades", symbol),
            "latestQuote": self._latest("quotes", symbol),
            "minuteBar": self._latest("bars", symbol),
        }
        days = self._days(series)
        if days:
            found["dailyBar"] = days[-1]
        if len(days) > 1:
            found["prevDailyBar"] = days[-2]
        return {name: row for name, row in found.items() if row is not None}

    def _days(self, series: Series) -> Rows:
        """Return the last two days of a symbol that have bars."""
        known = series.known("bars", self._desk.now)
        if not known:
            return []
        opens, utc = series.bars.ts_open, series.is_pair
        first = int(np.searchsorted(opens, midnight(int(opens[known - 1]), utc=utc)))
        if first:
            first = int(np.searchsorted(opens, midnight(int(opens[first - 1]), utc=utc)))
        return list(bar_rows(aggregate(series, slice(first, known), 1, "Day", utc=utc)))


def row_of(message: Message) -> dict[str, Any]:
    """Return a message of the streams as history shows it: without its kind and symbol."""
    row: dict[str, Any] = {}
    for name in message.__struct_fields__:
        value = getattr(message, name)
        if name == "t":
            row["t"] = value.text
        elif name != "S":
            row["as" if name == "ask_size" else name] = value
    return row


def bar_rows(arrays: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield bars as JSON objects."""
    columns = {name: values.tolist() for name, values in arrays.items()}
    for at, ts in enumerate(columns["t"]):
        yield {"t": utc_text(ts), **{name: columns[name][at] for name in BAR_FIELDS}}
