"""/v2/account/portfolio/history: the equity at the ends of equal steps."""

from __future__ import annotations

import datetime as dt
import re
from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from operator import itemgetter
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import bad, truth
from pyrt.adapters.alpaca.simulator.protocol.wires import (
    DAY,
    SECOND,
    eastern,
    instant,
    midnight,
)
from pyrt.adapters.alpaca.simulator.trading.desk import Desk
from pyrt.venues.extended_hours import extended_hours

STEPS = {"1Min": 60, "5Min": 300, "15Min": 900, "1H": 3600, "1D": 86_400}
DAYS = "1D"
FAR = 1 << 62
REPORTING = ("market_hours", "extended_hours", "continuous")
RESETS = ("per_day", "no_reset")
INTRADAY_MAX = 31 * DAY
"""A month, however long, may be asked for in steps shorter than a day."""
LABEL = 20 * 3_600 * SECOND
"""From New York's midnight to what a day is stamped with: the end of its after-hours."""
_PERIOD = re.compile(r"([1-9]\d{0,2})([DWMA])")


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its stamp, and the time in which what it shows was reached (ns UTC)."""

    stamp: int
    start: int
    end: int
    day: int


def portfolio_history(desk: Desk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what the account was worth at the end of each step of a span."""
    start, end = _span(desk, query)
    name = query.get("timeframe") or _timeframe(end - start)
    if name not in STEPS:
        raise bad(f"invalid timeframe: {name}")
    if name != DAYS and end - start > INTRADAY_MAX:
        raise bad(f"invalid timeframe: {name}, only 1D is accepted beyond 30 days")
    reporting = _choice(query, "intraday_reporting", REPORTING)
    if "intraday_reporting" not in query and truth(query.get("extended_hours")):
        reporting = REPORTING[1]
    resets = _choice(query, "pnl_reset", RESETS) == RESETS[0] and name != DAYS
    first, last = max(start, desk.start), min(end, desk.now)
    steps: list[Step] = []
    if first <= last:
        make = _days(first, last) if name == DAYS else _moments(first, last, name, reporting)
        steps = list(make)
    return _body(desk, query, steps, name, resets=resets)


