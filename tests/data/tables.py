"""Tables for the tests of loading: one set of bars in every container."""

from __future__ import annotations

import numpy as np
import pandas as pd

from pyrt.data import BarColumns

MINUTE_NS = 60_000_000_000
FIRST_NS = 1_704_205_800_000_000_000  # 2024-01-02 09:30 New York


def prices(rows: int, seed: int = 1) -> dict[str, np.ndarray]:
    """Return sound open, high, low, close and volume, prices in cents."""
    rng = np.random.default_rng(seed)
    close = 10_000 + np.cumsum(rng.integers(-5, 6, rows))
    open_ = close + rng.integers(-4, 5, rows)
    high = np.maximum(open_, close) + rng.integers(0, 4, rows)
    low = np.minimum(open_, close) - rng.integers(0, 4, rows)
    cents = {"open": open_, "high": high, "low": low, "close": close}
    columns = {name: values / 100 for name, values in cents.items()}
    return columns | {"volume": rng.integers(0, 1_000, rows).astype(np.float64)}


def minute_frame(rows: int = 30, seed: int = 1) -> pd.DataFrame:
    """Return minute bars with lower-case columns and a UTC index, from 09:30 New York on."""
    stamps = FIRST_NS + MINUTE_NS * np.arange(rows)
    index = pd.DatetimeIndex(stamps.view("M8[ns]"), tz="UTC", name="timestamp")
    return pd.DataFrame(prices(rows, seed), index=index)


def minute_columns(rows: int = 30, seed: int = 1, symbol: str = "SPY") -> BarColumns:
    """Return the columns that `minute_frame` is to give, built without the loader."""
    opens = FIRST_NS + MINUTE_NS * np.arange(rows)
    closes = opens + MINUTE_NS
    return BarColumns(symbol, MINUTE_NS, "1m", opens, closes, closes, **prices(rows, seed))


def assert_same_bars(actual: object, expected: BarColumns) -> None:
    """Compare columns value by value, then their hashes."""
    assert isinstance(actual, BarColumns)
    assert (actual.symbol, actual.timeframe) == (expected.symbol, expected.timeframe)
    for name in ("ts_open", "ts_close", "ts_init", "open", "high", "low", "close", "volume"):
        np.testing.assert_array_equal(getattr(actual, name), getattr(expected, name), name)
    assert actual.content_hash() == expected.content_hash()
