"""Order books of coins: the levels now, and messages of what changed."""

from __future__ import annotations

from heapq import nlargest, nsmallest
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator.streams.frames import Level, OrderBook, Stamp
from pyrt.backtest.feed import batches_of
from pyrt.core.book import OrderBook as Book
from pyrt.data.columns import BOOK_ACTIONS

WHOLE = [BOOK_ACTIONS.index(name) for name in ("snapshot", "clear")]
"""Actions after which the whole book is told."""


class Depth:
    """One symbol's levels, price → size on each side.

    Parameters
    ----------
    symbol : str
    """

    def __init__(self, symbol: str) -> None:
        self.symbol = symbol
        self.bids: dict[float, float] = {}
        self.asks: dict[float, float] = {}
        self.ts = 0
        self._table: Any = None
        self._coded: Any = None
        self._book = Book(symbol)

    def apply(self, table: Any, rows: range) -> OrderBook | None:
        """Fold recorded events in; return what changed, None if nothing did.

        The book is the venue's own kind: a snapshot that is older than changes before it does not
        undo them.
        """
        if table is not self._table:
            self._table, (self._coded, _) = table, batches_of(table)
            self._book = Book(self.symbol, "L3" if self._coded.dialect != "l2" else "L2")
        self._book.apply(self._coded, rows.start, rows.stop)
        self.ts = int(table.ts_event[rows.stop - 1])
        actions = table.action[rows.start : rows.stop]
        if np.isin(actions, WHOLE).any():
            return self._show()
        shown = self._changed(table, rows, 1), self._changed(table, rows, -1)
        if not any(shown):
            return None
        for levels, changes in zip((self.bids, self.asks), shown, strict=True):
            for price, size in changes.items():
                self._set(levels, price, size)
        return self._message(*shown, is_full=False)

    def _changed(self, table: Any, rows: range, side: int) -> dict[float, float]:
        """Return what levels that some events name show now."""
        part = slice(rows.start, rows.stop)
        prices = np.unique(table.price[part][(table.side[part] == side)])
        word = "B" if side > 0 else "A"
        found = {p: self._book.size_at(word, p) for p in prices[np.isfinite(prices)].tolist()}
        known = self.bids if side > 0 else self.asks
        return {price: size for price, size in found.items() if known.get(price, 0.0) != size}

    def _show(self) -> OrderBook:
        """Take over the whole book."""
        self.bids, self.asks = dict(self._book.bids().tolist()), dict(self._book.asks().tolist())
        return self.snapshot()

    def follow(self, bid: float, bid_size: float, ask: float, ask_size: float, ts: int) -> Any:
        """Make a quote the whole book, where no book is recorded; return what changed."""
        now = ({bid: bid_size} if bid else {}, {ask: ask_size} if ask else {})
        changes = [
            {**{price: 0.0 for price in old if price not in new}, **new}
            for old, new in zip((self.bids, self.asks), now, strict=True)
        ]
        self.bids, self.asks = now
        self.ts = ts
        return self._message(*changes, is_full=False)

    def snapshot(self) -> OrderBook:
        """Return the whole book, best levels first."""
        return self._message(self.bids, self.asks, is_full=True)

    @property
    def is_empty(self) -> bool:
        """Whether there is no level on either side."""
        return not (self.bids or self.asks)

    @staticmethod
    def _set(levels: dict[float, float], price: float, size: float) -> None:
        if size > 0:
            levels[price] = size
        else:
            levels.pop(price, None)

    def _message(
        self, bids: dict[float, float], asks: dict[float, float], *, is_full: bool
    ) -> OrderBook:
        message = OrderBook(
            S=self.symbol,
            t=Stamp(self.ts),
            b=[Level(price, bids[price]) for price in nlargest(len(bids), bids)],
            a=[Level(price, asks[price]) for price in nsmallest(len(asks), asks)],
        )
        if is_full:
            message.r = True
        return message
