"""Rotation: each month hold the strongest of several stocks, in equal parts.

    python examples/rotation.py

Strength is how far a stock stands above its average of half a year. `target_percent` works out
what to trade. What is too much is sold at the first open after the choice, what is too little
bought one session later, when the proceeds are there: orders that meet one and the same open are
paid for one by one, and a purchase shrinks to the cash it finds.
"""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import UTC, datetime
from typing import Any

from pyrt import BacktestResult, Strategy, backtest
from pyrt.core.data import Bar
from pyrt.indicators import SMA

SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")


class Rotation(Strategy):
    symbols: tuple[str, ...] = SYMBOLS
    lookback: int = 126
    hold: int = 2
    invested: float = 0.96

    def on_start(self) -> None:
        self.average = {
            symbol: self.attach(SMA(self.lookback), self.subscribe_bars(symbol, "1d"))
            for symbol in self.symbols
        }
        self.strength: dict[str, float] = {}
        self.instant = self.month = self.session = 0

    def on_bar(self, bar: Bar) -> None:
        """Act once a session, when the bars of all symbols are in; they come one by one."""
        if bar.ts_event != self.instant:
            self.instant = bar.ts_event
            self.strength.clear()
        self.strength[bar.symbol] = bar.close / self.average[bar.symbol].value
        if len(self.strength) < len(self.symbols):
            return
        month = datetime.fromtimestamp(bar.ts_event / 1e9, UTC).month
        self.session = 1 if month != self.month else self.session + 1
        self.month = month
        if self.session == 1:
            self.choose()
        elif self.session == 2:
            for symbol in self.chosen:
                self.target_percent(symbol, self.invested / self.hold)

    def choose(self) -> None:
        """Pick the strongest; sell the others, and what is too much of those picked."""
        ready = [symbol for symbol in self.symbols if self.average[symbol].ready]
        self.chosen = sorted(ready, key=self.strength.__getitem__, reverse=True)[: self.hold]
        share = self.invested / self.hold
        for symbol in self.symbols:
            if symbol not in self.chosen:
                self.close(symbol)
            elif self.position(symbol).market_value > share * self.equity:
                self.target_percent(symbol, share)


def run(data: Any = None, symbols: tuple[str, ...] = SYMBOLS) -> BacktestResult:
    if data is None:
        from bokeh_sampledata.stocks import data
    return backtest(
        Rotation(symbols=symbols),
        data,
        symbol=symbols,
        calendar="XNYS",
        adjusted=True,
        fees="per_share:0.005/1",
        slippage="bps:2",
    )


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="daily bars with Adj Close, instead of bokeh_sampledata's")
    parser.add_argument("--symbols", type=lambda text: tuple(text.split(",")), default=SYMBOLS)
    print(run(**vars(parser.parse_args())))
