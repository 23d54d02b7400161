"""Reversion by RSI: buy weakness in an uptrend, sell when strength is back."""

from __future__ import annotations

from pyrt.core.data import Bar
from pyrt.indicators import RSI, SMA
from pyrt.strategy import Strategy


class RsiReversion(Strategy):
    """Buy one symbol when it has fallen fast within a longer rise.

    Parameters
    ----------
    symbol, timeframe : str
    period : int
        Length of the RSI.
    weak, strong : float
        Enter at an RSI below `weak`, leave at one above `strong`.
    trend : int
        Length of the average that the close must be above at the entry.
    invested : float
        Share of the strategy's equity to hold.
    """

    symbol: str = "SPY"
    timeframe: str = "1d"
    period: int = 2
    weak: float = 10.0
    strong: float = 65.0
    trend: int = 200
    invested: float = 0.98

    def on_start(self) -> None:
        """Subscribe, and let the engine feed RSI and average."""
        bars = self.subscribe_bars(self.symbol, self.timeframe)
        self.rsi = self.attach(RSI(self.period), bars)
        self.average = self.attach(SMA(self.trend), bars)

    def on_bar(self, bar: Bar) -> None:
        """Enter on weakness above the trend, leave on strength."""
        position = self.position(self.symbol)
        if position.is_long and self.rsi.value > self.strong:
            self.close(self.symbol)
        elif (
            self.average.ready
            and position.is_flat
            and self.rsi.value < self.weak
            and bar.close > self.average.value
        ):
            self.target_percent(self.symbol, self.invested)
