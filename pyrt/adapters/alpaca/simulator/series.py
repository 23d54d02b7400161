"""All that is recorded of one symbol, and how much of it is known at an instant."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator import minutes
from pyrt.adapters.alpaca.simulator.frames import Bar, Message, Stamp
from pyrt.adapters.alpaca.simulator.tapes import Tape, bar_quote, bar_trade
from pyrt.adapters.alpaca.simulator.wires import is_pair


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
            v=volume if self.is_pair else int(volume),
            t=Stamp(int(table.ts_open[row])),
            n=int(self.details.count[row]),
            vw=float(self.details.average[row]),
        )

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
