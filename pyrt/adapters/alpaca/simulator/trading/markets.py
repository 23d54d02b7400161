"""Clocks and calendars of version 3: the markets of the world by MIC or acronym.

Sessions are those of `exchange_calendars`. For banks and bonds there are none: they keep 09:00 to
17:00 here on the days that are no federal holiday.
"""

from __future__ import annotations

import datetime as dt
from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from pyrt.adapters.alpaca.simulator.protocol.http import invalid, names
from pyrt.adapters.alpaca.simulator.protocol.wires import DAY, FAR, SECOND, instant, zoned_text
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.adapters.alpaca.simulator.trading.settlement import settlement_lag
from pyrt.core.times import format_ns as utc_text
from pyrt.errors import DataError
from pyrt.venues.extended_hours import extended_hours
from pyrt.venues.sessions import sessions

EPOCH = dt.date(1970, 1, 1)
WEEK = dt.timedelta(days=7)
YEARS = (1900, 2200)
SPAN_MAX = dt.timedelta(days=366 * 60)
DEFAULT = "NYSE"
NEW_YORK = "America/New_York"
BANK_HOURS = (dt.time(9), dt.time(17))
LOOK_DAYS = 20
"""Longer than any market is closed, on either side of an instant."""
Part = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Market:
    """A market as it is listed, and where its days come from.

    Attributes
    ----------
    hours : {"stocks", "overnight", "core", "bank"}
        Whether there are hours before and after the core session, or only the core; overnight
        trading leads into a stock market's day.
    """

    acronym: str
    mic: str
    name: str
    calendar: str = "XNYS"
    timezone: str = NEW_YORK
    hours: str = "core"

    def body(self) -> dict[str, str]:
        """Return the JSON object that names it."""
        shown = {"acronym": self.acronym, "name": self.name, "timezone": self.timezone}
        return shown if not self.mic else {"mic": self.mic, **shown}


MARKETS = (
    Market("NYSE", "XNYS", "New York Stock Exchange", hours="stocks"),
    Market("NASDAQ", "XNAS", "NASDAQ Stock Market", hours="stocks"),
    Market("IEX", "IEXG", "Investors Exchange", hours="stocks"),
    Market("BOATS", "OCEA", "Blue Ocean Alternative Trading System", hours="overnight"),
    Market("OPRA", "", "Options Price Reporting Authority"),
    Market("OTC", "OTCM", "OTC Markets"),
    Market("BMO", "", "Bank of Montreal", hours="bank"),
    Market("BNYM", "", "The Bank of New York Mellon", hours="bank"),
    Market("SIFMA", "", "Securities Industry and Financial Markets Association", hours="bank"),
    Market("CEUX", "CEUX", "Cboe CEUX Europe", "XAMS", "Europe/Amsterdam"),
    Market("CHIX", "CHIX", "Cboe CHIX Europe", "XLON", "Europe/London"),
    Market("ISE", "XDUB", "Euronext Dublin", "XDUB", "Europe/Dublin"),
    Market("LSE", "XLON", "London Stock Exchange", "XLON", "Europe/London"),
    Market("MTA", "MTAA", "Euronext Milan", "XMIL", "Europe/Rome"),
    Market("XAMS", "XAMS", "Euronext Amsterdam", "XAMS", "Europe/Amsterdam"),
    Market("XBRU", "XBRU", "Euronext Brussels", "XBRU", "Europe/Brussels"),
    Market("XETRA", "XETR", "Frankfurt Stock Exchange", "XETR", "Europe/Berlin"),
    Market("XLIS", "XLIS", "Euronext Lisbon", "XLIS", "Europe/Lisbon"),
    Market("XPAR", "XPAR", "Euronext Paris", "XPAR", "Europe/Paris"),
    Market("HKEX", "XHKG", "Hong Kong Stock Exchange", "XHKG", "Asia/Hong_Kong"),
    Market("JPX", "XTKS", "Japan Exchange Group", "XTKS", "Asia/Tokyo"),
    Market("TADAWUL", "XSAU", "Saudi Stock Exchange", "XSAU", "Asia/Riyadh"),
)
BY_NAME = {name: market for market in MARKETS for name in (market.acronym, market.mic) if name}


@dataclass(frozen=True, slots=True)
class Day:
    """One trading day: its parts in order, each with its start and end (ns UTC)."""

    date: dt.date
    parts: tuple[Part, ...]

    @property
    def core(self) -> tuple[int, int]:
        """Start and end of the core session, its lunch included."""
        edges = [edge for name, *part in self.parts if name == "core" for edge in part]
        return edges[0], edges[-1]


def market_of(name: str) -> Market:
    """Return the market of a MIC or acronym; Refused if there is none."""
    known = BY_NAME.get(name.upper())
    if known is None:
        raise invalid(f"invalid market: {name}")
    return known


# -- days ------------------------------------------------------------------------------------------


def days_of(market: Market, start: dt.date, end: dt.date) -> list[Day]:
    """Return the trading days in [start, end]; Refused where no calendar reaches."""
    if not (YEARS[0] <= start.year and end.year <= YEARS[1]):
        raise invalid(f"calendars reach from {YEARS[0]} to {YEARS[1]}")
    try:
        found = [day for year in range(start.year, end.year + 1) for day in _year(market, year)]
    except DataError as error:
        raise invalid(f"no calendar of {market.acronym} for these dates: {error}") from None
    return [day for day in found if start <= day.date <= end]


@lru_cache(maxsize=256)
def _year(market: Market, year: int) -> tuple[Day, ...]:
    make = _bank_days if market.hours == "bank" else _exchange_days
    return tuple(day for day in make(market, year) if day.date.year == year)


