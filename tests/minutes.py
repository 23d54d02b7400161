"""Minute bars through given closes, inside a New York session."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyrt.data.columns import BarColumns

MINUTE = 60_000_000_000
START = 1_381_152_600_000_000_000  # 2013-10-07 13:30 UTC, the open of a Monday


def minute_bars(
    symbol: str,
    closes: Sequence[float],
    start: int = START,
    *,
    gap: float = 0.0,
    reach: float = 0.25,
) -> BarColumns:
    """Return bars that open `gap` above the close before, and reach beyond open and close."""
    close = np.array(closes)
    opens = np.concatenate((close[:1], close[:-1])) + gap
    ts_open = start + MINUTE * np.arange(len(close))
    return BarColumns(
        symbol=symbol,
        timeframe="1m",
        timeframe_ns=MINUTE,
        ts_open=ts_open,
        ts_close=ts_open + MINUTE,
        ts_init=ts_open + MINUTE,
        open=opens,
        high=np.maximum(opens, close) + reach,
        low=np.minimum(opens, close) - reach,
        close=close,
        volume=np.full(len(close), 1000.0),
    )
