"""Value at risk and expected shortfall, of one series and of a portfolio, and who contributes."""

from __future__ import annotations

from math import exp, pi, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pyrt.errors import ConfigError
from pyrt.risk.arguments import (
    Floats,
    checked_covariance,
    held_values,
    level_of,
    nonnegative,
    number,
    series,
    table,
)


class Contributions(NamedTuple):
    """A portfolio's risk and its parts.

    Attributes
    ----------
    total : float
        Loss, positive, in the unit of the values.
    marginal : ndarray of float64, shape (n_assets,)
        Change of the total per unit of value added.
    component : ndarray of float64, shape (n_assets,)
        Part of each asset; the parts sum to the total.
    """

    total: float
    marginal: Floats
    component: Floats


def historical_var(returns: npt.ArrayLike, level: float = 0.95) -> float:
    """Return the loss that is not passed in a share `level` of past periods.

    Parameters
    ----------
    returns : array_like, shape (n,)
        Returns or profits of equal periods; NaN is left out.
    level : float
        Between 0 and 1.

    Returns
    -------
    float
        Loss, positive; the quantile between two periods is interpolated. NaN without returns.

    Examples
    --------
    >>> historical_var([-0.04, -0.02, 0.0, 0.01, 0.03], 0.75)
    0.02
    """
    values, level = series("returns", returns), level_of(level)
    return float("nan") if not len(values) else -float(np.quantile(values, 1.0 - level))


def historical_shortfall(returns: npt.ArrayLike, level: float = 0.95) -> float:
    """Return the mean loss of the worst share ``1 - level`` of past periods.

    The period at the edge counts with the share of it that belongs to the tail, so the measure
    is coherent for any number of periods.

    Parameters
    ----------
    returns : array_like, shape (n,)
    level : float

    Examples
    --------
    >>> round(historical_shortfall([-0.04, -0.02, 0.0, 0.01, 0.03], 0.7), 6)
    0.033333
    """
    values, level = np.sort(series("returns", returns)), level_of(level)
    if not len(values):
        return float("nan")
    return -float(np.dot(values, _tail_weights(len(values), level)))


def normal_var(mean: float, deviation: float, level: float = 0.95) -> float:
    """Return value at risk of a normal profit with that mean and standard deviation."""
    quantile = NormalDist().inv_cdf(level_of(level))
    return nonnegative("deviation", deviation) * quantile - number("mean", mean)


def normal_shortfall(mean: float, deviation: float, level: float = 0.95) -> float:
    """Return expected shortfall of a normal profit with that mean and standard deviation."""
    tail = _normal_tail(level_of(level))
    return nonnegative("deviation", deviation) * tail - number("mean", mean)


def portfolio_var(
    values: npt.ArrayLike, covariance: npt.ArrayLike, level: float = 0.95
) -> Contributions:
    """Return a portfolio's value at risk under normal returns with mean zero.

    Parameters
    ----------
    values : array_like, shape (n_assets,)
        Signed value held of each asset.
    covariance : array_like, shape (n_assets, n_assets)
        Of the assets' returns over the horizon.
    level : float

    Returns
    -------
    Contributions

    Raises
    ------
    ConfigError
        If the shapes do not fit, a value is not finite, or the covariance is not symmetric or has
        a negative variance, of an asset or of these holdings.
    """
    return _elliptic(values, covariance, NormalDist().inv_cdf(level_of(level)))


def portfolio_shortfall(
    values: npt.ArrayLike, covariance: npt.ArrayLike, level: float = 0.95
) -> Contributions:
    """Return a portfolio's expected shortfall under normal returns with mean zero."""
    return _elliptic(values, covariance, _normal_tail(level_of(level)))


def historical_contributions(
    values: npt.ArrayLike, returns: npt.ArrayLike, level: float = 0.95
) -> Contributions:
    """Return a portfolio's historical expected shortfall and each asset's part of it.

    Parameters
    ----------
    values : array_like, shape (n_assets,)
        Signed value held.
    returns : array_like, shape (n_periods, n_assets)
        The assets' returns in the same periods; no NaN.
    level : float

    Returns
    -------
    Contributions
        Marginals are the assets' mean losses in the portfolio's worst periods.
    """
    held, level = held_values(values), level_of(level)
    rows = table("returns", returns, len(held))
    if not len(rows):
        raise ConfigError("there are no returns", remedy="Give one period at least")
    if not np.isfinite(rows).all():
        raise ConfigError("returns hold NaN or infinity", remedy="Drop or fill these periods")
    order = np.argsort(rows @ held, kind="stable")
    marginal = -(_tail_weights(len(rows), level) @ rows[order])
    component = held * marginal
    return Contributions(float(component.sum()), marginal, component)


def _elliptic(values: npt.ArrayLike, covariance: npt.ArrayLike, factor: float) -> Contributions:
    """Risk of `factor` standard deviations, split by Euler's rule."""
    held, matrix = held_values(values), checked_covariance(covariance)
    if held.shape != matrix.shape[:1]:
        raise ConfigError(f"{held.shape[0]} values do not fit a covariance of {matrix.shape}")
    spread = matrix @ held
    variance = float(held @ spread)
    if variance < -1e-9 * float(np.abs(held) @ np.abs(matrix) @ np.abs(held)):
        # No returns have such a covariance, and risk of nothing would be the wrong answer.
        raise ConfigError(f"the covariance gives these holdings a variance of {variance:g}")
    deviation = sqrt(max(0.0, variance))
    if deviation == 0.0:
        return Contributions(0.0, np.zeros_like(held), np.zeros_like(held))
    marginal = factor * spread / deviation
    return Contributions(factor * deviation, marginal, held * marginal)


def _tail_weights(n: int, level: float) -> Floats:
    """Weights of sorted periods in the mean of the worst ``1 - level``; they sum to 1."""
    size = n * (1.0 - level)
    return np.clip(size - np.arange(n), 0.0, 1.0) / size


def _normal_tail(level: float) -> float:
    """Mean of a standard normal beyond its quantile at `level`."""
    quantile = NormalDist().inv_cdf(level)
    return exp(-0.5 * quantile * quantile) / sqrt(2.0 * pi) / (1.0 - level)
