"""Value at risk and expected shortfall, of one series and of a portfolio, and who contributes."""

from __future__ import annotations

from math import exp, pi, sqrt
from statistics import NormalDist
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from pyrt.errors import ConfigError

Floats = npt.NDArray[np.float64]


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
    values = _series(returns)
    check_level(level)
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
    values = np.sort(_series(returns))
    check_level(level)
    if not len(values):
        return float("nan")
    return -float(np.dot(values, _tail_weights(len(values), level)))


def normal_var(mean: float, deviation: float, level: float = 0.95) -> float:
    """Return value at risk of a normal profit with that mean and standard deviation."""
    check_level(level)
    return deviation * NormalDist().inv_cdf(level) - mean


def normal_shortfall(mean: float, deviation: float, level: float = 0.95) -> float:
    """Return expected shortfall of a normal profit with that mean and standard deviation."""
    check_level(level)
    return deviation * _normal_tail(level) - mean


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
    check_level(level)
    return _elliptic(values, covariance, NormalDist().inv_cdf(level))


def portfolio_shortfall(
    values: npt.ArrayLike, covariance: npt.ArrayLike, level: float = 0.95
) -> Contributions:
    """Return a portfolio's expected shortfall under normal returns with mean zero."""
    check_level(level)
    return _elliptic(values, covariance, _normal_tail(level))


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
    held, table = held_values(values), np.asarray(returns, float)
    check_level(level)
    if table.ndim != 2 or table.shape[1:] != held.shape or not len(table):
        raise ConfigError(f"returns of shape {table.shape} do not fit {held.shape[0]} values")
    if not np.isfinite(table).all():
        raise ConfigError("returns hold NaN or infinity", remedy="Drop or fill these periods")
    order = np.argsort(table @ held, kind="stable")
    marginal = -(_tail_weights(len(table), level) @ table[order])
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


def held_values(values: npt.ArrayLike) -> Floats:
    """Return values held as an array; ConfigError unless it has one dimension and is finite."""
    held = np.asarray(values, float)
    if held.ndim != 1 or not np.isfinite(held).all():
        raise ConfigError(
            f"values held are {values!r:.80}; expected one finite number for each asset",
            remedy="A holding without a price has no risk that could be stated",
        )
    return held


def each(held: Floats, numbers: npt.ArrayLike, what: str) -> Floats:
    """Return one finite number for each holding; ConfigError where they do not fit."""
    found = np.asarray(numbers, float)
    if found.shape != held.shape or not np.isfinite(found).all():
        raise ConfigError(f"{what} are {numbers!r:.80}; expected {len(held)} finite numbers")
    return found


def checked_covariance(covariance: npt.ArrayLike) -> Floats:
    """Return a covariance as an array; ConfigError unless it is finite, square and symmetric."""
    matrix = np.asarray(covariance, float)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ConfigError(f"a covariance is square, not {matrix.shape}")
    if not np.isfinite(matrix).all() or not np.allclose(matrix, matrix.T):
        raise ConfigError("the covariance is not finite and symmetric")
    if (np.diag(matrix) < 0.0).any():
        raise ConfigError("the covariance has a negative variance")
    return matrix


def _series(returns: npt.ArrayLike) -> Floats:
    values: Floats = np.asarray(returns, float).ravel()
    known: Floats = values[~np.isnan(values)]
    return known


def check_level(level: float) -> None:
    """Refuse a level that is no share between 0 and 1."""
    if not 0.0 < level < 1.0:
        raise ConfigError(f"level is {level!r}; expected a share between 0 and 1, such as 0.95")


def _tail_weights(n: int, level: float) -> Floats:
    """Weights of sorted periods in the mean of the worst ``1 - level``; they sum to 1."""
    size = n * (1.0 - level)
    return np.clip(size - np.arange(n), 0.0, 1.0) / size


def _normal_tail(level: float) -> float:
    """Mean of a standard normal beyond its quantile at `level`."""
    quantile = NormalDist().inv_cdf(level)
    return exp(-0.5 * quantile * quantile) / sqrt(2.0 * pi) / (1.0 - level)
