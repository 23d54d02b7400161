"""Recorded rows as messages of the streams: one tape for each table of ticks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator.protocol.wires import is_pair
from pyrt.adapters.alpaca.simulator.streams.frames import (
    CoinQuote,
    CoinTrade,
    Message,
    Quote,
    Stamp,
    Trade,
)

WINDOW = 8192
"""Rows that are made Python numbers at once."""
FIELDS = {
    "trades": ("ts_event", "price", "size", "aggressor"),
    "quotes": ("ts_event", "bid_price", "bid_size", "ask_price", "ask_size"),
}


class Tape:
    """Gives the messages of a table of quotes or trades, row by row.

    Parameters
    ----------
    table : TradeColumns or QuoteColumns
    """

    def __init__(self, table: Any) -> None:
        self._table = table
        self._symbol = table.symbol
        self._names = FIELDS[table.kind]
        self._first = self._end = 0
        self._columns: list[list[Any]] = []
        self._stamp = Stamp(-1)
        makers: dict[tuple[str, bool], Callable[[int], Message]] = {
            ("trades", False): self._trade,
            ("trades", True): self._coin_trade,
            ("quotes", False): self._quote,
            ("quotes", True): self._coin_quote,
        }
        self._make = makers[table.kind, is_pair(table.symbol)]

    def message(self, row: int) -> Message:
        """Return the message of a row."""
        if not self._first <= row < self._end:
            self._load(row)
        return self._make(row)

    def _load(self, row: int) -> None:
        self._first, self._end = row, min(row + WINDOW, len(self._table))
        window = slice(self._first, self._end)
        columns = [getattr(self._table, name)[window] for name in self._names]
        # A missing side has a NaN price; on the wire it is 0.
        self._columns = [
            (np.nan_to_num(c) if c.dtype == np.float64 else c).tolist() for c in columns
        ]

    def _time(self, ts: int) -> Stamp:
        if self._stamp.ns != ts:
            self._stamp = Stamp(ts)
        return self._stamp

    def _trade(self, row: int) -> Trade:
        ts, price, size, _ = self._columns
        at = row - self._first
        return Trade(S=self._symbol, i=row + 1, p=price[at], s=int(size[at]), t=self._time(ts[at]))

    def _coin_trade(self, row: int) -> CoinTrade:
        ts, price, size, aggressor = self._columns
        at = row - self._first
        return CoinTrade(
            S=self._symbol,
            p=price[at],
            s=size[at],
            t=self._time(ts[at]),
            i=row + 1,
            tks="S" if aggressor[at] < 0 else "B",
        )

    def _quote(self, row: int) -> Quote:
        ts, bid, bid_size, ask, ask_size = self._columns
        at = row - self._first
        return Quote(
            S=self._symbol,
            bp=bid[at],
            bs=int(bid_size[at]),
            ap=ask[at],
            ask_size=int(ask_size[at]),
            t=self._time(ts[at]),
        )

    def _coin_quote(self, row: int) -> CoinQuote:
        ts, bid, bid_size, ask, ask_size = self._columns
        at = row - self._first
        return CoinQuote(
            S=self._symbol,
            bp=bid[at],
            bs=bid_size[at],
            ap=ask[at],
            ask_size=ask_size[at],
            t=self._time(ts[at]),
        )


def bar_trade(table: Any, row: int, stamp: Stamp) -> Trade | CoinTrade:
    """Return the print that a bar stands for where no trades are recorded: all of it, at its close.

    Its number is the bar's; no other print of the symbol has it.
    """
    price, size = float(table.close[row]), float(table.volume[row])
    if is_pair(table.symbol):
        return CoinTrade(S=table.symbol, p=price, s=size, t=stamp, i=row + 1)
    return Trade(S=table.symbol, i=row + 1, p=price, s=int(size), t=stamp)


def bar_quote(table: Any, row: int, stamp: Stamp) -> Quote | CoinQuote:
    """Return the quote that a bar stands for where none are recorded: its close on both sides."""
    price = float(table.close[row])
    sides: dict[str, Any] = {"bp": price, "bs": 100, "ap": price, "ask_size": 100}
    if is_pair(table.symbol):
        return CoinQuote(S=table.symbol, t=stamp, **sides)
    return Quote(S=table.symbol, t=stamp, **sides)