def _exchange_days(market: Market, year: int) -> Iterator[Day]:
    first, last = (((dt.date(year, *d)) - EPOCH).days * DAY for d in ((1, 1), (12, 31)))
    table = sessions(market.calendar, first, last)
    around = None if market.calendar != "XNYS" else extended_hours(first, last)
    for row in range(len(table)):
        opens, closes = int(table.open[row]), int(table.close[row])
        lunch = (int(table.break_start[row]), int(table.break_end[row]))
        parts: list[Part] = [("core", opens, closes)]
        if lunch[0] < lunch[1]:
            parts = [("core", opens, lunch[0]), ("lunch", *lunch), ("core", lunch[1], closes)]
        if around is not None and market.hours == "stocks":
            pre, post = int(around.pre_market_open[row]), int(around.after_hours_close[row])
            parts = [("pre", pre, opens), *parts, ("post", closes, post)]
        if around is not None and market.hours == "overnight":
            edges = (around.overnight_open, around.pre_market_open)
            parts = [("core", int(edges[0][row]), int(edges[1][row]))]
        yield Day(EPOCH + dt.timedelta(days=int(table.date[row])), tuple(parts))


def _bank_days(market: Market, year: int) -> Iterator[Day]:
    # Only the exchanges' calendars come without pandas; banks are asked about too seldom.
    from pandas.tseries.holiday import USFederalHolidayCalendar

    first, last = dt.date(year, 1, 1), dt.date(year, 12, 31)
    closed = {stamp.date() for stamp in USFederalHolidayCalendar().holidays(first, last)}
    zone = ZoneInfo(market.timezone)
    for number in range((last - first).days + 1):
        date = first + dt.timedelta(days=number)
        if date.weekday() < 5 and date not in closed:
            edges = (dt.datetime.combine(date, time, zone).timestamp() for time in BANK_HOURS)
            opens, closes = (int(edge) * SECOND for edge in edges)
            yield Day(date, (("core", opens, closes),))


# -- clocks ----------------------------------------------------------------------------------------


def clocks(desk: Desk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the clocks of some markets, now or at a time; NYSE's by default."""
    given = query.get("time") or None
    now = instant(given, "time", desk.clock, refusal=invalid)
    if abs(now) >= FAR:
        raise invalid(f"invalid time: {given}")
    asked = names(query.get("markets")) or [DEFAULT]
    return {"clocks": [_clock(market_of(name), now) for name in asked]}


def _clock(market: Market, now: int) -> dict[str, Any]:
    today = dt.datetime.fromtimestamp(now // SECOND, ZoneInfo(market.timezone)).date()
    look = dt.timedelta(days=LOOK_DAYS)
    days = days_of(market, today - look, today + look)
    opens, closes = zip(*(day.core for day in days), strict=True)
    parts = [part for day in days for part in day.parts]
    at = bisect_right([start for _, start, _ in parts], now) - 1
    phase, until = ("closed", parts[at + 1][1])
    if at >= 0 and now < parts[at][2]:
        phase, _, until = parts[at]

    def shown(ts: int) -> str:
        return zoned_text(ts, market.timezone)

    return {
        "market": market.body(),
        "timestamp": shown(now),
        "is_market_day": any(day.date == today for day in days),
        "next_market_open": shown(opens[bisect_right(opens, now)]),
        "next_market_close": shown(closes[bisect_right(closes, now)]),
        "phase": phase,
        "phase_until": shown(until),
    }


# -- calendars -------------------------------------------------------------------------------------


def market_days(desk: Desk, name: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return the trading days of a market, this week's by default."""
    market = market_of(name)
    if query.get("timezone", "UTC") != "UTC":
        raise invalid(f"invalid timezone: {query['timezone']}")
    today = dt.datetime.fromtimestamp(desk.now // SECOND, ZoneInfo(market.timezone)).date()
    start = _date(query, "start", today)
    end = _date(query, "end", min(start, dt.date.max - WEEK) + WEEK)
    if end - start > SPAN_MAX:
        raise invalid(f"the date range is limited to {SPAN_MAX.days} days")
    if start > end:
        return {"market": market.body(), "calendar": []}

    def write(ts: int) -> str:
        return utc_text(ts) if "timezone" in query else zoned_text(ts, market.timezone)

    days = days_of(market, start, min(end, dt.date.max - WEEK) + WEEK)
    rows = [
        {**_day_body(day, write), "settlement_date": _settled(days, number)}
        for number, day in enumerate(days)
        if day.date <= end
    ]
    return {"market": market.body(), "calendar": rows}


def _settled(days: list[Day], number: int) -> str:
    later = islice(days, number + settlement_lag(days[number].date), None)
    return next((day.date for day in later), days[-1].date).isoformat()


def _day_body(day: Day, write: Callable[[int], str]) -> dict[str, Any]:
    begins, ends = day.core
    named = [("core", begins, ends), *(part for part in day.parts if part[0] != "core")]
    order = ("pre", "core", "lunch", "post")
    body = {"date": day.date.isoformat()}
    for name, start, end in sorted(named, key=lambda part: order.index(part[0])):
        body |= {f"{name}_start": write(start), f"{name}_end": write(end)}
    return body


def _date(query: Mapping[str, str], name: str, default: dt.date) -> dt.date:
    if name not in query:
        return default
    try:
        return dt.date.fromisoformat(query[name][:10])
    except ValueError:
        raise invalid(f"invalid {name}: {query[name]}") from None
