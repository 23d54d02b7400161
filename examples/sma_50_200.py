"""The 50/200-day cross against buying and holding, on four stocks, as it came out.

    python examples/sma_50_200.py

Both start with the same cash on the same day. The averages are warm by then: bars before `start`
feed indicators and are never shown to handlers. Prices are adjusted for splits and dividends, so
both earn the dividends of what they hold.
"""

from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from pyrt import BacktestResult, Strategy, backtest
from pyrt.core.data import Bar
from pyrt.indicators import SMA

SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
COSTS = {"fees": "per_share:0.005/1", "slippage": "bps:2"}


class GoldenCross(Strategy):
    """All in while the 50-day average is above the 200-day average."""

    symbol: str = "GOOG"
    fast: int = 50
    slow: int = 200

    def on_start(self) -> None:
        bars = self.subscribe_bars(self.symbol, "1d")
        self.fast_ma = self.attach(SMA(self.fast), bars)
        self.slow_ma = self.attach(SMA(self.slow), bars)

    def on_bar(self, bar: Bar) -> None:
        position = self.position(self.symbol)
        rising = self.fast_ma.value > self.slow_ma.value
        if self.slow_ma.ready and rising and position.is_flat:
            self.buy(self.symbol, int(0.95 * self.equity / bar.close))
        elif position.is_long and not rising:
            self.close(self.symbol)


class BuyAndHold(Strategy):
    """All in at the first bar, and nothing after."""

    symbol: str = "GOOG"

    def on_start(self) -> None:
        self.subscribe_bars(self.symbol, "1d")

    def on_bar(self, bar: Bar) -> None:
        if self.position(self.symbol).is_flat:
            self.buy(self.symbol, int(0.95 * self.equity / bar.close))


def run(
    data: Any = None, symbols: tuple[str, ...] = SYMBOLS, start: str | None = "2005-08-01"
) -> dict[str, tuple[BacktestResult, BacktestResult]]:
    """Return the two results of each symbol."""
    if data is None:
        from bokeh_sampledata.stocks import data
    options = {**COSTS, "start": start, "calendar": "XNYS", "adjusted": True}
    return {
        symbol: (
            backtest(GoldenCross(symbol=symbol), data, symbol=symbol, **options),
            backtest(BuyAndHold(symbol=symbol), data, symbol=symbol, **options),
        )
        for symbol in symbols
    }


def table(results: dict[str, tuple[BacktestResult, BacktestResult]]) -> str:
    lines = [f"{'':8}{'CAGR':>16}{'Max drawdown':>18}{'Sharpe':>16}{'Trades':>8}"]
    lines.append(f"{'':8}{'cross':>8}{'hold':>8}{'cross':>10}{'hold':>8}{'cross':>8}{'hold':>8}")
    for symbol, (cross, hold) in results.items():
        pairs = [(cross.summary[k], hold.summary[k]) for k in ("cagr", "max_drawdown", "sharpe")]
        cells = "{:8.1%}{:8.1%}{:10.1%}{:8.1%}{:8.2f}{:8.2f}".format(*sum(pairs, ()))
        lines.append(f"{symbol:8}{cells}{cross.summary['trades']:8}")
    return "\n".join(lines)


if __name__ == "__main__":
    parser = ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", help="daily bars with Adj Close, instead of bokeh_sampledata's")
    parser.add_argument("--symbols", type=lambda text: tuple(text.split(",")), default=SYMBOLS)
    parser.add_argument("--start", default="2005-08-01")
    print(table(run(**vars(parser.parse_args()))))
