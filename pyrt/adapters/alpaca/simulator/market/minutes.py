"""Minute bars made of prints, quotes or shorter bars, with count and average price of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyrt.data.columns import BarColumns

MINUTE = 60_000_000_000


@dataclass(frozen=True, slots=True)
class Details:
    """What bars do not say themselves.

    Attributes
    ----------
    count : ndarray of int64, shape (n,)
        Prints in the bar.
    average : ndarray of float64, shape (n,)
        Price weighted by volume.
    """

    count: NDArray[np.int64]
    average: NDArray[np.float64]


def from_ticks(table: Any) -> tuple[BarColumns, Details]:
    """Return the minutes in which there were prints; of quotes, mid prices without volume."""
    if table.kind == "trades":
        ts, price, size = table.ts_event, table.price, table.size
    else:
        ts, price = table.ts_event, (table.bid_price + table.ask_price) / 2
        seen = np.isfinite(price)
        ts, price = ts[seen], price[seen]
        size = np.zeros(len(price))
    order = np.argsort(ts, kind="stable")
    ts, price, size = ts[order], price[order], size[order]
    return _grouped(table.symbol, ts // MINUTE * MINUTE, price, price, price, price, size)


def from_bars(table: BarColumns) -> tuple[BarColumns, Details]:
    """Return minutes of shorter bars."""
    starts = table.ts_open // MINUTE * MINUTE
    return _grouped(
        table.symbol, starts, table.open, table.high, table.low, table.close, table.volume
    )


def _grouped(
    symbol: str, starts: Any, opens: Any, high: Any, low: Any, close: Any, volume: Any
) -> tuple[BarColumns, Details]:
    first: Any = np.flatnonzero(np.r_[True, starts[1:] != starts[:-1]][: len(starts)])
    last = np.r_[first[1:], len(starts)][: len(first)] - 1
    ts = starts[first]
    typical = (high + low + close) / 3
    total = _sums(volume, first)
    weighted = _sums(volume * typical, first)
    bars = BarColumns(
        symbol=symbol,
        timeframe="1m",
        timeframe_ns=MINUTE,
        ts_open=ts,
        ts_close=ts + MINUTE,
        ts_init=ts + MINUTE,
        open=opens[first],
        high=np.maximum.reduceat(high, first) if len(first) else high,
        low=np.minimum.reduceat(low, first) if len(first) else low,
        close=close[last],
        volume=total,
    )
    average = np.where(total > 0, weighted / np.where(total > 0, total, 1.0), close[last])
    return bars, Details(last - first + 1, average)


def _sums(values: Any, first: Any) -> Any:
    return np.add.reduceat(values, first) if len(first) else np.empty(0)


def of_bars(table: BarColumns, trades: Any = None) -> Details:
    """Return what prints say of bars, or without prints: one in each, at the typical price."""
    typical = (table.high + table.low + table.close) / 3
    if trades is None or not len(trades):
        return Details(np.ones(len(table), np.int64), typical)
    order = np.argsort(trades.ts_event, kind="stable")
    ts = trades.ts_event[order]
    size, cost = trades.size[order], (trades.size * trades.price)[order]
    low, high = (np.searchsorted(ts, edge) for edge in (table.ts_open, table.ts_close))
    sizes, costs = (np.r_[0.0, np.cumsum(values)] for values in (size, cost))
    units = sizes[high] - sizes[low]
    average = np.where(
        units > 0, (costs[high] - costs[low]) / np.where(units > 0, units, 1.0), typical
    )
    return Details(np.maximum(high - low, 1).astype(np.int64), np.round(average, 6))
