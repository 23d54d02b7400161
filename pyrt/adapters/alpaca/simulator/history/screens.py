"""The rest of the market-data API: corporate actions, auctions, codes, most actives, movers."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator.history.pages import (
    Rows,
    Stretch,
    check_symbol,
    page,
    read_span,
    read_token,
    symbols_of,
    write_token,
)
from pyrt.adapters.alpaca.simulator.market.actions import history_body
from pyrt.adapters.alpaca.simulator.market.series import Series
from pyrt.adapters.alpaca.simulator.protocol.http import Response, answer, invalid, names, whole
from pyrt.adapters.alpaca.simulator.protocol.router import Request, Router
from pyrt.adapters.alpaca.simulator.protocol.wires import eastern, midnight, utc_text
from pyrt.adapters.alpaca.simulator.trading.desk import Desk

EXCHANGES = {"V": "IEX"}
CONDITIONS = {"trade": {"@": "Regular Sale"}, "quote": {"R": "Regular Market Maker Open"}}
ACTION_TYPES = frozenset({
    *("forward_split", "reverse_split", "unit_split", "stock_dividend", "cash_dividend"),
    *("spin_off", "cash_merger", "stock_merger", "stock_and_cash_merger", "redemption"),
    *("name_change", "worthless_removal", "rights_distribution", "partial_call"),
    *("contract_adjustment", "reorganization"),
})  # fmt: skip


def install(router: Router, desk: Desk) -> None:
    """Add the routes."""
    router.add("GET", "/v2/stocks/meta/exchanges", lambda r: answer(EXCHANGES))
    router.add("GET", "/v2/stocks/meta/conditions/(trade|quote)", _conditions)
    router.add("GET", "/v2/stocks/auctions", partial(_auctions, desk))
    router.add("GET", "/v2/stocks/([^/]+)/auctions", partial(_one_auctions, desk))
    # The older version's name is what clients for JavaScript ask for.
    router.add("GET", "/v1(?:beta1)?/corporate-actions", partial(_corporate_actions, desk))
    # Recorded markets have no news.
    router.add("GET", "/v1beta1/news", lambda r: answer({"news": [], "next_page_token": None}))
    router.add("GET", "/v1beta1/screener/stocks/most-actives", partial(_most_actives, desk))
    router.add("GET", "/v1beta1/screener/(stocks|crypto)/movers", partial(_movers, desk))


def _conditions(request: Request) -> Response:
    if request.query.get("tape") not in ("A", "B", "C"):
        raise invalid(f"invalid tape: {request.query.get('tape', '')}")
    return answer(CONDITIONS[request.parts[0]])


# -- auctions --------------------------------------------------------------------------------------


def _auctions(desk: Desk, request: Request) -> Response:
    symbols = symbols_of(request.query, pairs=False)
    found, token = _auction_page(desk, symbols, request.query)
    return answer({"auctions": found, "next_page_token": token})


def _one_auctions(desk: Desk, request: Request) -> Response:
    symbol = check_symbol(request.parts[0], pairs=False)
    found, token = _auction_page(desk, [symbol], request.query)
    rows = found.get(symbol, [])
    return answer({"auctions": rows, "symbol": symbol, "next_page_token": token})


def _auction_page(
    desk: Desk, symbols: list[str], query: Mapping[str, str]
) -> tuple[dict[str, Rows], str | None]:
    span = read_span(query, desk.now)

    def stretch(symbol: str) -> Stretch:
        rows = _session_prints(desk, symbol, span.start, min(span.end, desk.now))
        keys = np.array([key for key, _ in rows], np.int64)
        return Stretch(keys, lambda part: [row for _, row in rows[part]])

    return page(symbols, span, stretch)


def _session_prints(desk: Desk, symbol: str, start: int, end: int) -> list[tuple[int, Any]]:
    """Return, for each day, the prices at which the regular session opened and closed."""
    series = desk.market_now.series.get(symbol)
    if series is None:
        return []
    opens, table, found = series.bars.ts_open, series.bars, []
    sessions = desk.hours().sessions
    rows = zip(sessions.open.tolist(), sessions.close.tolist(), strict=True)
    for begins, ends in rows:
        if not start <= begins <= end:
            continue
        first, last = (int(np.searchsorted(opens, edge)) for edge in (begins, ends))
        if last == first:
            continue
        closed = []
        if ends <= desk.now:
            closed = [_print(ends, "6", table.close[last - 1], table.volume[last - 1])]
        day = {
            "d": f"{eastern(begins):%Y-%m-%d}",
            "o": [_print(begins, "O", table.open[first], table.volume[first])],
            "c": closed,
        }
        found.append((midnight(begins), day))
    return found


def _print(ts: int, condition: str, price: Any, size: Any) -> dict[str, Any]:
    return {"t": utc_text(ts), "x": "V", "p": float(price), "s": int(size), "c": condition}


# -- corporate actions -----------------------------------------------------------------------------


def _corporate_actions(desk: Desk, request: Request) -> Response:
    """Those whose process date lies in [start, end], oldest first; by default today's."""
    query = request.query
    today = eastern(desk.now).date()
    start = day_of(query, "start", today)
    end = day_of(query, "end", dt.date.max if "start" in query else today)
    types = names(query.get("types"))
    for name in types:
        if name not in ACTION_TYPES:
            raise invalid(f"invalid types: {name}")
    if query.get("sort", "asc") not in ("asc", "desc"):
        raise invalid(f"invalid sort: {query['sort']}")
    if query.get("region", "us") not in ("us", "non_us", "all"):
        raise invalid(f"invalid region: {query['region']}")
    symbols, ids = names(query.get("symbols")), names(query.get("ids"))
    chosen = [
        action
        for action in sorted(desk.actions.all, key=lambda each: each.process_date)
        if (action.id in ids if ids else start <= action.process_date <= end)
        and (not symbols or action.symbol in symbols)
        and (not types or action.kind.removesuffix("s") in types)
        and ("cusips" not in query or action.cusip in names(query["cusips"]))
    ]
    if query.get("sort") == "desc":
        chosen.reverse()
    limit = whole(query, "limit", 100, 1000, refusal=invalid)
    _, first = read_token(query.get("page_token")) or ("", 0)
    first = max(first, 0)
    found: dict[str, Rows] = {}
    for action in chosen[first : first + limit]:
        found.setdefault(action.kind, []).append(history_body(action))
    more = write_token("", first + limit) if first + limit < len(chosen) else None
    return answer({"corporate_actions": found, "next_page_token": more})


