"""Trend and turn indicators, against TA-Lib, pandas-ta-classic, talipp and hand-worked tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pandas_ta_classic as ta
import pytest
import talib
from talipp.indicators import ChandeKrollStop
from talipp.ohlcv import OHLCV

from pyrt.errors import ConfigError
from pyrt.indicators import (
    AMAT,
    BIAS,
    CHOP,
    CKSTOP,
    FUZZYCANDLE,
    KC,
    KPOS,
    PSL,
    SWINGS,
    VIDYA,
    VOLRATIO,
)
from tests.indicators.series import ticks, walk

BARS = walk(400)
OPEN, HIGH, LOW, CLOSE = (BARS[name] for name in ("open", "high", "low", "close"))
S = {name: pd.Series(BARS[name]) for name in BARS}


def test_choppiness_equals_pandas_ta() -> None:
    expected = ta.chop(S["high"], S["low"], S["close"], length=14)
    np.testing.assert_allclose(CHOP(14).batch(HIGH, LOW, CLOSE)[15:], expected[15:], rtol=1e-9)


def test_choppiness_by_hand() -> None:
    # Three bars straight up, each as long as its move: ranges 1, 1, 1 fill the range of 3.
    high, low, close = [1.0, 2.0, 3.0, 4.0], [0.0, 1.0, 2.0, 3.0], [1.0, 2.0, 3.0, 4.0]
    assert CHOP(3).batch(high, low, close)[3] == pytest.approx(0.0, abs=1e-12)


def test_psychological_line_equals_pandas_ta() -> None:
    bars = ticks(300)
    expected = ta.psl(pd.Series(bars["close"]), length=12)
    np.testing.assert_allclose(PSL(12).batch(bars["close"])[12:], expected[12:], rtol=1e-12)


def test_bias_equals_pandas_ta() -> None:
    np.testing.assert_allclose(BIAS(26).batch(CLOSE), ta.bias(S["close"], length=26), atol=1e-12)


def test_vidya_equals_pandas_ta() -> None:
    np.testing.assert_allclose(VIDYA(14).batch(CLOSE), ta.vidya(S["close"], 14), rtol=1e-11)


def test_archer_trends_compare_averages_with_those_before() -> None:
    fast, slow = talib.EMA(CLOSE, 8), talib.EMA(CLOSE, 21)
    up, down = AMAT(8, 21, 2).batch(CLOSE)
    moved = slow[24:] != slow[22:-2]
    assert np.array_equal(up[24:], ((fast[24:] > fast[22:-2]) & moved) * 1.0)
    assert np.array_equal(down[24:], ((fast[24:] < fast[22:-2]) & moved) * 1.0)
    expected = ta.amat(S["close"], 8, 21, 2)
    assert np.array_equal(up[60:], expected.iloc[60:, 0].to_numpy())
    assert np.array_equal(down[60:], expected.iloc[60:, 1].to_numpy())


def test_volatility_ratio_is_slow_over_fast_average_range() -> None:
    ranges = pd.Series(talib.TRANGE(HIGH, LOW, CLOSE))
    expected = ranges.rolling(30).mean() / ranges.rolling(10).mean()
    np.testing.assert_allclose(VOLRATIO(10, 30).batch(HIGH, LOW, CLOSE), expected, rtol=1e-10)


def test_keltner_position_is_the_place_in_the_channel() -> None:
    upper, middle, _ = KC(20, 10, 2.0).batch(HIGH, LOW, CLOSE)
    expected = (CLOSE - middle) / (upper - middle)
    np.testing.assert_allclose(KPOS(20, 10, 2.0).batch(HIGH, LOW, CLOSE), expected, rtol=1e-12)


def test_chande_kroll_stops_hold_the_extremes_of_first_stops() -> None:
    high, low = S["high"].rolling(10).max(), S["low"].rolling(10).min()
    span = 1.5 * pd.Series(talib.ATR(HIGH, LOW, CLOSE, 10))
    long, short = CKSTOP(10, 1.5, 9).batch(HIGH, LOW, CLOSE)
    np.testing.assert_allclose(long, (high - span).rolling(9).max(), rtol=1e-12)
    np.testing.assert_allclose(short, (low + span).rolling(9).min(), rtol=1e-12)


def test_chande_kroll_stops_meet_talipp_once_its_average_range_has_converged() -> None:
    rows = [OHLCV(*row) for row in zip(OPEN.tolist(), HIGH.tolist(), LOW.tolist(), CLOSE.tolist())]
    theirs = ChandeKrollStop(10, 1.5, 9, rows)
    long, short = CKSTOP(10, 1.5, 9).batch(HIGH, LOW, CLOSE)
    for row in range(300, 400):
        assert theirs[row].short_stop == pytest.approx(long[row], rel=1e-9)
        assert theirs[row].long_stop == pytest.approx(short[row], rel=1e-9)


def test_swings_by_hand() -> None:
    # window of 3; bars 1 and 2 make highs, bar 4 the first low, bars 6 and 7 the next highs
    high = [10.0, 11.0, 12.0, 11.5, 10.5, 11.0, 11.8, 13.0]
    low = [9.0, 10.0, 11.0, 10.5, 9.5, 10.0, 10.9, 12.0]
    direction, top, bottom, length, duration = SWINGS(3).batch(high, low)
    assert direction[2:].tolist() == [1, 1, -1, -1, 1, 1]
    assert top[2:].tolist() == [12, 12, 12, 12, 11.8, 13]
    assert bottom[2:].tolist() == [9, 10, 9.5, 9.5, 9.5, 9.5]
    assert length[2:].tolist() == pytest.approx([3, 2, 2.5, 2.5, 2.3, 3.5])
    assert duration[2:].tolist() == [3, 4, 2, 3, 2, 3]


def test_fuzzy_candle_by_hand() -> None:
    # Three bars of range 1 and one of 5: mean 2, deviation 1.73, so it lies 1.73 deviations up.
    open_, close = [10.0, 10.5, 10.0, 10.5, 10.0], [10.5, 10.0, 10.5, 10.0, 10.0]
    high, low = [10.75, 10.75, 10.75, 10.75, 15.0], [9.75, 9.75, 9.75, 9.75, 10.0]
    got = FUZZYCANDLE(4).batch(open_, high, low, close)
    direction, size, body, upper, lower = (column[4] for column in got)
    # bodies 0.5 and then none; upper wicks 0.25 and then all of the bar; lower 0.25, then none
    assert (direction, size, body, upper, lower) == (0, 5, 0, 5, 0)
    direction, size, body, upper, lower = (
        column[3] for column in FUZZYCANDLE(4).batch(open_, high, low, close)
    )
    assert (direction, size, body, upper, lower) == (-1, 1, 1, 1, 1)  # nothing deviates


def test_fuzzy_candle_grades_follow_the_deviations() -> None:
    rows = FUZZYCANDLE(20).batch(OPEN, HIGH, LOW, CLOSE)
    spans = pd.Series(HIGH - LOW)
    z = (spans - spans.rolling(20).mean()) / spans.rolling(20).std(ddof=0)
    grades = 1 + np.sum([z > bound for bound in (-1, -0.5, 0.5, 1, 2)], axis=0)
    assert np.array_equal(rows[1][19:], grades[19:])
    assert np.array_equal(rows[0][19:], np.sign(CLOSE - OPEN)[19:])


def test_fuzzy_thresholds_have_to_rise() -> None:
    with pytest.raises(ConfigError, match="expected them to rise"):
        FUZZYCANDLE(10, 1.0, 1.0, 2.0)
