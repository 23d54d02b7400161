"""Portfolio risk on a schedule: prices sampled, returns kept, the risk of today's holdings."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pyrt.risk.arguments import Floats
from pyrt.risk.exposures import beta, beta_weighted
from pyrt.risk.value_at_risk import historical_shortfall, historical_var

RETURNS_MIN = 2
# As a share of equity that is gone, any risk is more than any limit.
UNBOUNDED = 1e9


class PortfolioMonitor:
    """Computes what portfolio limits read; holds the last `window` rows of prices.

    Parameters
    ----------
    window : int
        Returns that the figures are computed from.
    level : float
        Of value at risk and expected shortfall.
    market : str, optional
        Symbol that betas are measured against.
    """

    def __init__(self, window: int, level: float, market: str | None = None) -> None:
        self._level = level
        self._market = market
        self._rows: deque[Floats] = deque(maxlen=window + 1)
        self._symbols: tuple[str, ...] = ()
        self._saved: dict[str, Any] | None = None

    def measure(
        self,
        symbols: Sequence[str],
        prices: Sequence[float],
        values: Sequence[float],
        equity: float,
    ) -> dict[str, Any] | None:
        """Take one row of prices; return the readings, or None before there are returns.

        Parameters
        ----------
        symbols : sequence of str
        prices : sequence of float
            0 where there is none yet: no return then.
        values : sequence of float
            What is held, signed, in base currency.
        equity : float
        """
        self._align(tuple(symbols))
        self._saved = None
        self._rows.append(np.asarray(prices, float))
        returns = self._returns()
        if len(returns) < RETURNS_MIN:
            return None
        held = np.asarray(values, float)
        results = returns @ held
        found = {
            "value_at_risk": historical_var(results, self._level),
            "expected_shortfall": historical_shortfall(results, self._level),
            "volatility": share_of(float(results.std(ddof=1)), equity),
            "correlation": mean_correlation(returns, held),
        }
        if self._market in self._symbols:
            slopes = beta(returns, returns[:, self._symbols.index(self._market)])
            slopes = np.nan_to_num(slopes, nan=1.0)
            found["beta_exposure"] = beta_weighted(held, slopes)
            return {**found, "betas": dict(zip(self._symbols, slopes.tolist()))}
        return found

    def _align(self, symbols: tuple[str, ...]) -> None:
        """Put known prices where their symbols stand now; after a restart the order may differ."""
        known = self._symbols
        self._symbols = symbols
        if symbols[: len(known)] == known:
            return
        columns = {symbol: column for column, symbol in enumerate(known)}
        for number, row in enumerate(self._rows):
            found = [columns.get(symbol, len(row)) for symbol in symbols]
            self._rows[number] = np.append(row, 0.0)[np.minimum(found, len(row))]

    def rescale(self, symbol: str, factor: float) -> None:
        """Multiply the prices known of a symbol, as a split does."""
        self._saved = None
        if symbol not in self._symbols:
            return
        column = self._symbols.index(symbol)
        for row in self._rows:
            if column < len(row):
                row[column] *= factor

    def inherit(self, other: PortfolioMonitor) -> None:
        """Go on from the prices of another one, the last of them where there is less room."""
        self._saved = None
        self._symbols = other._symbols
        self._rows.extend(other._rows)

    def save(self) -> dict[str, Any]:
        """Return symbols and rows as plain values; worked out once for each row.

        They are asked for with every order, and rows come far less often.
        """
        if self._saved is None:
            self._saved = {
                "symbols": list(self._symbols),
                "rows": [b64encode(row.astype("<f8").tobytes()).decode() for row in self._rows],
            }
        return self._saved

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Take over what `save` returned."""
        self._saved = None
        self._symbols = tuple(saved["symbols"])
        self._rows.clear()
        self._rows.extend(np.frombuffer(b64decode(row), "<f8").copy() for row in saved["rows"])

    def _returns(self) -> Floats:
        """Simple returns, shape (n, n_symbols); 0 where a price is missing."""
        width = len(self._symbols)
        rows = np.zeros((len(self._rows), width))
        for number, row in enumerate(self._rows):
            rows[number, : len(row)] = row
        before, after = rows[:-1], rows[1:]
        known = (before > 0.0) & (after > 0.0)
        return np.where(known, after / np.where(known, before, 1.0) - 1.0, 0.0)


def share_of(deviation: float, equity: float) -> float:
    """Return a deviation as a share of equity; of equity that is gone, more than any limit."""
    if equity > 0.0:
        return min(deviation / equity, UNBOUNDED)
    return UNBOUNDED if deviation > 0.0 else 0.0


def mean_correlation(returns: Floats, values: Floats) -> float:
    """Return the mean correlation of pairs held, weighted by the product of their values.

    A short turns the sign: a hedge counts as negative. 0.0 with fewer than two holdings that
    moved.

    Examples
    --------
    >>> moves = np.array([[0.01, 0.02], [-0.01, -0.02], [0.02, 0.04]])
    >>> round(mean_correlation(moves, np.array([100.0, 50.0])), 12)
    1.0
    >>> round(mean_correlation(moves, np.array([100.0, -50.0])), 12)
    -1.0
    """
    moves = returns.std(axis=0) > 0.0
    held = (values != 0.0) & moves
    if held.sum() < 2:
        return 0.0
    table = np.corrcoef(returns[:, held], rowvar=False)
    weights = np.outer(values[held], values[held])
    np.fill_diagonal(weights, 0.0)
    return float((weights * table).sum() / np.abs(weights).sum())
