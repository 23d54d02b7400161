"""Performance statistics over plain arrays, each with its formula and its undefined cases.

Conventions, the same in every function:

- A return is a fraction: 0.01 is one percent.
- Sample standard deviations divide by n - 1 (``ddof=1``); the downside deviation divides by n.
- What is undefined (too few values, no dispersion, no losing day) is NaN, never an exception and
  never an arbitrary large number; what is infinite in the limit (profits without a loss) is inf.
- Inputs are finite. Returns end with the first day on which equity is not positive, because a
  return on capital that is not positive has no meaning.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Stamps = NDArray[np.int64]

NS_PER_SECOND = 1_000_000_000
SECONDS_PER_YEAR = 365.25 * 86_400.0
TAIL = 0.05


def simple_returns(values: Floats) -> Floats:
    """Return ``values[t] / values[t - 1] - 1``.

    Parameters
    ----------
    values : ndarray of float64, shape (n,)
        Equity or prices.

    Returns
    -------
    ndarray of float64, shape (m,)
        m = n - 1, or less: the series ends with the step that first reaches a value ≤ 0.
    """
    if len(values) < 2:
        return np.empty(0)
    ruined = np.flatnonzero(values <= 0.0)
    last = len(values) if len(ruined) == 0 else int(ruined[0]) + 1
    kept = values[:last]
    return np.asarray(kept[1:] / kept[:-1] - 1.0)


def total_return(initial: float, final: float) -> float:
    """Return ``final / initial - 1``; NaN unless `initial` is positive."""
    return final / initial - 1.0 if initial > 0.0 else math.nan


def annual_return(returns: Floats, periods_per_year: float) -> float:
    """Return the compound return scaled to a year of `periods_per_year` periods.

    ``prod(1 + r) ** (periods_per_year / n) - 1``, as in empyrical's ``annual_return``. NaN without
    returns or when more than everything was lost; -1 when exactly everything was.
    """
    if len(returns) == 0:
        return math.nan
    growth = float(np.prod(1.0 + returns))
    return _power(growth, periods_per_year / len(returns))


def cagr(initial: float, final: float, seconds: float) -> float:
    """Return the compound return scaled to a calendar year of 365.25 days, as in ffn.

    ``(final / initial) ** (1 / years) - 1``; NaN when no time passes or `initial` is not positive.
    """
    if seconds <= 0.0 or initial <= 0.0:
        return math.nan
    return _power(final / initial, SECONDS_PER_YEAR / seconds)


def volatility(returns: Floats, periods_per_year: float) -> float:
    """Return ``std(r, ddof=1) * sqrt(periods_per_year)``; NaN below two returns."""
    if len(returns) < 2:
        return math.nan
    return _deviation(returns) * math.sqrt(periods_per_year)


def period_rate(annual_rate: float, periods_per_year: float) -> float:
    """Return the rate of one period that compounds to `annual_rate` in a year."""
    return float((1.0 + annual_rate) ** (1.0 / periods_per_year) - 1.0)


def sharpe(returns: Floats, periods_per_year: float, risk_free: float = 0.0) -> float:
    """Return ``mean(r - f) / std(r - f, ddof=1) * sqrt(periods_per_year)`` (Sharpe 1994).

    Parameters
    ----------
    returns : ndarray of float64, shape (n,)
    periods_per_year : float
    risk_free : float
        Annual rate; f is its equivalent for one period.

    Returns
    -------
    float
        NaN below two returns or when all returns are equal.
    """
    if len(returns) < 2:
        return math.nan
    excess = returns - period_rate(risk_free, periods_per_year)
    return _ratio(float(np.mean(excess)), _deviation(excess)) * math.sqrt(periods_per_year)


def sortino(returns: Floats, periods_per_year: float, risk_free: float = 0.0) -> float:
    """Return ``mean(r - f) / sqrt(mean(min(r - f, 0) ** 2)) * sqrt(periods_per_year)``.

    The downside deviation is taken over all periods, not over the losing ones alone (Sortino and
    Price 1994; empyrical agrees). NaN below two returns or without a period below f.
    """
    if len(returns) < 2:
        return math.nan
    excess = returns - period_rate(risk_free, periods_per_year)
    downside = math.sqrt(float(np.mean(np.minimum(excess, 0.0) ** 2)))
    return _ratio(float(np.mean(excess)), downside) * math.sqrt(periods_per_year)


def drawdowns(values: Floats) -> Floats:
    """Return ``1 - values / running maximum``: 0 at a peak, above 1 when equity is negative.

    NaN where the running maximum is not positive.
    """
    if len(values) == 0:
        return np.empty(0)
    peak = np.maximum.accumulate(values)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(peak > 0.0, 1.0 - values / peak, np.nan)


def max_drawdown(values: Floats) -> float:
    """Return the largest drawdown as a positive fraction of its peak; NaN without values."""
    below = drawdowns(values)
    below = below[~np.isnan(below)]
    return float(np.max(below)) if len(below) else math.nan


def longest_drawdown(ts: Stamps, values: Floats) -> float:
    """Return the longest time from a peak to its recovery, in seconds.

    A drawdown not recovered counts to the last stamp. 0 when equity never falls below a peak; NaN
    without values.

    Parameters
    ----------
    ts : ndarray of int64, shape (n,)
        Nanoseconds, increasing.
    values : ndarray of float64, shape (n,)
    """
    if len(values) == 0:
        return math.nan
    under = values < np.maximum.accumulate(values)
    if not bool(np.any(under)):
        return 0.0
    edges = np.diff(np.concatenate(([False], under, [False])).astype(np.int8))
    peaks = np.flatnonzero(edges == 1) - 1
    recoveries = np.minimum(np.flatnonzero(edges == -1), len(ts) - 1)
    return float(np.max(ts[recoveries] - ts[peaks])) / NS_PER_SECOND


def calmar(yearly_return: float, deepest_drawdown: float) -> float:
    """Return annual return over maximum drawdown (Young 1991); NaN without a drawdown."""
    return _ratio(yearly_return, deepest_drawdown)


def value_at_risk(returns: Floats, tail: float = TAIL) -> float:
    """Return the loss exceeded in a share `tail` of the periods, historical method.

    ``-quantile(r, tail)`` with linear interpolation: positive is a loss. NaN without returns.
    """
    return -float(np.quantile(returns, tail)) if len(returns) else math.nan


def expected_shortfall(returns: Floats, tail: float = TAIL) -> float:
    """Return the mean loss of the worst ``floor(tail * (n - 1)) + 1`` periods; positive is a loss.

    The count is the one of empyrical's ``conditional_value_at_risk``. NaN without returns.
    """
    n = len(returns)
    if n == 0:
        return math.nan
    worst = int(tail * (n - 1)) + 1
    return -float(np.mean(np.partition(returns, worst - 1)[:worst]))


def tail_ratio(returns: Floats) -> float:
    """Return ``|quantile(r, 0.95)| / |quantile(r, 0.05)|``; NaN when the lower tail is zero."""
    if len(returns) == 0:
        return math.nan
    upper, lower = np.quantile(returns, (1.0 - TAIL, TAIL))
    return _ratio(abs(float(upper)), abs(float(lower)))


def skew(returns: Floats) -> float:
    """Return the bias-corrected sample skewness G1, as pandas' ``Series.skew``.

    ``sqrt(n (n - 1)) / (n - 2) * m3 / m2 ** 1.5`` with central moments m over n. NaN below three
    returns or when all are equal.
    """
    n = len(returns)
    if n < 3 or _deviation(returns) == 0.0:
        return math.nan
    centered = returns - np.mean(returns)
    second, third = float(np.mean(centered**2)), float(np.mean(centered**3))
    return math.sqrt(n * (n - 1.0)) / (n - 2.0) * _ratio(third, second**1.5)


def kurtosis(returns: Floats) -> float:
    """Return the bias-corrected excess kurtosis G2, as pandas' ``Series.kurt``: 0 for a normal.

    ``(n - 1) / ((n - 2)(n - 3)) * ((n + 1) m4 / m2 ** 2 - 3 (n - 1))``. NaN below four returns or
    when all are equal.
    """
    n = len(returns)
    if n < 4 or _deviation(returns) == 0.0:
        return math.nan
    centered = returns - np.mean(returns)
    second, fourth = float(np.mean(centered**2)), float(np.mean(centered**4))
    scaled = (n + 1.0) * _ratio(fourth, second**2) - 3.0 * (n - 1.0)
    return (n - 1.0) / ((n - 2.0) * (n - 3.0)) * scaled


def alpha_beta(
    returns: Floats, benchmark: Floats, periods_per_year: float, risk_free: float = 0.0
) -> tuple[float, float]:
    """Return Jensen's alpha, annual, and the beta of returns on a benchmark's.

    ``beta = cov(r, b) / var(b)``; ``alpha = (1 + mean(r - f - beta (b - f))) ** P - 1`` with P
    periods a year, as in empyrical.

    Parameters
    ----------
    returns, benchmark : ndarray of float64, shape (n,)
        Of the same periods.
    periods_per_year : float
    risk_free : float
        Annual rate.

    Returns
    -------
    tuple of float
        Both NaN below two periods or when the benchmark does not move.
    """
    if len(returns) < 2 or _deviation(benchmark) == 0.0:
        return math.nan, math.nan
    centered = benchmark - np.mean(benchmark)
    beta = _ratio(float(np.mean(centered * returns)), float(np.mean(centered**2)))
    free = period_rate(risk_free, periods_per_year)
    residual = float(np.mean(returns - free - beta * (benchmark - free)))
    return _power(1.0 + residual, periods_per_year), beta


def win_rate(pnl: Floats) -> float:
    """Return the share of round trips with a net profit; one that nets zero is not a win."""
    return float(np.mean(pnl > 0.0)) if len(pnl) else math.nan


def profit_factor(pnl: Floats) -> float:
    """Return the sum of profits over the sum of losses.

    inf with profits and no loss; NaN with neither.
    """
    gained, lost = float(np.sum(pnl[pnl > 0.0])), -float(np.sum(pnl[pnl < 0.0]))
    if lost == 0.0:
        return math.inf if gained > 0.0 else math.nan
    return gained / lost


def mean_where(values: Floats, chosen: NDArray[np.bool_]) -> float:
    """Return the mean of the chosen values; NaN when none is chosen."""
    return float(np.mean(values[chosen])) if bool(np.any(chosen)) else math.nan


def time_share(ts: Stamps, held: NDArray[np.bool_]) -> float:
    """Return the share of elapsed time in which a condition held.

    Each point speaks for the interval up to the next one; the last speaks for none.

    Parameters
    ----------
    ts : ndarray of int64, shape (n,)
        Nanoseconds, increasing.
    held : ndarray of bool, shape (n,)
    """
    return time_mean(ts, held.astype(np.float64))


def time_mean(ts: Stamps, values: Floats) -> float:
    """Return the mean of a step function weighted by time; NaN below two points."""
    if len(ts) < 2:
        return math.nan
    spans = np.diff(ts).astype(np.float64)
    return float(np.dot(spans, values[:-1]) / np.sum(spans))


def _deviation(values: Floats) -> float:
    """Sample standard deviation; exactly 0 for equal values, whose mean may be off by a bit."""
    if len(values) == 0 or float(np.max(values)) == float(np.min(values)):
        return 0.0
    return float(np.std(values, ddof=1))


def _ratio(numerator: float, denominator: float) -> float:
    return numerator / denominator if denominator > 0.0 else math.nan


def _power(growth: float, exponent: float) -> float:
    """``growth ** exponent - 1``: NaN for a negative base, inf where it overflows."""
    if growth < 0.0 or math.isnan(growth):
        return math.nan
    try:
        return float(growth**exponent - 1.0)
    except OverflowError:
        return math.inf
