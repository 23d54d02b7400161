"""Oscillators put together of several others, against TA-Lib, pandas-ta-classic and talipp."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandas_ta_classic as ta
import pytest
import talib
from talipp.indicators import KST as TalippKST

from pyrt.indicators import CRSI, FISHER, KST, KVO, PRESSURE, SQUEEZE
from tests.indicators.series import ticks, walk

BARS = walk(400)
HIGH, LOW, CLOSE, VOLUME = (BARS[name] for name in ("high", "low", "close", "volume"))
S = {name: pd.Series(BARS[name]) for name in BARS}


@pytest.mark.parametrize("close", [CLOSE, ticks(400)["close"]], ids=["walk", "ticks"])
def test_connors_rsi_is_the_mean_of_its_three_parts(close: np.ndarray) -> None:
    streak, streaks = 0, []
    for move in np.sign(np.diff(close, prepend=close[0])):
        streak = streak + move if streak * move > 0 else move
        streaks.append(streak)
    returns = pd.Series(close).pct_change()
    rank = returns.rolling(101).apply(lambda w: 100 * np.mean(w[:-1] < w[-1]), raw=True)
    first = talib.RSI(close, 3)
    second = talib.RSI(np.array(streaks, dtype=float), 2)
    expected = (first + second + rank) / 3
    np.testing.assert_allclose(CRSI().batch(close), expected, rtol=1e-9)


def test_kst_equals_talipp_and_weights_talibs_rates() -> None:
    parts = [talib.SMA(talib.ROC(CLOSE, a), b) for a, b in ((10, 10), (15, 10), (20, 10), (30, 15))]
    expected = sum((k + 1) * part for k, part in enumerate(parts))
    line, signal = KST().batch(CLOSE)
    ready = KST().lookback
    np.testing.assert_allclose(line[ready:], expected[ready:], rtol=1e-9, atol=1e-10)
    smooth = pd.Series(expected).rolling(9).mean()
    np.testing.assert_allclose(signal, smooth, rtol=1e-9, atol=1e-10)
    theirs = TalippKST(10, 10, 15, 10, 20, 10, 30, 15, 9, CLOSE.tolist())
    assert theirs[-1].kst == pytest.approx(line[-1], rel=1e-9)
    assert theirs[-1].signal == pytest.approx(signal[-1], rel=1e-9)


def test_fisher_equals_pandas_ta() -> None:
    expected = ta.fisher(S["high"], S["low"], length=9, signal=1)
    got = FISHER(9).batch(HIGH, LOW)
    for column, mine in enumerate(got):
        np.testing.assert_allclose(mine[9:], expected.iloc[9:, column], rtol=1e-9, atol=1e-12)


def test_squeeze_compares_bands_and_follows_the_line() -> None:
    upper, middle, _ = talib.BBANDS(CLOSE, 20, 2.0, 2.0)
    span = pd.Series(talib.TRANGE(HIGH, LOW, CLOSE)).rolling(20).mean().to_numpy()
    center = (talib.MAX(HIGH, 20) + talib.MIN(LOW, 20)) / 4 + middle / 2
    momentum, squeeze = SQUEEZE(20, 2.0, 1.5).batch(HIGH, LOW, CLOSE)
    expected = talib.LINEARREG(CLOSE - center, 20)
    np.testing.assert_allclose(momentum, expected, rtol=1e-8, atol=1e-9)
    assert np.array_equal(squeeze[38:], ((upper - middle) < 1.5 * span)[38:] * 1.0)
    assert 0 < np.mean(squeeze[38:]) < 1
    theirs = ta.squeeze(S["high"], S["low"], S["close"], lazybear=True)
    np.testing.assert_allclose(momentum[40:], theirs.iloc[40:, 0], rtol=1e-8, atol=1e-9)


def test_klinger_averages_signed_volume() -> None:
    moves = np.sign(np.diff((HIGH + LOW + CLOSE) / 3))
    signed = moves * VOLUME[1:]
    line = talib.EMA(signed, 34) - talib.EMA(signed, 55)
    got, smooth = KVO().batch(HIGH, LOW, CLOSE, VOLUME)
    ready = KVO().lookback
    np.testing.assert_allclose(got[ready:], line[ready - 1 :], rtol=1e-9, atol=1e-7)
    np.testing.assert_allclose(smooth[1:], talib.EMA(line, 13), rtol=1e-9, atol=1e-7)
    theirs = ta.kvo(S["high"], S["low"], S["close"], S["volume"])  # starts one row earlier
    np.testing.assert_allclose(got[-20:], theirs.iloc[-20:, 0], rtol=1e-3, atol=5.0)


def test_pressure_weighs_the_close_by_range_and_volume() -> None:
    ranges = np.concatenate(([np.nan], talib.EMA(talib.TRANGE(HIGH, LOW, CLOSE)[1:], 14)))
    lean = (2 * CLOSE - LOW - HIGH) / ranges * VOLUME / talib.EMA(VOLUME, 14)
    got, total = PRESSURE(14).batch(HIGH, LOW, CLOSE, VOLUME)
    np.testing.assert_allclose(got, lean, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(total[14:], np.cumsum(lean[14:]), rtol=1e-9, atol=1e-9)
