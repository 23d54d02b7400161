"""Where the risk lies: gross and net, by sector, weighted by beta and by correlation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from pyrt.errors import ConfigError
from pyrt.risk.arguments import Floats, array, each, held_values, mapping, number, share, square


def by_sector(
    values: Mapping[str, float], sectors: Mapping[str, str]
) -> dict[str, dict[str, float]]:
    """Return gross and net value by sector; "" for symbols without one.

    Examples
    --------
    >>> by_sector({"AAPL": 100.0, "MSFT": -40.0}, {"AAPL": "tech", "MSFT": "tech"})
    {'tech': {'gross': 140.0, 'net': 60.0}}
    """
    found: dict[str, dict[str, float]] = {}
    mapping("sectors", sectors, "a mapping of symbols to sectors")
    for symbol, given in mapping("values", values).items():
        value = number(f"the value of {symbol}", given)
        sums = found.setdefault(sectors.get(symbol, ""), {"gross": 0.0, "net": 0.0})
        sums["gross"] += abs(value)
        sums["net"] += value
    return found


def beta(returns: npt.ArrayLike, market: npt.ArrayLike) -> Floats:
    """Return each asset's beta: its covariance with the market over the market's variance.

    Parameters
    ----------
    returns : array_like, shape (n_periods,) or (n_periods, n_assets)
    market : array_like, shape (n_periods,)

    Returns
    -------
    ndarray of float64, shape (n_assets,)
        NaN where the market did not move.

    Raises
    ------
    ConfigError
        If the lengths differ or are below 2.
    """
    table, index = array("returns", returns), array("market", market)
    table = table[:, None] if table.ndim == 1 else table
    if table.ndim != 2 or index.ndim != 1:
        raise ConfigError(f"returns of shape {table.shape} and a market of shape {index.shape}")
    if len(table) != len(index) or len(index) < 2:
        raise ConfigError(f"{len(table)} returns of assets and {len(index)} of the market")
    moves = index - index.mean()
    variance = float(moves @ moves)
    if variance == 0.0:
        return np.full(table.shape[1], np.nan)
    return np.asarray(moves @ (table - table.mean(axis=0)) / variance)


def beta_weighted(values: npt.ArrayLike, betas: npt.ArrayLike) -> float:
    """Return the value of the market index that moves like the portfolio.

    Examples
    --------
    >>> beta_weighted([1_000, -500], [1.5, 1.0])
    1000.0
    """
    held = held_values(values)
    return float(held @ each(held, betas, "betas"))


def correlated_value(
    values: npt.ArrayLike, correlation: npt.ArrayLike, threshold: float = 0.7
) -> Floats:
    """Return for each asset the value of all that moves with it, itself included.

    Parameters
    ----------
    values : array_like, shape (n_assets,)
        Signed value held; an asset that moves against counts with its sign turned.
    correlation : array_like, shape (n_assets, n_assets)
    threshold : float
        Smallest correlation, either way, that counts.
    """
    held, table = held_values(values), square("correlation", correlation)
    if len(table) != len(held):
        raise ConfigError(f"{len(held)} values do not fit a correlation of {table.shape}")
    threshold = share("threshold", threshold)
    together = np.where(np.abs(table) >= threshold, np.sign(table), 0.0)
    return np.asarray(together @ held)


def summary(values: Sequence[float]) -> dict[str, float]:
    """Return gross, net, long and short value.

    Examples
    --------
    >>> summary([100.0, -40.0])
    {'gross': 140.0, 'net': 60.0, 'long': 100.0, 'short': 40.0}
    """
    held = held_values(values)
    long, short = float(held[held > 0].sum()), float(-held[held < 0].sum())
    return {"gross": long + short, "net": long - short, "long": long, "short": short}
