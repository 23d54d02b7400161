"""Order books of coins: the levels now, and messages of what changed."""

from __future__ import annotations

from collections.abc import Iterable
from heapq import nlargest, nsmallest
from typing import Any

from pyrt.adapters.alpaca.simulator.streams.frames import Level, OrderBook, Stamp
from pyrt.data.columns import BOOK_ACTIONS

SNAPSHOT, SET, DELETE, CLEAR = (
    BOOK_ACTIONS.index(name) for name in ("snapshot", "set", "delete", "clear")
)


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

    def apply(self, table: Any, rows: Iterable[int]) -> OrderBook | None:
        """Fold recorded events in; return what changed, None if nothing did."""
        bids: dict[float, float] = {}
        asks: dict[float, float] = {}
        is_new = False
        for row in rows:
            action = int(table.action[row])
            self.ts = int(table.ts_event[row])
            if action == CLEAR or (action == SNAPSHOT and not is_new):
                self.bids.clear()
                self.asks.clear()
                is_new = True
            if action in (SNAPSHOT, SET, DELETE):
                levels, changed = (self.bids, bids) if table.side[row] > 0 else (self.asks, asks)
                price = float(table.price[row])
                size = 0.0 if action == DELETE else float(table.size[row])
                self._set(levels, price, size)
                changed[price] = size
        if not (bids or asks or is_new):
            return None
        return self._message(bids, asks, is_full=is_new)

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