def _body(
    desk: Desk, query: Mapping[str, str], steps: list[Step], name: str, *, resets: bool
) -> dict[str, Any]:
    curve = _Curve(desk)
    worth = [curve.before(step.end) for step in steps]
    before = steps[0].start if steps else desk.now
    known = name != DAYS and before > desk.start
    base = curve.before(before) if known else worth[0] if worth else desk.equity
    gains = _gains(steps, worth, base, resets=resets)
    body = {
        "timestamp": [step.stamp // SECOND for step in steps],
        "equity": [float(equity) for equity in worth],
        "profit_loss": [float(gain) for gain, _ in gains],
        "profit_loss_pct": [float(round(gain / of, 6)) if of else None for gain, of in gains],
        "base_value": float(base),
        "timeframe": name,
        "cashflow": _flows(desk, query, steps),
    }
    return body | ({"base_value_asof": _session_before(before)} if known else {})


class _Curve:
    """The account's equity at any instant of its past."""

    def __init__(self, desk: Desk) -> None:
        self._points = [*desk.equity_curve, (desk.now, desk.equity)]
        self._first = desk.opening

    def before(self, ts: int) -> Decimal:
        """Return the equity just before an instant."""
        at = bisect_left(self._points, ts, key=itemgetter(0))
        return self._points[at - 1][1] if at else self._first


# -- which steps -----------------------------------------------------------------------------------


def _choice(query: Mapping[str, str], name: str, choices: tuple[str, ...]) -> str:
    value = query.get(name) or choices[0]
    if value not in choices:
        raise bad(f"invalid {name}: {value}")
    return value


def _timeframe(length: int) -> str:
    return "1Min" if length < 7 * DAY else "15Min" if length < 30 * DAY else DAYS


def _span(desk: Desk, query: Mapping[str, str]) -> tuple[int, int]:
    """Return the span of a query: two of start, end and period name it, a month is the default."""
    period = query.get("period")
    match = _PERIOD.fullmatch(period or "1M")
    if match is None:
        raise bad(f"invalid period: {period}")
    if period and query.get("start") and query.get("end"):
        raise bad("only two of start, end and period are accepted")
    start = instant(query.get("start") or None, "start", -FAR)
    end = instant(query.get("end") or None, "end", FAR)
    count, unit = int(match[1]), match[2]
    if start > -FAR and end == FAR and period:
        end = _moved(start, count, unit)
    end = min(end, desk.now)
    if start == -FAR:
        start = _moved(end, -count, unit)
    if start > end:
        raise bad("end should not be before start")
    return start, end


def _moved(ts: int, count: int, unit: str) -> int:
    """Return an instant moved by days, weeks, months or years; a month's last day at the latest."""
    if unit in "DW":
        return ts + count * DAY * (7 if unit == "W" else 1)
    moment = eastern(ts)
    months = moment.year * 12 + moment.month - 1 + count * (12 if unit == "A" else 1)
    year, month = divmod(months, 12)
    following = dt.date(year + (month + 1) // 12, (month + 1) % 12 + 1, 1)
    day = min(moment.day, (following - dt.timedelta(days=1)).day)
    moved = moment.replace(year=year, month=month + 1, day=day)
    return int(moved.timestamp()) * SECOND + ts % SECOND


def _days(first: int, last: int) -> Iterator[Step]:
    """Yield the trading days, each until the next one's midnight; the first as a whole."""
    hours = extended_hours(first, last)
    starts = [midnight(int(opens)) for opens in hours.sessions.open.tolist()]
    begin = midnight(first)
    for row, start in enumerate(starts[:-1]):
        if begin <= start <= last:
            yield Step(start + _label(start), start, starts[row + 1], start)


def _label(start: int) -> int:
    moment = eastern(start).replace(hour=LABEL // 3_600 // SECOND)
    return int(moment.timestamp()) * SECOND - start


def _moments(first: int, last: int, name: str, reporting: str) -> Iterator[Step]:
    """Yield the steps of the sessions around a span, or of all of it."""
    step = STEPS[name] * SECOND
    if reporting == REPORTING[2]:
        for ts in range(first // step * step, last + 1, step):
            yield Step(ts, ts, ts + step, midnight(ts))
        return
    hours = extended_hours(first, last)
    table = hours.sessions
    edges = (table.open, table.close)
    if reporting == REPORTING[1]:
        edges = (hours.pre_market_open, hours.after_hours_close)
    for begins, ends in zip(*(edge.tolist() for edge in edges), strict=True):
        day = midnight(begins)
        # A session is shown from its beginning, wherever in it the span begins.
        if ends < first or begins > last:
            continue
        for ts in range(begins, min(ends, last) + 1, step):
            yield Step(ts, ts, ts + step, day)


# -- what they show --------------------------------------------------------------------------------


def _gains(
    steps: list[Step], worth: list[Decimal], base: Decimal, *, resets: bool
) -> list[tuple[Decimal, Decimal]]:
    """Return gain and base of each step; with `resets` a day's base is the last one's end."""
    gains = []
    for number, (step, equity) in enumerate(zip(steps, worth, strict=True)):
        if resets and number and step.day != steps[number - 1].day:
            base = worth[number - 1]
        gains.append((equity - base, base))
    return gains


def _session_before(ts: int) -> str:
    closed = extended_hours(ts, ts).sessions.previous_close(ts)
    return f"{eastern(int(closed)):%Y-%m-%d}"


def _flows(desk: Desk, query: Mapping[str, str], steps: list[Step]) -> dict[str, list[float]]:
    """Return the bookings of the kinds asked for, each in the step by whose end it was made."""
    wanted = (query.get("cashflow_types") or "NONE").split(",")
    kinds = {row["activity_type"] for row in desk.activities if "net_amount" in row}
    sums = {
        kind: [Decimal(0)] * len(steps)
        for kind in sorted(kinds if wanted == ["ALL"] else kinds & set(wanted))
    }
    ends = [step.end for step in steps]
    for row in desk.activities:
        if row["activity_type"] in sums and steps:
            ts = instant(row.get("created_at"), "created_at", FAR)
            at = bisect_left(ends, ts + 1)
            if steps[0].start <= ts and at < len(steps):
                sums[row["activity_type"]][at] += Decimal(row["net_amount"])
    return {kind: [float(value) for value in values] for kind, values in sums.items()}
