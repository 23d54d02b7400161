"""A cash book in floats: what trades come to, worked out without the engine."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from pyrt import BacktestResult

Row = tuple[str, str, int, float, float]
"""Date, symbol, side (1 or -1), quantity, price."""


@dataclass
class Paper:
    """Cash, units and fills of someone who trades at given prices.

    Parameters
    ----------
    slippage : float
        Share of the price that a trade is worse by.
    per_share, minimum : float
        Fee of a trade.
    """

    cash: float = 100_000.0
    slippage: float = 0.0
    per_share: float = 0.0
    minimum: float = 0.0
    units: dict[str, float] = field(default_factory=dict)
    fills: list[Row] = field(default_factory=list)

    def trade(self, date: str, symbol: str, quantity: float, price: float) -> None:
        """Buy (quantity > 0) or sell (< 0) at a price, worsened by slippage."""
        side = 1 if quantity > 0 else -1
        price *= 1 + side * self.slippage
        self.cash -= quantity * price + max(self.per_share * abs(quantity), self.minimum)
        self.units[symbol] = self.held(symbol) + quantity
        self.fills.append((date, symbol, side, abs(quantity), price))

    def held(self, symbol: str) -> float:
        """Units held in a symbol."""
        return self.units.get(symbol, 0.0)

    def equity(self, closes: dict[str, float]) -> float:
        """Cash and holdings at the closes."""
        return self.cash + sum(n * closes[s] for s, n in self.units.items() if n)


def rows(result: BacktestResult) -> list[Row]:
    """Fills of a result in the form of `Paper.fills`."""
    fills = result.fills
    dates = fills["ts_event"].dt.strftime("%Y-%m-%d")
    sides = fills["side"].map({"buy": 1, "sell": -1})
    return list(zip(dates, fills["symbol"], sides, fills["quantity"], fills["price"]))


def assert_same_fills(result: BacktestResult, paper: Paper) -> None:
    """Hold a result's fills to those on paper: the same trades at the same prices."""
    found = rows(result)
    assert [row[:3] for row in found] == [row[:3] for row in paper.fills]
    for mine, theirs in zip(found, paper.fills):
        assert mine[3:] == pytest.approx(theirs[3:], rel=1e-8, abs=1e-5)
