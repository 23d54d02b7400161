"""/v2/assets, clocks and calendars of versions 2 and 3."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import bad, names, refused
from pyrt.adapters.alpaca.simulator.protocol.wires import (
    DAY,
    HOUR,
    NEW_YORK,
    SECOND,
    asset_id,
    eastern,
    eastern_text,
    instant,
    is_pair,
)
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.core.times import format_ns as utc_text
from pyrt.venues.extended_hours import ExtendedHours, Phase, hours_around
from pyrt.venues.sessions import sessions

EPOCH = dt.date(1970, 1, 1)
YEARS = (1990, 2029)
"""First and last year of the calendar."""
WEEK = dt.timedelta(days=7)
PRE_MARKET = 5 * HOUR + HOUR // 2
"""Before the open, ns: 04:00 New York."""
DEFAULT_MARKET = "NYSE"
MARKETS = {
    "NYSE": ("XNYS", "New York Stock Exchange"),
    "NASDAQ": ("XNAS", "NASDAQ Stock Market"),
    "IEX": ("IEXG", "Investors Exchange"),
}
"""Markets that keep the sessions of the stocks served, with their codes and names."""


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
        "attributes": [] if pair else ["fractional_eh_enabled"],
    }
    if pair:
        step = "0.000000001"
        body |= {"min_order_size": step, "min_trade_increment": step, "price_increment": step}
    return body


def list_assets(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the assets of a class, the stocks unless asked otherwise."""
    rows = [asset_body(symbol) for symbol in sorted(desk.symbols)]
    wanted = {
        "class": query.get("asset_class") or "us_equity",
        "status": query.get("status") or None,
        "exchange": query.get("exchange") or None,
    }
    attributes = set(names(query.get("attributes")))
    return [
        row
        for row in rows
        if all(v in (None, row[name]) for name, v in wanted.items())
        and attributes <= set(row["attributes"])
    ]


def find_asset(desk: Desk, name: str) -> dict[str, Any]:
    """Return the asset of a symbol or id; Refused if there is none."""
    for symbol in desk.symbols:
        if name in (symbol, symbol.replace("/", ""), asset_id(symbol)):
            return asset_body(symbol)
    raise refused(404, 40410000, f"asset not found for {name}")


def clock_body(desk: Desk) -> dict[str, Any]:
    """Return the JSON object of the clock, in New York time."""
    now = desk.clock
    hours = desk.hours()
    return {
        "is_open": bool(hours.sessions.is_open(now)),
        "next_close": eastern_text(int(hours.sessions.next_close(now))),
        "next_open": eastern_text(int(hours.sessions.next_open(now))),
        "timestamp": eastern_text(now),
    }


def clocks(desk: Desk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the clocks of markets, version 3; all markets served here keep New York's hours."""
    now = instant(query.get("time") or None, "time", desk.clock)
    if not YEARS[0] <= eastern(now).year <= YEARS[1]:
        raise bad(f"invalid time: {query['time']}")
    hours = hours_around(now)
    asked = names(query.get("markets")) or [DEFAULT_MARKET]
    phase, until = _phase(hours, now)
    body = {
        "timestamp": eastern_text(now),
        "is_market_day": bool(hours.sessions.is_open(now))
        or eastern(int(hours.sessions.next_close(now))).date() == eastern(now).date(),
        "next_market_open": eastern_text(int(hours.sessions.next_open(now))),
        "next_market_close": eastern_text(int(hours.sessions.next_close(now))),
        "phase": phase,
        "phase_until": eastern_text(until),
    }
    return {"clocks": [{"market": _market(name), **body} for name in asked]}


def _phase(hours: ExtendedHours, now: int) -> tuple[str, int]:
    """Return the part of the trading day that `now` is in, and its end."""
    opens, closes = int(hours.sessions.next_open(now)), int(hours.sessions.next_close(now))
    phase = hours.phase(now)
    if phase is Phase.REGULAR:
        return "core", closes
    if phase is Phase.PRE_MARKET:
        return "pre", opens
    if phase is Phase.AFTER_HOURS:
        return "post", int(hours.after_hours_close[hours.trading_row(now)])
    return "closed", opens - PRE_MARKET


def _market(name: str) -> dict[str, str]:
    known = MARKETS.get(name.upper())
    if known is None:
        raise bad(f"invalid market: {name}")
    return {
        "acronym": name.upper(),
        "mic": known[0],
        "name": known[1],
        "timezone": "America/New_York",
    }


def market_days(desk: Desk, market: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the trading days of a market, version 3."""
    body = _market(market)
    if query.get("timezone", "UTC") != "UTC":
        raise bad(f"invalid timezone: {query['timezone']}")
    today = eastern(desk.now).date()
    start = _day(query, "start", today)
    week = min(start, dt.date.max - WEEK) + WEEK
    rows = list_days(desk, {"start": str(start), "end": str(_day(query, "end", week))})
    write = utc_text if "timezone" in query else eastern_text
    return {"market": body, "calendar": [_market_day(row, write) for row in rows]}


def _market_day(row: Mapping[str, Any], write: Callable[[int], str]) -> dict[str, Any]:
    def at(clock: str) -> str:
        digits = clock.replace(":", "")
        time = dt.time(int(digits[:2]), int(digits[2:]))
        moment = dt.datetime.combine(dt.date.fromisoformat(row["date"]), time, NEW_YORK)
        return write(int(moment.timestamp()) * SECOND)

    return {
        "date": row["date"],
        "pre_start": at(row["session_open"]),
        "pre_end": at(row["open"]),
        "core_start": at(row["open"]),
        "core_end": at(row["close"]),
        "post_start": at(row["close"]),
        "post_end": at(row["session_close"]),
        "settlement_date": row["settlement_date"],
    }


def list_days(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the trading days from `start` to `end`, both included; by default this year's."""
    year = eastern(desk.now).year
    start = _day(query, "start", dt.date(year, 1, 1))
    end = _day(query, "end", dt.date(year, 12, 31))
    start = max(start, dt.date(YEARS[0], 1, 1))
    end = min(end, dt.date(YEARS[1], 12, 31))
    if start > end:
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
