"""Indicators over quotes and volume, against pandas, SciPy, slow twins and hand-worked tables."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from pyrt.indicators import (
    AMIHUD,
    BOOKIMBALANCE,
    BOOKRATIO,
    KYLELAMBDA,
    MICROPRICE,
    OFI,
    SPREAD,
    VPIN,
)
from tests.indicators.series import ticks
from tests.reference.indicators_twins import order_flow

RNG = np.random.default_rng(8)
BID = 100 + np.cumsum(RNG.integers(-1, 2, 300)) / 100
ASK = BID + RNG.integers(1, 4, 300) / 100
BIDS, ASKS = RNG.integers(0, 9, 300) * 100.0, RNG.integers(1, 9, 300) * 100.0
BARS = ticks(300)
CLOSE, VOLUME = BARS["close"], BARS["volume"]


def test_micro_price_leans_to_the_thin_side() -> None:
    # 300 bid at 10, 100 offered at 11: the offer is the thin side
    assert MICROPRICE().batch([10.0], [300.0], [11.0], [100.0])[0] == 10.75
    assert MICROPRICE().batch([10.0], [0.0], [11.0], [0.0])[0] == 10.5
    expected = (BID * ASKS + ASK * BIDS) / (BIDS + ASKS)
    np.testing.assert_allclose(MICROPRICE().batch(BID, BIDS, ASK, ASKS), expected, rtol=1e-14)


def test_book_imbalance_and_ratio_by_hand() -> None:
    sizes = [300.0, 100.0, 0.0, 0.0], [100.0, 300.0, 200.0, 0.0]
    price = [1.0] * 4
    assert BOOKIMBALANCE().batch(price, sizes[0], price, sizes[1]).tolist() == [0.5, -0.5, -1, 0]
    ratios = BOOKRATIO().batch(price, sizes[0], price, sizes[1])
    assert ratios.tolist() == pytest.approx([1 / 3, 1 / 3, 0, 0])


def test_spread_and_its_average_equal_pandas() -> None:
    now, average = SPREAD(50).batch(BID, BIDS, ASK, ASKS)
    assert np.array_equal(now[49:], (ASK - BID)[49:])
    np.testing.assert_allclose(average, pd.Series(ASK - BID).rolling(50).mean(), rtol=1e-12)


def test_order_flow_imbalance_by_hand() -> None:
    # bid improves with 5: +5; ask then grows from 4 to 6 at its price: -2; bid falls off: -5
    bid, bids = [10.0, 10.1, 10.1, 10.0], [3.0, 5.0, 5.0, 7.0]
    ask, asks = [10.2, 10.2, 10.2, 10.2], [4.0, 4.0, 6.0, 6.0]
    assert OFI(1).batch(bid, bids, ask, asks)[1:].tolist() == [5.0, -2.0, -5.0]
    assert OFI(3).batch(bid, bids, ask, asks)[3] == -2.0


def test_order_flow_imbalance_sums_what_each_quote_adds() -> None:
    expected = pd.Series(order_flow(BID, BIDS, ASK, ASKS)).rolling(10).sum()
    np.testing.assert_allclose(OFI(10).batch(BID, BIDS, ASK, ASKS), expected, atol=1e-9)


def test_kyles_lambda_is_the_slope_of_moves_on_signed_volume() -> None:
    moves = np.diff(CLOSE)
    signs = pd.Series(np.sign(moves)).replace(0, np.nan).ffill().fillna(0).to_numpy()
    signed = signs * VOLUME[1:]
    got = KYLELAMBDA(50).batch(CLOSE, VOLUME)
    for row in (50, 170, 299):
        line = scipy.stats.linregress(signed[row - 50 : row], moves[row - 50 : row])
        assert got[row] == pytest.approx(line.slope, rel=1e-8)


def test_amihud_is_the_mean_return_per_money() -> None:
    ratios = pd.Series(CLOSE).pct_change().abs() / (CLOSE * VOLUME)
    np.testing.assert_allclose(
        AMIHUD(20).batch(CLOSE, VOLUME), ratios.rolling(20).mean(), rtol=1e-9
    )
    # 10 % on 1100 and, without trade, a row that does not count
    assert AMIHUD(2).batch([10.0, 11.0, 12.0], [1.0, 100.0, 0.0])[2] == pytest.approx(0.1 / 1100)


def test_vpin_weighs_bulk_classified_volume() -> None:
    moves = pd.Series(CLOSE).diff()
    bought = scipy.stats.norm.cdf(moves / moves.rolling(30).std(ddof=0)) * VOLUME
    gap = pd.Series(np.abs(2 * bought - VOLUME)).rolling(40).sum()
    expected = gap / pd.Series(VOLUME).rolling(40).sum()
    got = VPIN(40, 30).batch(CLOSE, VOLUME)
    np.testing.assert_allclose(got, expected, rtol=1e-9)
    assert np.all((got[69:] >= 0) & (got[69:] <= 1))


def test_vpin_over_bars_of_equal_volume_by_hand() -> None:
    # Moves of 1, -1, 1, -1: one deviation each way, so 0.6827 of each bar is one-sided.
    got = VPIN(2, 2).batch([5.0, 6.0, 5.0, 6.0, 5.0], [10.0] * 5)
    assert got[4] == pytest.approx(0.682689492137, rel=1e-10)