def day_of(query: Mapping[str, str], name: str, default: dt.date) -> dt.date:
    """Read a date of a query; Refused if it is none."""
    value = query.get(name)
    if not value:
        return default
    try:
        return dt.date.fromisoformat(value[:10])
    except ValueError:
        raise invalid(f"invalid {name}: {value}") from None


# -- screeners -------------------------------------------------------------------------------------


def _today(desk: Desk, series: Series) -> tuple[float, float, float, int] | None:
    """Return previous close, last close, volume and prints of a symbol's day."""
    known = series.known("bars", desk.now)
    first = int(np.searchsorted(series.bars.ts_open, midnight(desk.now, utc=series.is_pair)))
    if not 0 < first < known:
        return None
    bars = series.bars
    count = int(series.details.count[first:known].sum())
    volume = float(bars.volume[first:known].sum())
    return float(bars.close[first - 1]), float(bars.close[known - 1]), volume, count


def _most_actives(desk: Desk, request: Request) -> Response:
    by = request.query.get("by", "volume")
    if by not in ("volume", "trades"):
        raise invalid(f"invalid by: {by}")
    top = whole(request.query, "top", 10, 100, refusal=invalid)
    rows: Rows = []
    for symbol, series in desk.market_now.series.items():
        day = None if series.is_pair else _today(desk, series)
        if day is not None:
            rows.append({"symbol": symbol, "volume": int(day[2]), "trade_count": day[3]})
    rows.sort(key=lambda row: row["volume" if by == "volume" else "trade_count"], reverse=True)
    return answer({"most_actives": rows[:top], "last_updated": utc_text(desk.now)})


def _movers(desk: Desk, request: Request) -> Response:
    kind = request.parts[0]
    top = whole(request.query, "top", 10, 50, refusal=invalid)
    rows: Rows = []
    for symbol, series in desk.market_now.series.items():
        day = _today(desk, series) if series.is_pair == (kind == "crypto") else None
        if day is not None:
            change = day[1] - day[0]
            percent = round(100 * change / day[0], 2)
            row = {"symbol": symbol, "price": day[1], "change": round(change, 6)}
            rows.append({**row, "percent_change": percent})
    rows.sort(key=lambda row: row["percent_change"], reverse=True)
    gainers = [row for row in rows if row["change"] > 0]
    losers = [row for row in reversed(rows) if row["change"] < 0]
    return answer({
        "gainers": gainers[:top],
        "losers": losers[:top],
        "market_type": kind,
        "last_updated": utc_text(desk.now),
    })  # fmt: skip
