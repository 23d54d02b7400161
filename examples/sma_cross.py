"""Moving-average cross: hold the symbol while the fast average is above the slow one.

    python examples/sma_cross.py
    python examples/sma_cross.py --data spy_1m.parquet --symbol SPY --timeframe 1m

The strategy does not know where its bars come from: the daily bars of GOOG that bokeh_sampledata
ships, minute bars of your own, or a live feed need no change of it.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from pyrt import BacktestResult, Strategy, backtest
from pyrt.core.data import Bar
from pyrt.indicators import SMA


class SmaCross(Strategy):
    symbol: str = "SPY"
    timeframe: str = "1m"
    fast: int = 50
    slow: int = 200
    size: float = 100

    def on_start(self) -> None:
        bars = self.subscribe_bars(self.symbol, self.timeframe)
        self.fast_ma = self.attach(SMA(self.fast), bars)
        self.slow_ma = self.attach(SMA(self.slow), bars)

    def on_bar(self, bar: Bar) -> None:
        if not self.slow_ma.ready:
            return
        if self.fast_ma.value > self.slow_ma.value and self.position(self.symbol).is_flat:
            self.buy(self.symbol, self.size)
        elif self.fast_ma.value < self.slow_ma.value and self.position(self.symbol).is_long:
            self.close(self.symbol)


def run(data: Any = None, symbol: str = "GOOG", timeframe: str = "1d") -> BacktestResult:
    strategy = SmaCross(symbol=symbol, timeframe=timeframe)
    if data is not None:
        return backtest(strategy, data, symbol=symbol)
    from bokeh_sampledata.stocks import data as stocks

    return backtest(strategy, stocks, symbol=symbol, calendar="XNYS")


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="bars to use instead of bokeh_sampledata's")
    parser.add_argument("--symbol", default="GOOG")
    parser.add_argument("--timeframe", default="1d")
    print(run(**vars(parser.parse_args())))
