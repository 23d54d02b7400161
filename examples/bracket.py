"""Bracket orders and a trailing stop: two ways out of a breakout.

    python examples/bracket.py

A close above the highs of the last 50 sessions buys twice. The first purchase carries a target
and a stop, of which one cancels the other; the venue holds both from the moment of the entry. The
second runs behind a trailing stop, sent when its fill is known.
"""

from __future__ import annotations

from argparse import ArgumentParser
from collections import deque
from typing import Any

from pyrt import BacktestResult, Strategy, backtest
from pyrt.core.data import Bar
from pyrt.core.orders import Fill


class Breakout(Strategy):
    symbol: str = "GOOG"
    timeframe: str = "1d"
    channel: int = 50
    size: float = 50
    target_percent_above: float = 12.0
    stop_percent_below: float = 6.0
    trail_percent: float = 9.0

    def on_start(self) -> None:
        self.subscribe_bars(self.symbol, self.timeframe)
        self.highs: deque[float] = deque(maxlen=self.channel)
        self.runner = ""

    def on_bar(self, bar: Bar) -> None:
        full = len(self.highs) == self.channel
        if full and bar.close > max(self.highs) and self.position(self.symbol).is_flat:
            self.buy(
                self.symbol,
                self.size,
                take_profit=round(bar.close * (1 + self.target_percent_above / 100), 2),
                stop_loss=round(bar.close * (1 - self.stop_percent_below / 100), 2),
                tag="bracket",
            )
            self.runner = self.buy(self.symbol, self.size, tag="runner").client_order_id
        self.highs.append(bar.high)

    def on_fill(self, fill: Fill) -> None:
        if fill.client_order_id == self.runner:
            self.sell(self.symbol, fill.quantity, trail_percent=self.trail_percent, tag="runner")


def run(data: Any = None, symbol: str = "GOOG", timeframe: str = "1d") -> BacktestResult:
    strategy = Breakout(symbol=symbol, timeframe=timeframe)
    if data is not None:
        return backtest(strategy, data, symbol=symbol)
    from bokeh_sampledata.stocks import data as stocks

    return backtest(strategy, stocks, symbol=symbol, calendar="XNYS")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="bars to use instead of bokeh_sampledata's")
    parser.add_argument("--symbol", default="GOOG")
    parser.add_argument("--timeframe", default="1d")
    result = run(**vars(parser.parse_args()))
    print(result)
    print(result.orders.groupby(["tag", "type", "status"]).size().to_string())
