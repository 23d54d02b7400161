"""Small models of a price, against matrix algebra, SciPy and hand-worked values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from pyrt.indicators import HALFLIFE, HURST, KALMAN
from tests.indicators.series import walk
from tests.reference.indicators_twins import hurst_exponents, local_linear_trend

X = walk(300)["close"]


@pytest.mark.parametrize(("level", "slope"), [(0.01, 0.0001), (1.0, 0.5), (0.0, 0.0)])
def test_kalman_equals_the_filter_in_matrices(level: float, slope: float) -> None:
    expected = local_linear_trend(X, level, slope)
    got = KALMAN(level, slope).batch(X)
    np.testing.assert_allclose(got[0][1:], expected[0][1:], rtol=1e-10)
    np.testing.assert_allclose(got[1][1:], expected[1][1:], rtol=1e-8, atol=1e-10)


def test_kalman_without_noise_is_the_least_squares_line() -> None:
    level, slope = KALMAN(0.0, 0.0).batch(X[:50])
    line = scipy.stats.linregress(np.arange(50.0), X[:50])
    assert slope[-1] == pytest.approx(line.slope, rel=1e-9)
    assert level[-1] == pytest.approx(line.intercept + 49 * line.slope, rel=1e-12)


def test_kalman_by_hand() -> None:
    # The line through 1, 2 says 3; the third value is 6. Without noise the filter is the
    # least-squares line through the three: slope 2.5, height 3 + 2.5 at the end.
    level, slope = KALMAN(0.0, 0.0).batch([1.0, 2.0, 6.0])
    assert slope.tolist()[1:] == pytest.approx([1.0, 2.5])
    assert level.tolist()[1:] == pytest.approx([2.0, 5.5])


def test_half_life_is_that_of_the_regression_of_moves_on_levels() -> None:
    rng = np.random.default_rng(4)
    x = [0.0]
    for shock in rng.normal(0, 1, 400):
        x.append(0.9 * x[-1] + shock)
    values = np.array(x)
    got = HALFLIFE(60).batch(values)
    for row in (60, 200, 400):
        before = values[row - 60 : row]
        slope = scipy.stats.linregress(before, values[row - 59 : row + 1] - before).slope
        assert got[row] == pytest.approx(-math.log(2) / slope, rel=1e-9)


def test_half_life_by_hand_and_of_what_does_not_turn_back() -> None:
    halving = HALFLIFE(4).batch([16.0, 8.0, 4.0, 2.0, 1.0])  # each move is -1/2 of the level
    assert halving[4] == pytest.approx(2 * math.log(2))
    assert HALFLIFE(4).batch(2.0 ** np.arange(6))[-1] == math.inf


@pytest.mark.parametrize("n", [8, 16, 100, 150])
def test_hurst_is_half_the_slope_of_squared_moves(n: int) -> None:
    got = HURST(n).batch(X)
    np.testing.assert_allclose(got, hurst_exponents(X, n), rtol=1e-9, atol=1e-12)


def test_hurst_of_a_line_is_1_and_of_a_saw_0() -> None:
    assert HURST(64).batch(np.arange(100.0))[-1] == pytest.approx(1.0)
    assert math.isnan(HURST(64).batch(np.full(100, 3.0))[-1])
    noise = np.random.default_rng(2).normal(0, 1, 5000)
    assert abs(HURST(4000).batch(noise)[-1]) < 0.05
    assert HURST(4000).batch(np.cumsum(noise))[-1] == pytest.approx(0.5, abs=0.05)
