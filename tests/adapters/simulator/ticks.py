"""Hand-made quotes, prints and books for the simulator."""

from __future__ import annotations

from typing import Any

import numpy as np

from pyrt.data.columns import BOOK_ACTIONS, BookColumns, QuoteColumns, TradeColumns
from tests.minutes import START

SECOND = 1_000_000_000


def quotes(symbol: str, count: int = 200, seed: int = 1, start: int = START) -> QuoteColumns:
    """Return quotes every 700 ms or so on a random walk, a cent or two wide."""
    draws = np.random.default_rng(seed)
    ts = start + np.cumsum(draws.integers(1, 1400, count)) * 1_000_000
    middle = 100 + np.cumsum(draws.integers(-2, 3, count)) / 100
    bid, ask = np.round(middle - 0.01, 2), np.round(middle + 0.01, 2)
    sizes = draws.integers(1, 9, (2, count)) * 100.0
    return QuoteColumns(symbol, ts, ts, bid, sizes[0], ask, sizes[1])


def trades(symbol: str, rows: list[tuple[float, float, float]], start: int = START) -> TradeColumns:
    """Return prints from (seconds after the start, price, size)."""
    ts = np.array([start + round(s * SECOND) for s, _, _ in rows], np.int64)
    price, size = (np.array([row[i] for row in rows]) for i in (1, 2))
    return TradeColumns(symbol, ts, ts, price, size, np.zeros(len(rows), np.int8))


def book(symbol: str, rows: list[tuple[float, str, str, float, float]]) -> BookColumns:
    """Return book events from (seconds after the start, action, side, price, size)."""
    ts = np.array([START + round(row[0] * SECOND) for row in rows], np.int64)
    columns: dict[str, Any] = {
        "side": np.array([1 if row[2] == "bid" else -1 for row in rows], np.int8),
        "price": np.array([row[3] for row in rows]),
        "size": np.array([row[4] for row in rows]),
        "action": np.array([BOOK_ACTIONS.index(row[1]) for row in rows], np.int8),
        "flags": np.zeros(len(rows), np.int32),
        "sequence": np.zeros(len(rows), np.int64),
    }
    return BookColumns(symbol, ts, ts, **columns)
