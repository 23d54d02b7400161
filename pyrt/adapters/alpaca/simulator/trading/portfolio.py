"""/v2/account/portfolio/history: the equity at the ends of equal steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from pyrt.adapters.alpaca.simulator.protocol.http import bad
from pyrt.adapters.alpaca.simulator.protocol.wires import DAY, SECOND, eastern, instant, midnight
from pyrt.adapters.alpaca.simulator.trading.desk import Desk

STEPS = {"1Min": 60, "5Min": 300, "15Min": 900, "1H": 3600, "1D": 86_400}
UNITS = {"D": 1, "W": 7, "M": 31, "A": 366}
FAR = 1 << 62
REPORTING = ("market_hours", "extended_hours", "continuous")
RESETS = ("per_day", "no_reset")
_PERIOD = re.compile(r"([1-9]\d{0,2})([DWMA])")
Points = list[tuple[int, Decimal]]


def portfolio_history(desk: Desk, query: Mapping[str, str]) -> dict[str, Any]:
    """Return what the account was worth at the end of each step of a span."""
    start, end = _span(desk, query)
    name = query.get("timeframe") or ("1D" if end - start > 31 * DAY else "15Min")
    if name not in STEPS:
        raise bad(f"invalid timeframe: {name}")
    if query.get("intraday_reporting", REPORTING[0]) not in REPORTING:
        raise bad(f"invalid intraday_reporting: {query['intraday_reporting']}")
    if query.get("pnl_reset", RESETS[0]) not in RESETS:
        raise bad(f"invalid pnl_reset: {query['pnl_reset']}")
    points = _steps([*desk.equity_curve, (desk.now, desk.equity)], STEPS[name] * SECOND)
    shown = [(ts, equity) for ts, equity in points if start <= ts <= end]
    before = [equity for ts, equity in points if ts < start]
    base = before[-1] if before else shown[0][1] if shown else desk.equity
    resets = query.get("pnl_reset") == "per_day" and name != "1D"
    gains = _gains(shown, base, resets=resets)
    return {
        "timestamp": [ts // SECOND for ts, _ in shown],
        "equity": [float(equity) for _, equity in shown],
        "profit_loss": [float(gain) for gain, _ in gains],
        "profit_loss_pct": [
            float(round(gain / worth, 6)) if worth else None for gain, worth in gains
        ],
        "base_value": float(base),
        "base_value_asof": f"{eastern(desk.start):%Y-%m-%d}",
        "timeframe": name,
        "cashflow": _flows(desk, query, [ts for ts, _ in shown]),
    }


def _span(desk: Desk, query: Mapping[str, str]) -> tuple[int, int]:
    """Return the span of a query: two of start, end and period name it, a month is the default."""
    period = query.get("period")
    match = _PERIOD.fullmatch(period or "1M")
    if match is None:
        raise bad(f"invalid period: {period}")
    if period and query.get("start") and query.get("end"):
        raise bad("only two of start, end and period are accepted")
    length = int(match[1]) * UNITS[match[2]] * DAY
    start = instant(query.get("start") or None, "start", -1)
    end = instant(query.get("end") or None, "end", -1)
    if end < 0:
        end = start + length if start >= 0 and period else desk.now
    if start < 0:
        start = end - length
    if start > end:
        raise bad("end should not be before start")
    return start, end


def _steps(curve: Points, step: int) -> Points:
    """Return the last point of each step, stamped with the step's start."""
    points: dict[int, Decimal] = {}
    for ts, equity in curve:
        start = midnight(ts) if step == DAY else ts // step * step
        points[start] = equity
    return list(points.items())


def _gains(points: Points, base: Decimal, *, resets: bool) -> list[tuple[Decimal, Decimal]]:
    """Return gain and base of each point; with `resets` a day begins with its first equity."""
    gains, day = [], None
    for ts, equity in points:
        if resets and midnight(ts) != day:
            base, day = (base if day is None else equity), midnight(ts)
        gains.append((equity - base, base))
    return gains


def _flows(desk: Desk, query: Mapping[str, str], stamps: list[int]) -> dict[str, list[float]]:
    """Return the bookings of the kinds asked for, summed up over the steps."""
    wanted = (query.get("cashflow_types") or "NONE").split(",")
    kinds = {row["activity_type"] for row in desk.activities if "net_amount" in row}
    flows: dict[str, list[float]] = {}
    for kind in sorted(kinds if wanted == ["ALL"] else kinds & set(wanted)):
        sums = [Decimal(0)] * len(stamps)
        for row in desk.activities:
            ts = instant(row.get("created_at"), "created_at", FAR)
            at = max((n for n, start in enumerate(stamps) if start <= ts), default=None)
            if row["activity_type"] == kind and at is not None:
                sums[at] += Decimal(row["net_amount"])
        flows[kind] = [float(value) for value in sums]
    return flows
