"""Alpaca's timeframes, and bars of them made of shorter ones."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.adapters.alpaca.simulator.http import refused
from pyrt.adapters.alpaca.simulator.wires import NEW_YORK, SECOND, eastern

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
    raise refused(400, 40010001, f"invalid timeframe: {text}")


def group_starts(ts: NDArray[np.int64], count: int, unit: str) -> NDArray[np.int64]:
    """Return, for each bar's open, the open of the longer bar that it is part of (ns UTC)."""
    if unit in ("Min", "Hour"):
        step = count * (MINUTE if unit == "Min" else 60 * MINUTE)
        starts: NDArray[np.int64] = ts // step * step
        return starts
    cache: dict[int, int] = {}
    out = np.empty_like(ts)
    for row, hour in enumerate((ts // (60 * MINUTE)).tolist()):
        if hour not in cache:
            cache[hour] = _calendar_start(hour * 60 * MINUTE, count, unit)
        out[row] = cache[hour]
    return out


def _calendar_start(ts: int, count: int, unit: str) -> int:
    """Return the New York midnight that a day, week or month begins with."""
    moment = eastern(ts).replace(hour=0, minute=0, second=0)
    if unit == "Week":
        moment = eastern(ts - moment.weekday() * DAY)
        moment = moment.replace(hour=0, minute=0, second=0)
    elif unit == "Month":
        moment = moment.replace(day=1, month=(moment.month - 1) // count * count + 1)
    return int(moment.replace(tzinfo=NEW_YORK).timestamp()) * SECOND


def aggregate(columns: Any, rows: slice, count: int, unit: str) -> dict[str, NDArray[Any]]:
    """Return bars of a timeframe as arrays of one length: t (ns), o, h, l, c, v, n, vw."""
    ts = np.asarray(columns.ts_open[rows])
    if not len(ts):
        return {name: np.empty(0) for name in ["t", "o", "h", "l", "c", "v", "n", "vw"]}
    starts = group_starts(ts, count, unit)
    first = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]])
    last = np.r_[first[1:], len(ts)] - 1
    volume = np.asarray(columns.volume[rows], dtype=float)
    close = np.asarray(columns.close[rows])
    typical = (np.asarray(columns.high[rows]) + np.asarray(columns.low[rows]) + close) / 3
    total = np.add.reduceat(volume, first)
    weighted = np.add.reduceat(volume * typical, first)
    return {
        "t": starts[first],
        "o": np.asarray(columns.open[rows])[first],
        "h": np.maximum.reduceat(np.asarray(columns.high[rows]), first),
        "l": np.minimum.reduceat(np.asarray(columns.low[rows]), first),
        "c": close[last],
        "v": total,
        "n": last - first + 1,
        "vw": np.where(total > 0, weighted / np.where(total > 0, total, 1.0), close[last]),
    }
