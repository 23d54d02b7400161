"""/v2/assets, and clock and calendar of version 2."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import bad, names, refused
from pyrt.adapters.alpaca.simulator.protocol.wires import (
    DAY,
    asset_id,
    eastern,
    eastern_text,
    is_pair,
)
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.adapters.alpaca.simulator.trading.settlement import settlement_lag
from pyrt.venues.extended_hours import ExtendedHours, extended_hours

EPOCH = dt.date(1970, 1, 1)
YEARS = (1970, 2029)
"""First and last year of the calendar."""


def asset_body(desk: Desk, symbol: str) -> dict[str, Any]:
    """Return the JSON object of an asset."""
    pair = is_pair(symbol)
    margin = {"long": "100", "short": "100"} if pair else margin_percents(desk, symbol)
    body: dict[str, Any] = {
        "id": asset_id(symbol),
        "class": "crypto" if pair else "us_equity",
        "exchange": "CRYPTO" if pair else "ARCA",
        "symbol": symbol,
        "name": symbol,
        "status": "active",
        "tradable": True,
        "marginable": not pair,
        "maintenance_margin_requirement": float(margin["long"]),
        "margin_requirement_long": margin["long"],
        "margin_requirement_short": margin["short"],
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


def margin_percents(desk: Desk, symbol: str) -> dict[str, str]:
    """Return what has to be kept in a long and a short of a symbol, in percent."""
    rules, instrument = desk.exchange.venue.account.rules, desk.exchange.instrument(symbol)
    shares = {
        "long": instrument.margin_long or rules.maintenance_long,
        "short": instrument.margin_short or rules.maintenance_short,
    }
    return {side: f"{(Decimal(share) * 100).normalize():f}" for side, share in shares.items()}


def list_assets(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the assets of a class, the stocks unless asked otherwise."""
    rows = [asset_body(desk, symbol) for symbol in sorted(desk.symbols)]
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
            return asset_body(desk, symbol)
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


def list_days(desk: Desk, query: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the trading days from `start` to `end`, both included.

    Without both they are this year's, without an end all from the start on, and without a start
    those of a year up to the end: sixty years of days are seldom meant.
    """
    first, last = dt.date(YEARS[0], 1, 1), dt.date(YEARS[1], 12, 31)
    year = eastern(desk.now).year
    end = min(_day(query, "end", last if "start" in query else dt.date(year, 12, 31)), last)
    start = max(_day(query, "start", dt.date(min(year, end.year), 1, 1)), first)
    if start > end:
        return []
    hours = extended_hours(_noon(start), _noon(end))
    table = hours.sessions
    dates = [EPOCH + dt.timedelta(days=int(day)) for day in table.date]
    return [
        _day_body(hours, dates, row) for row, date in enumerate(dates[:-3]) if start <= date <= end
    ]


def _day_body(hours: ExtendedHours, dates: list[dt.date], row: int) -> dict[str, Any]:
    table = hours.sessions
    return {
        "date": dates[row].isoformat(),
        "open": f"{eastern(int(table.open[row])):%H:%M}",
        "close": f"{eastern(int(table.close[row])):%H:%M}",
        "session_open": f"{eastern(int(hours.pre_market_open[row])):%H%M}",
        "session_close": f"{eastern(int(hours.after_hours_close[row])):%H%M}",
        "settlement_date": dates[row + settlement_lag(dates[row])].isoformat(),
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
