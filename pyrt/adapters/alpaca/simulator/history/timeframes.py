"""Alpaca's timeframes, and bars of them made of shorter ones."""

from __future__ import annotations

import datetime as dt
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.adapters.alpaca.simulator.market.series import Series
from pyrt.adapters.alpaca.simulator.protocol.http import invalid
from pyrt.adapters.alpaca.simulator.protocol.wires import NEW_YORK, SECOND

MINUTE = 60 * SECOND
DAY = 86_400 * SECOND
UNITS = {
    "min": "Min", "t": "Min", "hour": "Hour", "h": "Hour", "day": "Day", "d": "Day",
    "week": "Week", "w": "Week", "month": "Month", "m": "Month",
}  # fmt: skip
COUNTS: dict[str, tuple[int, ...]] = {
    "Min": tuple(range(1, 60)),
    "Hour": tuple(range(1, 24)),
    "Day": (1,),
    "Week": (1,),
    "Month": (1, 2, 3, 4, 6, 12),
}
_TEXT = re.compile(r"(\d{1,2})([A-Za-z]+)")


def parse_timeframe(text: str) -> tuple[int, str]:
    """Return count and unit of a timeframe: ``5Min``, ``1T``, ``1Hour``, ``1D`` …"""
    match = _TEXT.fullmatch(text)
    if match is not None:
        # A capital M alone is months.
        unit = "Month" if match[2] == "M" else UNITS.get(match[2].lower(), "")
        if match[2] == "m":
            unit = ""
        if int(match[1]) in COUNTS.get(unit, ()):
            return int(match[1]), unit
    raise invalid(f"invalid timeframe: {text}")


def length_of(count: int, unit: str) -> int:
    """Return the shortest that a bar of a timeframe is, ns."""
    days = {"Min": 0, "Hour": 0, "Day": 1, "Week": 7, "Month": 28}[unit]
    # A listed stock's day is as long as its session, half days included.
    step = {"Min": MINUTE, "Hour": 60 * MINUTE}.get(unit, days * DAY)
    return count * step


def longest(count: int, unit: str) -> int:
    """Return the longest that a bar of a timeframe is, ns."""
    days = {"Day": 1, "Week": 7, "Month": 31}.get(unit)
    # A day on which clocks are put back has an hour more.
    return length_of(count, unit) if days is None else count * days * DAY + 60 * MINUTE


def group_starts(ts: NDArray[np.int64], count: int, unit: str, *, utc: bool) -> NDArray[np.int64]:
    """Return, for each bar's open, the open of the longer bar that it is part of (ns UTC)."""
    if unit in ("Min", "Hour"):
        step = count * (MINUTE if unit == "Min" else 60 * MINUTE)
        starts: NDArray[np.int64] = ts // step * step
        return starts
    hours, places = np.unique(ts // (60 * MINUTE), return_inverse=True)
    begins = [_calendar_start(h * 60 * MINUTE, count, unit, utc=utc) for h in hours.tolist()]
    return np.array(begins, np.int64)[places]


def _calendar_start(ts: int, count: int, unit: str, *, utc: bool) -> int:
    """Return the midnight, New York's or UTC, that a day, week or month begins with."""
    zone = dt.UTC if utc else NEW_YORK
    moment = dt.datetime.fromtimestamp(ts // SECOND, zone).replace(hour=0, minute=0, second=0)
    day = moment.date()
    if unit == "Week":
        day -= dt.timedelta(days=day.weekday())
    elif unit == "Month":
        day = day.replace(day=1, month=(day.month - 1) // count * count + 1)
    return int(dt.datetime.combine(day, dt.time(), zone).timestamp()) * SECOND


def aggregate(
    series: Series, rows: slice, count: int, unit: str, *, utc: bool
) -> dict[str, NDArray[Any]]:
    """Return bars of a timeframe as arrays of one length: t (ns), o, h, l, c, v, n, vw."""
    table = series.bars
    ts = table.ts_open[rows]
    if not len(ts):
        return {name: np.empty(0, np.int64) for name in ["t", "o", "h", "l", "c", "v", "n", "vw"]}
    starts = group_starts(ts, count, unit, utc=utc)
    first = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]])
    last = np.r_[first[1:], len(ts)] - 1
    volume, close = table.volume[rows], table.close[rows]
    total = np.add.reduceat(volume, first)
    weighted = np.add.reduceat(volume * series.details.average[rows], first)
    average = np.where(total > 0, weighted / np.where(total > 0, total, 1.0), close[last])
    return {
        "t": starts[first],
        "o": table.open[rows][first],
        "h": np.maximum.reduceat(table.high[rows], first),
        "l": np.minimum.reduceat(table.low[rows], first),
        "c": close[last],
        # Sums of parts of coins, without what floats add to them.
        "v": np.round(total, 9) if series.is_pair else total.astype(np.int64),
        "n": np.add.reduceat(series.details.count[rows], first),
        "vw": np.round(average, 6),
    }
