"""Buying once, in equal parts, and holding: what other strategies have to beat."""

from __future__ import annotations

from pyrt.core.data import Bar
from pyrt.strategy import Strategy


class BuyAndHold(Strategy):
    """Put equal parts of the capital into some symbols at their first bars, and hold them.

    A symbol that is listed later gets its part then; until then the part stays in cash.

    Parameters
    ----------
    symbols : tuple of str
    timeframe : str
    invested : float
        Share of the capital to invest; what is left over pays fees and gaps at the open.
    """

    symbols: tuple[str, ...] = ("SPY",)
    timeframe: str = "1d"
    invested: float = 0.98

    def on_start(self) -> None:
        """Subscribe to every symbol."""
        self.bought: set[str] = set()
        for symbol in self.symbols:
            self.subscribe_bars(symbol, self.timeframe)

    def on_bar(self, bar: Bar) -> None:
        """Buy a symbol's part at its first bar."""
        if bar.symbol not in self.bought:
            self.bought.add(bar.symbol)
            self.target_percent(bar.symbol, self.invested / len(self.symbols))
