"""Two strategies that talk: one watches a pair and publishes signals, the other trades them.

    python examples/pair_talk.py

The watcher never trades and the trader never looks at a price. Either can be replaced, also by a
model in another process, as long as `Signal`s keep coming on the topic.
"""

from __future__ import annotations

import math
from argparse import ArgumentParser
from collections import deque
from typing import Any

import numpy as np

from pyrt import BacktestResult, Signal, Strategy, backtest
from pyrt.core.data import Bar

TOPIC = "signals.pair"


class Watcher(Strategy):
    """Measures how far the ratio of two prices is from its mean, in standard deviations."""

    first: str = "IBM"
    second: str = "MSFT"
    window: int = 60
    entry: float = 2.0
    exit: float = 0.0
    value: float = 20_000

    def on_start(self) -> None:
        for symbol in (self.first, self.second):
            self.subscribe_bars(symbol, "1d")
        self.closes: dict[str, float] = {}
        self.instant = 0
        self.ratios: deque[float] = deque(maxlen=self.window)
        self.state = 0

    def on_bar(self, bar: Bar) -> None:
        if bar.ts_event != self.instant:
            self.instant = bar.ts_event
            self.closes.clear()
        self.closes[bar.symbol] = bar.close
        if len(self.closes) < 2:
            return
        self.ratios.append(math.log(self.closes[self.first] / self.closes[self.second]))
        if len(self.ratios) == self.window:
            recent = np.array(self.ratios)
            self.judge((recent[-1] - recent.mean()) / recent.std(), bar.ts_event)

    def judge(self, score: float, ts: int) -> None:
        """Enter against a wide spread, leave when it is back at its mean."""
        if self.state == 0 and abs(score) > self.entry:
            self.state = -1 if score > 0 else 1
        elif self.state * score < -self.exit or self.state == 0:
            return
        else:
            self.state = 0
        for symbol, sign in ((self.first, self.state), (self.second, -self.state)):
            side = {1: "buy", -1: "sell", 0: "flat"}[sign]
            quantity = self.value // self.closes[symbol] if sign else 0
            self.publish(TOPIC, Signal(symbol, side, quantity, min(abs(score) / 4, 1.0), ts))


class Trader(Strategy):
    """Holds what the latest signal of each symbol asks for."""

    def on_start(self) -> None:
        self.subscribe(TOPIC, self.on_signal)

    def on_signal(self, signal: Signal) -> None:
        quantity = -signal.quantity if signal.side == "sell" else signal.quantity
        self.target_position(signal.symbol, quantity)


def run(data: Any = None, first: str = "IBM", second: str = "MSFT") -> BacktestResult:
    if data is None:
        from bokeh_sampledata.stocks import data
    return backtest(
        [Watcher(first=first, second=second), Trader()],
        data,
        symbol=(first, second),
        calendar="XNYS",
        adjusted=True,
        fees="per_share:0.005/1",
    )


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="daily bars with Adj Close, instead of bokeh_sampledata's")
    parser.add_argument("--first", default="IBM")
    parser.add_argument("--second", default="MSFT")
    print(run(**vars(parser.parse_args())))
