"""All that is recorded of one symbol, and how much of it is known at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator.market import minutes
from pyrt.adapters.alpaca.simulator.protocol.wires import is_pair
from pyrt.adapters.alpaca.simulator.streams.frames import Bar, Message, Stamp, UpdatedBar
from pyrt.adapters.alpaca.simulator.streams.tapes import Tape, bar_quote, bar_trade


class Series:
    """Tables of one symbol.

    Attributes
    ----------
    bars : BarColumns
        What the streams send as minute bars: the minutes, or the finest coarser bars there are.
    trades, quotes, book : columns or None
        Ticks, where they were recorded.
    """

    def __init__(self, symbol: str, tables: Iterable[Any]) -> None:
        self.symbol = symbol
        self.is_pair = is_pair(symbol)
        kinds = {table.kind: table for table in tables if table.kind != "bars"}
        self.trades, self.quotes = kinds.get("trades"), kinds.get("quotes")
        self.book = kinds.get("book")
        known = sorted((t for t in tables if t.kind == "bars"), key=lambda t: t.timeframe_ns)
        self.is_derived = False
        self.bars, self.details = self._choose(known)
        self.revised: dict[int, tuple[float, int] | None] = {}
        """Row of a print → price and size it was corrected to, None if it was canceled."""
        self._tapes = {t.kind: Tape(t) for t in (self.trades, self.quotes) if t is not None}

    def _choose(self, known: list[Any]) -> tuple[Any, minutes.Details]:
        """Return the bars to send: those given, unless all are shorter or there are none."""
        given = [table for table in known if table.timeframe_ns >= minutes.MINUTE]
        if given:
            return given[0], minutes.of_bars(given[0], self.trades)
        self.is_derived = True
        if known:
            return minutes.from_bars(known[0])
        ticks = self.trades if self.trades is not None and len(self.trades) else self.quotes
        if ticks is None:
            raise ValueError(f"{self.symbol} has a book only")
        return minutes.from_ticks(ticks)

    def known(self, kind: str, now: int) -> int:
        """Return how many rows of a kind are known at `now`; without ticks, those of bars."""
        return int(np.searchsorted(self.table(kind).ts_init, now, side="right"))

    def table(self, kind: str) -> Any:
        """Return the table that answers for a kind: the ticks, or else the bars."""
        ticks = self.trades if kind == "trades" else self.quotes if kind == "quotes" else None
        return self.bars if ticks is None else ticks

    def times(self, kind: str) -> Any:
        """Return the stamps that queries go by: a bar's start, the moment of a tick (ns UTC)."""
        table = self.table(kind)
        if table.kind != "bars":
            return table.ts_event
        return table.ts_open if kind == "bars" else table.ts_close

    def message(self, kind: str, row: int) -> Message:
        """Return the message of a row of a kind."""
        if kind == "bars":
            return self.bar(row)
        tape = self._tapes.get(kind)
        if tape is not None:
            return tape.message(row)
        stamp = Stamp(int(self.bars.ts_close[row]))
        return (bar_trade if kind == "trades" else bar_quote)(self.bars, row, stamp)

    def bar(self, row: int) -> Bar:
        """Return the message of a bar, stamped at its open as Alpaca's are."""
        table = self.bars
        volume = float(table.volume[row])
        return Bar(
            S=self.symbol,
            o=float(table.open[row]),
            h=float(table.high[row]),
            l=float(table.low[row]),
            c=float(table.close[row]),
            v=round(volume, 9) if self.is_pair else int(volume),
            t=Stamp(int(table.ts_open[row])),
            n=int(self.details.count[row]),
            vw=float(self.details.average[row]),
        )

    def bar_of_print(self, row: int) -> int | None:
        """Return the row of the bar that a print was in; None if there is none."""
        if self.trades is None:
            return row
        ts = int(self.trades.ts_event[row])
        at = int(np.searchsorted(self.bars.ts_open, ts, side="right")) - 1
        return at if at >= 0 and ts < self.bars.ts_close[at] else None

    def updated_bar(self, row: int) -> UpdatedBar:
        """Return a bar as its prints are now, after corrections and cancels."""
        bar = self.bar(row)
        prints = self._prints(row)
        fields = {"S": bar.S, "o": bar.o, "h": bar.h, "l": bar.l, "c": bar.c, "t": bar.t}
        if not prints:
            return UpdatedBar(v=0, n=0, vw=bar.vw, **fields)
        prices = [price for price, _ in prints]
        volume = sum(size for _, size in prints)
        if self.trades is None:
            # The one print that stands for the bar is its close.
            prices = [bar.o, *(p for p in (bar.h, bar.l) if p != bar.c), *prices]
        fields |= {"o": prices[0], "h": max(prices), "l": min(prices), "c": prices[-1]}
        cost = sum(price * size for price, size in prints)
        average = round(cost / volume, 6) if volume else prices[-1]
        return UpdatedBar(v=volume, n=len(prints), vw=average, **fields)

    def _prints(self, row: int) -> list[tuple[float, int]]:
        """Return price and size of the prints that a bar is made of now."""
        if self.trades is None:
            rows = range(row, row + 1)
            known = {row: (float(self.bars.close[row]), int(self.bars.volume[row]))}
        else:
            ts, edges = self.trades.ts_event, (self.bars.ts_open[row], self.bars.ts_close[row])
            low, high = (int(np.searchsorted(ts, edge)) for edge in edges)
            rows = range(low, high)
            known = {at: (float(self.trades.price[at]), int(self.trades.size[at])) for at in rows}
        found = [self.revised.get(at, known[at]) for at in rows]
        return [one for one in found if one is not None]

    def close_before(self, ts: int) -> float | None:
        """Return the close of the last bar that began before `ts`; None if there is none."""
        row = int(np.searchsorted(self.bars.ts_open, ts)) - 1
        return float(self.bars.close[row]) if row >= 0 else None

    def quote(self, now: int) -> tuple[float, float] | None:
        """Return bid and ask at `now`; None where no quotes are recorded or a side is missing."""
        if self.quotes is None:
            return None
        row = self.known("quotes", now) - 1
        if row < 0:
            return None
        bid, ask = float(self.quotes.bid_price[row]), float(self.quotes.ask_price[row])
        return (bid, ask) if bid > 0 and ask > 0 else None


def make_series(tables: Iterable[Any]) -> dict[str, Series]:
    """Return the series of all symbols of some tables, in the order in which they come."""
    by_symbol: dict[str, list[Any]] = {}
    for table in tables:
        by_symbol.setdefault(table.symbol, []).append(table)
    return {symbol: Series(symbol, group) for symbol, group in by_symbol.items()}
