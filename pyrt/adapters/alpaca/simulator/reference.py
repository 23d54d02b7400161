"""/v2/assets, /v2/clock, /v2/calendar and watchlists."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from pyrt.adapters.alpaca.simulator.desk import Desk
from pyrt.adapters.alpaca.simulator.http import bad, refused
from pyrt.adapters.alpaca.simulator.wires import (
    ACCOUNT_ID,
    asset_id,
    eastern,
    eastern_text,
    is_pair,
)
from pyrt.core.times import format_ns
from pyrt.venues.sessions import sessions

EPOCH = dt.date(1970, 1, 1)
DAY = 86_400_000_000_000


def asset_body(symbol: str) -> dict[str, Any]:
    """Return the JSON object of an asset."""
    pair = is_pair(symbol)
    body: dict[str, Any] = {
        "id": asset_id(symbol),
        "class": "crypto" if pair else "us_equity",
        "exchange": "CRYPTO" if pair else "ARCA",
        "symbol": symbol,
        "name": symbol,
        "status": "active",
        "tradable": True,
        "marginable": not pair,
        "maintenance_margin_requirement": 100,
        "margin_requirement_long": "100",
        "margin_requirement_short": "100",
        "shortable": not pair,
        "easy_to_borrow": not pair,
        "borrow_status": "not_available" if pair else "easy_to_borrow",
        "fractionable": True,
        "attributes": [],
    }
    if pair:
        step = "0.000000001"
        body |= {"min_order_size": step, "min_trade_increment": step, "price_increment": step}
    return body


def list_assets(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the assets of a class, the stocks unless asked otherwise."""
    rows = [asset_body(symbol) for symbol in sorted(desk.symbols)]
    wanted = {
        "class": query.get("asset_class", "us_equity"),
        "status": query.get("status", "active"),
        "exchange": query.get("exchange"),
    }
    return [row for row in rows if all(v in (None, row[name]) for name, v in wanted.items())]


def find_asset(desk: Desk, name: str) -> dict[str, Any]:
    """Return the asset of a symbol or id; Refused if there is none."""
    for symbol in desk.symbols:
        if name in (symbol, symbol.replace("/", ""), asset_id(symbol)):
            return asset_body(symbol)
    raise refused(404, 40410000, f"asset not found for {name}")


def clock_body(desk: Desk) -> dict[str, Any]:
    """Return the JSON object of the clock, in New York time."""
    hours = desk.hours()
    return {
        "is_open": bool(hours.sessions.is_open(desk.now)),
        "next_close": eastern_text(int(hours.sessions.next_close(desk.now))),
        "next_open": eastern_text(int(hours.sessions.next_open(desk.now))),
        "timestamp": eastern_text(desk.now),
    }


def list_days(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the trading days from `start` to `end`, both included; by default this year's."""
    year = eastern(desk.now).year
    start = _day(query, "start", dt.date(year, 1, 1))
    end = _day(query, "end", dt.date(year, 12, 31))
    if not 1990 <= start.year <= end.year <= 2029:
        return []
    table = sessions("XNYS", _noon(start), _noon(end))
    dates = [EPOCH + dt.timedelta(days=int(day)) for day in table.date]
    return [
        _day_body(table, dates, row) for row, date in enumerate(dates[:-3]) if start <= date <= end
    ]


def _day_body(table: Any, dates: list[dt.date], row: int) -> dict[str, Any]:
    # Trades settled on the third day until 2017-09-05, on the second until 2024-05-28.
    day = dates[row]
    lag = 3 if day < dt.date(2017, 9, 5) else 2 if day < dt.date(2024, 5, 28) else 1
    return {
        "date": dates[row].isoformat(),
        "open": f"{eastern(int(table.open[row])):%H:%M}",
        "close": f"{eastern(int(table.close[row])):%H:%M}",
        "session_open": "0400",
        "session_close": "2000",
        "settlement_date": dates[row + lag].isoformat(),
    }


def _day(query: Mapping[str, str], name: str, default: dt.date) -> dt.date:
    if name not in query:
        return default
    try:
        return dt.date.fromisoformat(query[name][:10])
    except ValueError:
        raise bad(f"invalid {name}: {query[name]}") from None


def _noon(day: dt.date) -> int:
    return (day - EPOCH).days * DAY + DAY // 2


# -- watchlists --------------------------------------------------------------------------------


def make_watchlist(desk: Desk, body: Mapping[str, Any]) -> dict[str, Any]:
    """Add a list of assets and return it."""
    stamp = format_ns(desk.now)
    desk.lists += 1
    key = desk.made_id("watchlist", desk.lists)
    desk.watchlists[key] = {
        "id": key,
        "account_id": ACCOUNT_ID,
        "created_at": stamp,
        "updated_at": stamp,
        "name": "",
        "assets": [],
    }
    return change_watchlist(desk, key, body)


def find_watchlist(desk: Desk, key: str) -> dict[str, Any]:
    """Return a list by id; Refused if there is none."""
    if key not in desk.watchlists:
        raise refused(404, 40410000, "watchlist not found")
    return desk.watchlists[key]


def change_watchlist(desk: Desk, key: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """Give a list another name, other assets, or both."""
    found = find_watchlist(desk, key)
    if not isinstance(body.get("symbols"), (list, type(None))):
        raise bad("invalid symbols")
    if body.get("symbols") is not None:
        found["assets"] = [find_asset(desk, str(symbol)) for symbol in body["symbols"]]
    found["name"] = str(body.get("name") or found["name"])
    found["updated_at"] = format_ns(desk.now)
    return found


def extend_watchlist(desk: Desk, key: str, symbol: str) -> dict[str, Any]:
    """Add an asset to a list."""
    found = find_watchlist(desk, key)
    if symbol not in [asset["symbol"] for asset in found["assets"]]:
        found["assets"].append(find_asset(desk, symbol))
    return found


def shorten_watchlist(desk: Desk, key: str, symbol: str) -> dict[str, Any]:
    """Take an asset off a list."""
    found = find_watchlist(desk, key)
    found["assets"] = [asset for asset in found["assets"] if asset["symbol"] != symbol]
    return found
