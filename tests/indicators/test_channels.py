"""Indicators TA-Lib does not have, against slow twins and hand-worked values."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest

from pyrt.indicators import (
    BIPOWERVOL,
    GARMANKLASS,
    ICHIMOKU,
    PARKINSON,
    REALIZEDVOL,
    ROGERSSATCHELL,
    RVWAP,
    YANGZHANG,
    ZSCORE,
)
from tests.indicators.series import walk
from tests.reference.indicators_twins import (
    middles,
    rolling_root_mean,
    volume_weighted,
    window_means,
    window_variances,
)

BARS = walk(300)
OPEN, HIGH, LOW, CLOSE = (BARS[name] for name in ("open", "high", "low", "close"))


def test_ichimoku_lines_are_middles_of_ranges_and_the_cloud_is_drawn_later() -> None:
    tenkan, kijun, a, b = ICHIMOKU().batch(HIGH, LOW)
    ready = 52 - 1 + 26
    np.testing.assert_array_equal(tenkan[ready:], middles(HIGH, LOW, 9)[ready:])
    np.testing.assert_array_equal(kijun[ready:], middles(HIGH, LOW, 26)[ready:])
    cloud = (middles(HIGH, LOW, 9) + middles(HIGH, LOW, 26)) / 2
    np.testing.assert_array_equal(a[ready:], cloud[ready - 26 : -26])
    np.testing.assert_array_equal(b[ready:], middles(HIGH, LOW, 52)[ready - 26 : -26])
    assert np.isnan(tenkan[:ready]).all()


def test_rolling_vwap_and_bands_weigh_by_volume() -> None:
    price = (HIGH + LOW + CLOSE) / 3
    mean, spread = volume_weighted(price, BARS["volume"], 20)
    vwap, upper, lower = RVWAP(20, 1.5).batch(HIGH, LOW, CLOSE, BARS["volume"])
    np.testing.assert_allclose(vwap, mean, rtol=1e-13)
    np.testing.assert_allclose(upper, mean + 1.5 * spread, rtol=1e-11)
    np.testing.assert_allclose(lower, mean - 1.5 * spread, rtol=1e-11)


def test_rolling_vwap_by_hand() -> None:
    # typical prices 10 and 20, volumes 1 and 3: mean 17.5, variance (7.5^2 + 3 * 2.5^2) / 4
    vwap, upper, _ = RVWAP(2, 1.0).batch([10, 20], [10, 20], [10, 20], [1, 3])
    assert vwap[1] == pytest.approx(17.5)
    assert upper[1] == pytest.approx(17.5 + math.sqrt(18.75))


def test_z_score_is_the_distance_from_the_mean_in_deviations() -> None:
    z = ZSCORE(20).batch(CLOSE)[19:]
    expected = (CLOSE[19:] - window_means(CLOSE, 20)) / np.sqrt(window_variances(CLOSE, 20))
    np.testing.assert_allclose(z, expected, rtol=1e-9, atol=1e-12)
    assert np.all(ZSCORE(5).batch(np.full(20, 0.1))[4:] == 0.0)


def test_parkinson_measures_the_range() -> None:
    expected = rolling_root_mean(np.log(HIGH / LOW) ** 2 / (4 * math.log(2)), 20)
    np.testing.assert_allclose(PARKINSON().batch(HIGH, LOW), expected, rtol=1e-12)
    assert PARKINSON(1).batch([math.e], [1.0])[0] == pytest.approx(1 / math.sqrt(4 * math.log(2)))


def test_garman_klass_takes_the_body_off_the_range() -> None:
    parts = np.log(HIGH / LOW) ** 2 / 2 - (2 * math.log(2) - 1) * np.log(CLOSE / OPEN) ** 2
    expected = rolling_root_mean(parts, 20)
    np.testing.assert_allclose(GARMANKLASS().batch(OPEN, HIGH, LOW, CLOSE), expected, rtol=1e-12)


def test_rogers_satchell_is_zero_for_a_bar_that_only_drifts() -> None:
    # open at the low, close at the high: all of the move is drift
    assert ROGERSSATCHELL(1).batch([1.0], [2.0], [1.0], [2.0])[0] == 0.0
    parts = np.log(HIGH / CLOSE) * np.log(HIGH / OPEN) + np.log(LOW / CLOSE) * np.log(LOW / OPEN)
    expected = rolling_root_mean(parts, 20)
    got = ROGERSSATCHELL().batch(OPEN, HIGH, LOW, CLOSE)
    np.testing.assert_allclose(got, expected, rtol=1e-12)


def test_yang_zhang_adds_gaps_bodies_and_what_is_free_of_drift() -> None:
    gaps = pd.Series(np.log(OPEN[1:] / CLOSE[:-1]))
    bodies = pd.Series(np.log(CLOSE / OPEN)[1:])
    k = 0.34 / (1.34 + 21 / 19)
    rest = pd.Series(ROGERSSATCHELL(20).batch(OPEN, HIGH, LOW, CLOSE)[1:] ** 2)
    total = gaps.rolling(20).var() + k * bodies.rolling(20).var() + (1 - k) * rest
    got = YANGZHANG(20).batch(OPEN, HIGH, LOW, CLOSE)
    np.testing.assert_allclose(got[20:], np.sqrt(total)[19:], rtol=1e-9)


def test_realized_volatility_is_the_root_mean_square_of_returns() -> None:
    returns = np.diff(np.log(CLOSE), prepend=np.nan)
    expected = rolling_root_mean(returns[1:] ** 2, 20)
    np.testing.assert_allclose(REALIZEDVOL(20).batch(CLOSE)[1:], expected, rtol=1e-11)
    assert REALIZEDVOL(2).batch([1.0, math.e, 1.0])[2] == pytest.approx(1.0)


def test_bipower_volatility_does_not_see_a_single_jump() -> None:
    sizes = np.abs(np.diff(np.log(CLOSE)))
    expected = rolling_root_mean(np.pi / 2 * sizes[1:] * sizes[:-1], 20)
    np.testing.assert_allclose(BIPOWERVOL(20).batch(CLOSE)[2:], expected, rtol=1e-11)
    still = np.full(30, 5.0)
    still[15:] = 10.0  # one return beside none on both sides
    assert BIPOWERVOL(20).batch(still)[-1] == 0.0
    assert REALIZEDVOL(20).batch(still)[-1] > 0.1
