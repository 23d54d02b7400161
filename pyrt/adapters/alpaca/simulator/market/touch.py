"""The touch of a recorded book as quotes, for symbols of which nothing else was recorded."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from pyrt.backtest.feed import batches_of
from pyrt.core.book import OrderBook
from pyrt.data.columns import BookColumns, QuoteColumns


def with_quotes(tables: Sequence[Any]) -> list[Any]:
    """Return tables, and quotes of each symbol that has a book and nothing with prices.

    A book that never shows both sides is left out: there is no price to trade at.
    """
    priced = {table.symbol for table in tables if table.kind != "book"}
    made = {
        table.symbol: touch_of(table)
        for table in tables
        if table.kind == "book" and table.symbol not in priced
    }
    empty = {symbol for symbol, touch in made.items() if not len(touch)}
    kept = [table for table in tables if table.symbol not in empty]
    return [*kept, *(touch for symbol, touch in made.items() if symbol not in empty)]


def touch_of(table: BookColumns) -> QuoteColumns:
    """Return the best bid and offer after each batch of a book that changed one of them.

    Batches that leave the book crossed are passed over, one of its sides is out of date; and all
    before it first has two sides.
    """
    rows, stops = batches_of(table)
    book = OrderBook(table.symbol, "L3" if table.order_id is not None else "L2")
    begin, last = 0, None
    kept: list[int] = []
    touch: list[tuple[float, ...]] = []
    for stop in stops.tolist():
        book.apply(rows, begin, stop)
        begin = stop
        now = (book.best_bid, book.best_bid_size, book.best_ask, book.best_ask_size)
        if not (kept or book.best_bid < book.best_ask):
            continue
        if book.is_crossed or np.array_equal(now, last or (), equal_nan=True):
            continue
        last = now
        kept.append(stop - 1)
        touch.append(now)
    values = np.array(touch, np.float64).reshape(-1, 4)
    return QuoteColumns(
        symbol=table.symbol,
        ts_event=table.ts_event[kept],
        ts_init=table.ts_init[kept],
        bid_price=np.ascontiguousarray(values[:, 0]),
        bid_size=np.nan_to_num(values[:, 1]),
        ask_price=np.ascontiguousarray(values[:, 2]),
        ask_size=np.nan_to_num(values[:, 3]),
    )
