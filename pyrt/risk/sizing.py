"""How much to hold: fixed fraction, volatility target, Kelly with a cap, equal risk."""

from __future__ import annotations

from math import sqrt

import numpy as np
import numpy.typing as npt

from pyrt.errors import ConfigError
from pyrt.risk.arguments import (
    Floats,
    checked_covariance,
    count_of,
    nonnegative,
    number,
    positive,
    share,
)


def fixed_fraction(equity: float, fraction: float, entry: float, stop: float) -> float:
    """Return the quantity that loses `fraction` of equity between entry and stop.

    Parameters
    ----------
    equity : float
    fraction : float
        Share of equity put at risk, from 0 to 1.
    entry, stop : float
        Prices; a stop above the entry sizes a short.

    Returns
    -------
    float
        Signed quantity, not rounded.

    Raises
    ------
    ConfigError
        If a number is not positive, or entry and stop are equal.

    Examples
    --------
    >>> fixed_fraction(100_000, 0.01, entry=50.0, stop=48.0)
    500.0
    """
    equity, fraction = positive("equity", equity), share("fraction", fraction)
    entry, stop = positive("entry", entry), positive("stop", stop)
    if entry == stop:
        raise ConfigError("entry and stop are equal, so nothing would be at risk")
    return equity * fraction / (entry - stop)


def volatility_target(
    equity: float, target: float, volatility: float, price: float, *, leverage_max: float = 1.0
) -> float:
    """Return the quantity whose yearly volatility is `target` of equity.

    Parameters
    ----------
    equity : float
    target, volatility : float
        Wanted of the equity and expected of the asset, both yearly, as shares.
    price : float
    leverage_max : float
        Largest position value over equity.

    Examples
    --------
    >>> volatility_target(100_000, target=0.1, volatility=0.4, price=50.0)
    500.0
    """
    ratio = nonnegative("target", target) / positive("volatility", volatility)
    largest = positive("leverage_max", leverage_max)
    return positive("equity", equity) * min(ratio, largest) / positive("price", price)


def kelly_fraction(mean: float, variance: float, *, cap: float = 0.5) -> float:
    """Return the share of equity that grows fastest, limited to ±`cap`.

    Parameters
    ----------
    mean, variance : float
        Of the asset's return over one period, above the risk-free rate.
    cap : float
        Largest share; estimates err, and twice the right share grows no more at all.

    Examples
    --------
    >>> kelly_fraction(0.001, 0.01), kelly_fraction(0.1, 0.01)
    (0.1, 0.5)
    """
    cap = positive("cap", cap)
    best = number("mean", mean) / positive("variance", variance)
    return float(np.clip(best, -cap, cap))


def kelly_bet(win_rate: float, payoff: float, *, cap: float = 0.5) -> float:
    """Return the share to bet at `win_rate` for `payoff` times the stake, from 0 to `cap`.

    Examples
    --------
    >>> round(kelly_bet(0.6, 1.0), 12), kelly_bet(0.4, 1.0)
    (0.2, 0.0)
    """
    cap, win_rate = positive("cap", cap), share("win_rate", win_rate)
    best = win_rate - (1.0 - win_rate) / positive("payoff", payoff)
    return float(np.clip(best, 0.0, cap))


def equal_risk_contribution(
    covariance: npt.ArrayLike, *, tolerance: float = 1e-10, rounds_max: int = 10_000
) -> Floats:
    """Return long-only weights with which every asset carries the same share of the variance.

    Each round solves every asset's own quadratic with the others held (cyclical coordinate
    descent on ``w'Cw / 2 - mean(log w)``, which is convex), so it converges for any positive
    definite covariance.

    Parameters
    ----------
    covariance : array_like, shape (n_assets, n_assets)
    tolerance : float
        Largest spread of the risk shares.
    rounds_max : int

    Returns
    -------
    ndarray of float64, shape (n_assets,)
        Positive, summing to 1.

    Raises
    ------
    ConfigError
        If a variance is 0, or the shares have not met after `rounds_max`.

    Examples
    --------
    >>> equal_risk_contribution([[0.04, 0.0], [0.0, 0.01]]).round(6).tolist()
    [0.333333, 0.666667]
    """
    tolerance, rounds = positive("tolerance", tolerance), count_of("rounds_max", rounds_max)
    matrix = checked_covariance(covariance)
    if not len(matrix):
        raise ConfigError("the covariance is of no assets", name="covariance")
    variances = np.diag(matrix)
    if not (variances > 0.0).all():
        raise ConfigError("an asset has no variance, so it cannot carry a share of the risk")
    budget = 1.0 / len(matrix)
    weights = budget / np.sqrt(variances)
    for _ in range(rounds):
        for i, variance in enumerate(variances):
            rest = float(matrix[i] @ weights) - variance * weights[i]
            weights[i] = (sqrt(rest * rest + 4.0 * variance * budget) - rest) / (2.0 * variance)
        parts = weights * (matrix @ weights)
        if np.ptp(parts / parts.sum()) <= tolerance:
            return np.asarray(weights / weights.sum())
    raise ConfigError(
        f"risk shares still differ after {rounds} rounds",
        remedy="Is the covariance positive definite?",
    )
