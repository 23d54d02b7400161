"""Rolling shape, quantiles and joint movement, against pandas, SciPy and hand-worked values."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats
from numpy.typing import NDArray

from pyrt.errors import ConfigError
from pyrt.indicators import COV, EWMCOV, EWMVAR, KURT, LINEARREG_R2, QUANTILE, REGRESSION, SKEW
from tests.indicators.series import SERIES, spiked, walk

BARS = walk(400)
X, Y = BARS["close"], BARS["high"] + np.sin(np.arange(400))
FIRST, SECOND = pd.Series(X), pd.Series(Y)


def windows(x: NDArray[np.float64], n: int) -> NDArray[np.float64]:
    """Return the last `n` values of each row that has them."""
    return np.lib.stride_tricks.sliding_window_view(x, n)


@pytest.mark.parametrize("n", [4, 5, 30, 101])
def test_skewness_and_kurtosis_equal_scipy(n: int) -> None:
    expected = scipy.stats.skew(windows(X, n), axis=1, bias=False)
    np.testing.assert_allclose(SKEW(n).batch(X)[n - 1 :], expected, rtol=1e-9, atol=1e-9)
    expected = scipy.stats.kurtosis(windows(X, n), axis=1, bias=False)
    np.testing.assert_allclose(KURT(n).batch(X)[n - 1 :], expected, rtol=1e-8, atol=1e-8)


def test_skewness_and_kurtosis_equal_pandas() -> None:
    rolling = FIRST.rolling(20)
    np.testing.assert_allclose(SKEW(20).batch(X), rolling.skew(), rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(KURT(20).batch(X), rolling.kurt(), rtol=1e-8, atol=1e-8)


def test_shape_of_what_does_not_vary() -> None:
    assert np.all(SKEW(7).batch(np.full(30, 0.1))[6:] == 0.0)
    assert np.all(KURT(7).batch(np.full(30, 0.1))[6:] == -3.0)


def test_shape_by_hand() -> None:
    # 0, 0, 0, 4: mean 1, m2 = 3, m3 = 6, m4 = 21; g1 = 6 / 3^1.5, g2 = 21 / 9 - 3
    x = [0.0, 0.0, 0.0, 4.0]
    assert SKEW(4).batch(x)[3] == pytest.approx(np.sqrt(12) / 2 * 6 / 3**1.5)
    assert KURT(4).batch(x)[3] == pytest.approx(3 / 2 * (5 * (21 / 9) - 3 * 3))


@pytest.mark.parametrize("name", ["ticks", "spiked", "huge", "tiny"])
@pytest.mark.parametrize("q", [0.0, 0.1, 0.5, 0.73, 1.0])
def test_quantiles_equal_numpy(name: str, q: float) -> None:
    x = SERIES[name]()["close"]
    expected = np.quantile(windows(x, 17), q, axis=1)
    np.testing.assert_allclose(QUANTILE(17, q).batch(x)[16:], expected, rtol=1e-12)


def test_a_quantile_outside_0_to_1_is_refused() -> None:
    with pytest.raises(ConfigError, match="q is"):
        QUANTILE(10, 1.5)


def test_covariance_equals_pandas() -> None:
    np.testing.assert_allclose(COV(25).batch(X, Y), FIRST.rolling(25).cov(SECOND), rtol=1e-9)


def test_regression_equals_scipy() -> None:
    slope, intercept, share, residual = REGRESSION(30).batch(X, Y)
    for row in (29, 100, 257, 399):
        x, y = X[row - 29 : row + 1], Y[row - 29 : row + 1]
        line = scipy.stats.linregress(x, y)
        assert slope[row] == pytest.approx(line.slope, rel=1e-9)
        assert intercept[row] == pytest.approx(line.intercept, rel=1e-8)
        assert share[row] == pytest.approx(line.rvalue**2, rel=1e-9)
        assert residual[row] == pytest.approx(y[-1] - line.intercept - line.slope * x[-1], rel=1e-7)


def test_regression_on_a_flat_series_is_its_mean() -> None:
    slope, intercept, share, residual = REGRESSION(3).batch([5.0] * 4, [1.0, 2.0, 3.0, 7.0])
    assert (slope[3], share[3]) == (0.0, 0.0)
    assert (intercept[3], residual[3]) == (pytest.approx(4.0), pytest.approx(3.0))


def test_share_explained_by_the_line_in_time_equals_scipy() -> None:
    got = LINEARREG_R2(14).batch(X)
    for row in (13, 200, 399):
        line = scipy.stats.linregress(np.arange(14.0), X[row - 13 : row + 1])
        assert got[row] == pytest.approx(line.rvalue**2, rel=1e-9)
    assert LINEARREG_R2(5).batch(np.arange(20.0))[-1] == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("span", [2, 10, 60])
def test_fading_variance_and_covariance_equal_pandas(span: int) -> None:
    weighted = FIRST.ewm(span=span, min_periods=span)
    np.testing.assert_allclose(EWMVAR(span).batch(X), weighted.var(), rtol=1e-9)
    np.testing.assert_allclose(EWMCOV(span).batch(X, Y), weighted.cov(SECOND), rtol=1e-8)


@pytest.mark.parametrize("make", [SKEW, KURT, COV, REGRESSION, LINEARREG_R2])
def test_a_spike_that_has_left_leaves_nothing_behind(make: type) -> None:
    bars = spiked()
    columns = [bars["close"], bars["high"]][: len(make().inputs)]
    whole = make(20).batch(*columns)
    fresh = make(20).batch(*[c[201:] for c in columns])
    for a, b in zip(np.atleast_2d(whole), np.atleast_2d(fresh)):
        np.testing.assert_allclose(a[201 + 19 :], b[19:], rtol=1e-7, atol=1e-9)
