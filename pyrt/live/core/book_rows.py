"""A message of an order book as rows of a table."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pyrt.core.book_feed import BookColumns
from pyrt.core.book_tables import read_table

Levels = Sequence[tuple[float, float]]


def book_rows(ts_event: int, bids: Levels, asks: Levels, is_full: bool) -> BookColumns | None:
    """Return a message of an order book as rows of a table; None if it says nothing."""
    levels = [("B", price, size) for price, size in bids]
    levels += [("A", price, size) for price, size in asks]
    if not levels:
        return None
    sides, prices, sizes = zip(*levels, strict=True)
    flags = np.full(len(levels), 1 if is_full else 0)
    flags[len(levels) - 1] |= 2
    kept = "snapshot" if is_full else "set"
    table = {
        "ts_event": np.full(len(levels), ts_event),
        "side": list(sides),
        "price": np.array(prices, float),
        "size": np.array(sizes, float),
        "action": ["delete" if size == 0 else kept for size in sizes],
        "flags": flags,
    }
    return read_table(table, "l2", may_lower=True)
