"""Against exact arithmetic where TA-Lib loses digits, and after very many updates."""

from __future__ import annotations

import math
from collections import deque

import numpy as np
import pytest
import talib

from pyrt.indicators import (
    AD,
    ADOSC,
    CUMSUM,
    LINEARREG_SLOPE,
    NVI,
    OBV,
    PVI,
    PVT,
    SMA,
    STDDEV,
    SUM,
    VAR,
    VWAP,
    WAD,
    WMA,
)
from tests.indicators.series import columns_for, spiked, walk
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


@pytest.mark.nightly
@pytest.mark.parametrize("make", [SMA, WMA, STDDEV, LINEARREG_SLOPE])
def test_streamed_windows_do_not_drift_over_a_hundred_million_updates(make: type) -> None:
    rng = np.random.default_rng(8)
    x = 1e4 + np.cumsum(rng.normal(0, 0.5, 1_000_000))
    x[::99_991] *= 1e6  # what a running total would never get rid of
    streamed, fresh = make(), make()
    rows = x.tolist()
    for _ in range(100):
        deque(map(streamed.update, rows), maxlen=0)
    for row in rows[-1_000:]:
        fresh.update(row)
    assert streamed.value == pytest.approx(fresh.value, rel=1e-13)


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


def jumping(rows: int) -> dict[str, np.ndarray]:
    """Bars whose volume changes its scale at rows that no block of four or 256 ends at."""
    bars = walk(rows, 31)
    for row in (1, 2, 3, 5, 257, 262, 514, 515, 777, 1026):
        bars["volume"][row] *= 10.0**row if row < 6 else 1e7
        bars["close"][row] = bars["high"][row]
    return bars


@pytest.mark.parametrize("make", [AD, ADOSC, CUMSUM, NVI, OBV, PVI, PVT, VWAP, WAD])
def test_sums_over_everything_are_the_same_bits_row_by_row_and_by_the_column(make: type) -> None:
    bars = jumping(1_300)
    one = make()
    columns = columns_for(one.inputs, bars)
    if make is CUMSUM:
        columns = [bars["volume"]]
    whole = one.batch(*columns)
    streamed = []
    for row in zip(*(c.tolist() for c in columns), strict=True):
        one.update(*row)
        streamed.append(one.value)
    np.testing.assert_array_equal(np.array(streamed), whole)


def test_a_sum_over_everything_is_exact_at_every_row_through_jumps_of_scale() -> None:
    x = jumping(1_300)["volume"]
    x[400:420] *= -1.0
    found = CUMSUM().batch(x)
    exact = np.array([math.fsum(x[: i + 1]) for i in range(len(x))])
    np.testing.assert_allclose(found, exact, rtol=1e-15)


def test_on_balance_volume_and_its_like_follow_their_definitions_row_by_row() -> None:
    bars = walk(300, 37)
    close, volume = bars["close"].copy(), bars["volume"].copy()
    close[50:55] = close[50]
    volume[80:84] = volume[80]
    obv, nvi, pvi = [volume[0]], [1000.0], [1000.0]
    for i in range(1, len(close)):
        step = volume[i] if close[i] > close[i - 1] else -volume[i]
        obv.append(obv[-1] + (0.0 if close[i] == close[i - 1] else step))
        move = close[i] / close[i - 1] - 1.0
        nvi.append(nvi[-1] * (1.0 + (move if volume[i] < volume[i - 1] else 0.0)))
        pvi.append(pvi[-1] * (1.0 + (move if volume[i] > volume[i - 1] else 0.0)))
    np.testing.assert_array_equal(OBV().batch(close, volume), obv)
    np.testing.assert_allclose(NVI().batch(close, volume), nvi, rtol=1e-12)
    np.testing.assert_allclose(PVI().batch(close, volume), pvi, rtol=1e-12)
