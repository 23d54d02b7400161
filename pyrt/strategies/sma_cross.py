"""The moving-average cross: long while the fast average is above the slow one."""

from __future__ import annotations

from pyrt.core.data import Bar
from pyrt.indicators import SMA
from pyrt.strategy import Strategy


class SmaCross(Strategy):
    """Follow the trend of one symbol.

    Parameters
    ----------
    symbol, timeframe : str
    fast, slow : int
        Lengths of the averages, in bars.
    invested : float
        Share of the strategy's equity to hold while long.
    short : bool
        Hold the opposite position in place of none while the fast average is below.
    """

    symbol: str = "SPY"
    timeframe: str = "1d"
    fast: int = 50
    slow: int = 200
    invested: float = 0.98
    short: bool = False

    def on_start(self) -> None:
        """Subscribe, and let the engine feed both averages."""
        bars = self.subscribe_bars(self.symbol, self.timeframe)
        self.fast_ma = self.attach(SMA(self.fast), bars)
        self.slow_ma = self.attach(SMA(self.slow), bars)
        self.stance = 0

    def on_bar(self, bar: Bar) -> None:
        """Trade when the averages have crossed, and not to rebalance."""
        if not self.slow_ma.ready:
            return
        stance = 1 if self.fast_ma.value > self.slow_ma.value else -1 if self.short else 0
        if stance != self.stance:
            self.stance = stance
            self.target_percent(self.symbol, stance * self.invested)
