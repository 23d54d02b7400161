"""The account as a strategy or a person wants to see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyrt.kernel.wiring import Wiring


class Portfolio:
    """Marked-to-market view over account and positions; computed when asked.

    Parameters
    ----------
    kernel : Kernel
    """

    def __init__(self, kernel: Wiring) -> None:
        self._kernel = kernel

    @property
    def equity(self) -> float:
        """Cash plus marked value of all holdings, base currency."""
        return float(self._kernel.account.equity)

    @property
    def cash(self) -> float:
        """Cash, base currency."""
        return float(self._kernel.account.cash)

    @property
    def market_value(self) -> float:
        """Long minus short value, base currency."""
        return float(self._kernel.account.market_value)

    def metrics(self) -> dict[str, Any]:
        """Return the account in numbers.

        Returns
        -------
        dict
            ``time`` (ns UTC), ``equity``, ``cash``, ``market_value``, ``gross_exposure``,
            ``buying_power``, ``total_pnl``, ``total_pnl_percent`` (of the opening equity),
            ``day_pnl``, ``day_pnl_percent`` (of the equity at the end of the previous UTC day),
            ``positions`` (number that hold units). Amounts in base currency, percents in percent.
            What is paid in or out is neither profit nor loss.
        """
        account = self._kernel.account
        curve = self._kernel.curve
        first, day, equity = curve.initial, curve.day, account.equity
        profit = equity - first - curve.paid_in
        return {
            "time": self._kernel.clock.timestamp_ns,
            "equity": equity,
            "cash": account.cash,
            "market_value": account.market_value,
            "gross_exposure": account.gross_exposure,
            "buying_power": account.buying_power,
            "total_pnl": profit,
            "total_pnl_percent": _percent(profit, first),
            "day_pnl": equity - day,
            "day_pnl_percent": _percent(equity - day, day),
            "positions": len(self._kernel.cache.positions()),
        }

    def __repr__(self) -> str:
        return f"Portfolio(equity={self.equity:.2f}, cash={self.cash:.2f})"


def _percent(part: float, whole: float) -> float:
    return 100.0 * part / whole if whole else float("nan")
