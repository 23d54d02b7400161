"""Against exact arithmetic where TA-Lib loses digits, and after very many updates."""

from __future__ import annotations

import math

import numpy as np
import pytest
import talib

from pyrt.indicators import AD, CUMSUM, LINEARREG_SLOPE, OBV, SMA, STDDEV, SUM, VAR, WMA
from tests.indicators.series import spiked, walk
from tests.reference.indicators_twins import (
    weighted_means,
    window_means,
    window_slopes,
    window_variances,
)


@pytest.mark.parametrize("n", [2, 3, 7, 20, 31])
def test_window_means_are_exact_through_a_spike(n: int) -> None:
    x = spiked()["close"]
    np.testing.assert_allclose(SMA(n).batch(x)[n - 1 :], window_means(x, n), rtol=1e-14)
    np.testing.assert_allclose(WMA(n).batch(x)[n - 1 :], weighted_means(x, n), rtol=1e-14)


@pytest.mark.parametrize("level", [0.0, 1e4, 1e8])
@pytest.mark.parametrize("n", [2, 5, 20, 60])
def test_variance_and_slope_keep_their_digits_at_any_price_level(n: int, level: float) -> None:
    x = level + walk(300)["close"]
    x[150:] += 50.0  # a jump the shift has to follow
    np.testing.assert_allclose(VAR(n).batch(x)[n - 1 :], window_variances(x, n), rtol=1e-11)
    slopes = np.array(window_slopes(x, n))
    error = np.abs(LINEARREG_SLOPE(n).batch(x)[n - 1 :] - slopes)
    spread = np.sqrt(window_variances(x, n))
    assert np.all(error <= 1e-12 * spread)


def test_a_constant_series_has_no_variance_at_all() -> None:
    x = np.full(100, 0.1)
    assert np.all(STDDEV(7).batch(x)[6:] == 0.0)
    assert np.all(LINEARREG_SLOPE(7).batch(x)[6:] == 0.0)


def test_talib_is_the_one_that_is_off_after_a_spike() -> None:
    x = np.full(300, 0.1)
    x[100] = 1e10
    exact = window_means(x, 20)[-1]
    assert abs(talib.SMA(x, 20)[-1] - exact) > 1e-9 * exact
    assert SMA(20).batch(x)[-1] == pytest.approx(exact, rel=1e-15)


def test_a_window_sum_does_not_drift_over_ten_million_updates() -> None:
    x = np.random.default_rng(5).normal(0, 1, 10_000_000) * 1e3 + 1.0
    last = SUM(50).batch(x)[-1000:]
    fresh = [math.fsum(x[i - 49 : i + 1]) for i in range(len(x) - 1000, len(x))]
    size = [math.fsum(np.abs(x[i - 49 : i + 1])) for i in range(len(x) - 1000, len(x))]
    assert np.all(np.abs(last - fresh) <= 1e-14 * np.array(size))


def test_sums_over_everything_round_once() -> None:
    x = np.random.default_rng(6).normal(0, 1, 100_000)
    x[5] = 1e15
    x[6] = -1e15
    assert CUMSUM().batch(x)[-1] == pytest.approx(math.fsum(x), rel=1e-13)
    bars = walk(500)
    volume = bars["volume"]
    signs = np.sign(np.diff(bars["close"]))
    assert OBV().batch(bars["close"], volume)[-1] == volume[0] + np.sum(signs * volume[1:])
    high, low, close = bars["high"], bars["low"], bars["close"]
    parts = ((close - low) - (high - close)) / (high - low) * volume
    assert AD().batch(high, low, close, volume)[-1] == pytest.approx(math.fsum(parts), rel=1e-13)
