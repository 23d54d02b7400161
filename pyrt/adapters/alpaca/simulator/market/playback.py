"""The market as the simulator lets it pass: what is due, and the messages that follow from it."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pyrt.adapters.alpaca.simulator.market.pauses import interruption
from pyrt.adapters.alpaca.simulator.market.series import Series, make_series
from pyrt.adapters.alpaca.simulator.protocol.wires import midnight
from pyrt.adapters.alpaca.simulator.streams.depth import Depth
from pyrt.adapters.alpaca.simulator.streams.frames import (
    Bar,
    CoinQuote,
    DailyBar,
    Luld,
    Message,
    Stamp,
)
from pyrt.backtest.exchange import Exchange

BAND = 0.05
"""Limit up, limit down: share of the reference price, for the larger stocks above $3."""
BAND_MINUTES = 5
BAND_STEP = 0.01
"""A new band is announced when the reference has moved by this share."""


@dataclass(slots=True)
class Today:
    """A symbol's session so far."""

    midnight: int
    bar: DailyBar
    cost: float


@dataclass(slots=True)
class BookTape:
    """Recorded book events and the next of them."""

    table: Any
    at: int = 0


class Market:
    """Turns what an exchange replays into messages of the streams.

    Parameters
    ----------
    exchange : Exchange
    series : dict of str to Series, optional
        By symbol; by default of the exchange's tables.
    """

    def __init__(self, exchange: Exchange, series: dict[str, Series] | None = None) -> None:
        self.exchange = exchange
        self.series = make_series(exchange.tables) if series is None else series
        self.depths = {s: Depth(s) for s, one in self.series.items() if one.is_pair}
        self._sent_bars = {id(one.bars): one for one in self.series.values()}
        self._books = [
            BookTape(s.book) for s in self.series.values() if s.book is not None and s.is_pair
        ]
        self._today: dict[str, Today] = {}
        self._bands: dict[str, tuple[deque[float], float]] = {}
        self._out: list[Message] = []
        self.banded: frozenset[str] = frozenset()
        """Stocks whose price bands the exchange holds; of others bars give a rough one."""
        self.version = 0
        """Changes whenever something happens."""

    def take(self) -> list[Message]:
        """Return the messages since the last call, oldest first."""
        taken, self._out = self._out, []
        return taken

    def add(self, messages: Sequence[Message]) -> None:
        """Send messages that no recorded row stands for."""
        self._out.extend(messages)

    def skip_to(self, ts: int) -> None:
        """Make everything known at `ts` history that is not sent."""
        self.exchange.skip_to(ts)
        for tape in self._books:
            last = int(np.searchsorted(tape.table.ts_init, ts, side="right"))
            self.depths[tape.table.symbol].apply(tape.table, range(tape.at, last))
            tape.at = last

    def books_of(self, symbols: Iterable[str]) -> list[Message]:
        """Return the order books of some pairs as they are now; of all for ``*``."""
        wanted = set(symbols)
        return [
            depth.snapshot()
            for symbol, depth in self.depths.items()
            if not depth.is_empty and (symbol in wanted or "*" in wanted)
        ]

    @property
    def next_book(self) -> int | None:
        """When the next recorded book event is due, ns UTC."""
        due = [int(t.table.ts_init[t.at]) for t in self._books if t.at < len(t.table)]
        return min(due, default=None)

    # -- what happens --------------------------------------------------------------------------

    def end_bars(self) -> bool:
        """Let bars end; return whether any did."""
        self.version += 1
        ended = self.exchange.end_bars()
        stamp = Stamp(int(self.exchange.now))
        for table, row in ended:
            series = self._sent_bars.get(id(table))
            if series is not None:
                self._end_bar(series, row, stamp)
        return bool(ended)

    def _end_bar(self, series: Series, row: int, stamp: Stamp) -> None:
        if series.trades is None and series.quotes is None:
            self._out.append(series.message("trades", row))
        if series.quotes is None:
            quote = series.message("quotes", row)
            self._out.append(quote)
            self._follow(quote)
        bar = series.bar(row)
        self._out += [bar, self._day_so_far(series, bar)]
        if not series.is_pair and bar.S not in self.banded:
            self._band(bar, stamp)

    def happen(self, until: int | None = None, most: int = 1) -> int:
        """Let quotes and trades happen; see `Exchange.take_ticks`. Return how many did."""
        self.version += 1
        rows = self.exchange.take_ticks(until, most)
        tables, series = self.exchange.tables, self.series
        for place, row in rows:
            table = tables[place]
            message = series[table.symbol].message(table.kind, row)
            self._out.append(message)
            if type(message) is CoinQuote:
                self._follow(message)
        return len(rows)

    def interrupt(self, actions: Iterable[tuple[str, str, Any, int]]) -> None:
        """Tell of price bands and pauses, as `Exchange.take_actions` has carried them out."""
        stamp = Stamp(int(self.exchange.now))
        for what, symbol, first, second in actions:
            self._out += interruption(what, symbol, first, second, stamp)

    def change_books(self) -> None:
        """Let recorded book events up to now happen."""
        now = int(self.exchange.now)
        for tape in self._books:
            first = tape.at
            while tape.at < len(tape.table) and tape.table.ts_init[tape.at] <= now:
                tape.at += 1
            if tape.at > first:
                depth = self.depths[tape.table.symbol]
                message = depth.apply(tape.table, range(first, tape.at))
                if message is not None:
                    self._out.append(message)

    # -- what follows --------------------------------------------------------------------------

    def _follow(self, quote: Message) -> None:
        """A quote is the whole book of a pair whose book was not recorded."""
        if isinstance(quote, CoinQuote) and self.series[quote.S].book is None:
            depth = self.depths[quote.S]
            sides = (quote.bp, quote.bs, quote.ap, quote.ask_size)
            self._out.append(depth.follow(*sides, quote.t.ns))

    def _day_so_far(self, series: Series, bar: Bar) -> DailyBar:
        """Fold a bar into its session's, which begins at midnight: New York's, or UTC for coins."""
        start = midnight(bar.t.ns, utc=series.is_pair)
        today = self._today.get(bar.S)
        fields = {name: getattr(bar, name) for name in ("S", "o", "h", "l", "c", "v", "n", "vw")}
        if today is None or today.midnight != start:
            made = DailyBar(t=Stamp(start), **fields)
            self._today[bar.S] = Today(start, made, bar.vw * bar.v)
            return made
        day = today.bar
        today.cost += bar.vw * bar.v
        volume = round(day.v + bar.v, 9) if series.is_pair else day.v + bar.v
        today.bar = DailyBar(
            S=bar.S,
            o=day.o,
            h=max(day.h, bar.h),
            l=min(day.l, bar.l),
            c=bar.c,
            v=volume,
            t=day.t,
            n=day.n + bar.n,
            vw=round(today.cost / volume, 6) if volume else bar.c,
        )
        return today.bar

    def _band(self, bar: Bar, stamp: Stamp) -> None:
        """Announce the band around the mean close of five minutes when it has moved."""
        closes, announced = self._bands.get(bar.S, (deque(maxlen=BAND_MINUTES), 0.0))
        closes.append(bar.c)
        reference = sum(closes) / len(closes)
        if not announced or abs(reference / announced - 1) >= BAND_STEP:
            announced = reference
            up, down = round(reference * (1 + BAND), 2), round(reference * (1 - BAND), 2)
            self._out.append(Luld(S=bar.S, u=up, d=down, t=stamp))
        self._bands[bar.S] = (closes, announced)
