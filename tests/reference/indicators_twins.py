"""Slow, obvious twins of indicators: every output from a slice of the past, exact if need be."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]


def window_means(x: Array, n: int) -> list[float]:
    """Exact means of the last `n` values, rounded once."""
    return [
        float(sum(map(Fraction, x[i - n + 1 : i + 1].tolist())) / n) for i in range(n - 1, len(x))
    ]


def window_variances(x: Array, n: int) -> list[float]:
    """Exact variances, divided by `n`, rounded once."""
    result = []
    for i in range(n - 1, len(x)):
        values = [Fraction(v) for v in x[i - n + 1 : i + 1].tolist()]
        mean = sum(values) / n
        result.append(float(sum((v - mean) ** 2 for v in values) / n))
    return result


def window_slopes(x: Array, n: int) -> list[float]:
    """Exact least-squares slopes per row, rounded once."""
    result = []
    for i in range(n - 1, len(x)):
        values = [Fraction(v) for v in x[i - n + 1 : i + 1].tolist()]
        mean, middle = sum(values) / n, Fraction(n - 1, 2)
        above = sum((k - middle) * (v - mean) for k, v in enumerate(values))
        result.append(float(above / sum((k - middle) ** 2 for k in range(n))))
    return result


def weighted_means(x: Array, n: int) -> list[float]:
    """Exact means with weights 1 (oldest) to `n`, rounded once."""
    return [
        float(
            sum((k + 1) * Fraction(v) for k, v in enumerate(x[i - n + 1 : i + 1].tolist()))
            / Fraction(n * (n + 1), 2)
        )
        for i in range(n - 1, len(x))
    ]


def middles(high: Array, low: Array, n: int) -> Array:
    """Middle of the range of the last `n` bars, NaN before."""
    result = np.full(len(high), np.nan)
    for i in range(n - 1, len(high)):
        result[i] = (high[i - n + 1 : i + 1].max() + low[i - n + 1 : i + 1].min()) / 2
    return result


def volume_weighted(price: Array, volume: Array, n: int) -> tuple[Array, Array]:
    """Volume-weighted mean and deviation of the last `n` prices, NaN before."""
    mean, spread = np.full(len(price), np.nan), np.full(len(price), np.nan)
    for i in range(n - 1, len(price)):
        p, v = price[i - n + 1 : i + 1], volume[i - n + 1 : i + 1]
        mean[i] = np.average(p, weights=v)
        spread[i] = math.sqrt(np.average((p - mean[i]) ** 2, weights=v))
    return mean, spread


def rolling_root_mean(x: Array, n: int) -> Array:
    """Root of the mean of the last `n` values, NaN before."""
    result = np.full(len(x), np.nan)
    for i in range(n - 1, len(x)):
        result[i] = math.sqrt(math.fsum(x[i - n + 1 : i + 1]) / n)
    return result


def local_linear_trend(x: Array, level_noise: float, slope_noise: float) -> tuple[Array, Array]:
    """Level and slope of the Kalman filter in its textbook form, started from two values."""
    step = np.array([[1.0, 1.0], [0.0, 1.0]])
    seen = np.array([[1.0, 0.0]])
    noise = np.diag([level_noise, slope_noise])
    state = np.array([x[1], x[1] - x[0]])
    spread = np.array([[1.0, 1.0], [1.0, 2.0]])
    states = [np.full(2, np.nan), state]
    for value in x[2:]:
        state = step @ state
        spread = step @ spread @ step.T + noise
        gain = spread @ seen.T / (seen @ spread @ seen.T + 1.0)
        state = state + (gain * (value - seen @ state)).ravel()
        spread = (np.eye(2) - gain @ seen) @ spread
        states.append(state)
    levels, slopes = np.array(states).T
    return levels, slopes


def hurst_exponents(x: Array, n: int) -> Array:
    """Half the slope of log mean squared moves on log lags, from each window by itself."""
    lags = [lag for lag in (1, 2, 4, 8, 16, 32) if 4 * lag <= n]
    result = np.full(len(x), np.nan)
    for i in range(n - 1, len(x)):
        values = x[i - n + 1 : i + 1]
        squares = [np.mean((values[lag:] - values[:-lag]) ** 2) for lag in lags]
        result[i] = np.polyfit(np.log(lags), np.log(squares), 1)[0] / 2
    return result


def order_flow(bid: Array, bids: Array, ask: Array, asks: Array) -> Array:
    """Size added at the bid less at the ask, quote by quote; NaN for the first."""
    result = np.full(len(bid), np.nan)
    for i in range(1, len(bid)):
        bought = bids[i] if bid[i] > bid[i - 1] else -bids[i - 1]
        if bid[i] == bid[i - 1]:
            bought = bids[i] - bids[i - 1]
        sold = asks[i] if ask[i] < ask[i - 1] else -asks[i - 1]
        if ask[i] == ask[i - 1]:
            sold = asks[i] - asks[i - 1]
        result[i] = bought - sold
    return result
