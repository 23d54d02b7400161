"""Range, Renko and Heikin-Ashi bars: hand-worked tables, and the slow twin."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.data.aggregation_price import HeikinAshiBars, RangeBars, RenkoBars
from pyrt.errors import ConfigError
from tests.reference import aggregation as slow

OHLC = ["open", "high", "low", "close"]


def test_a_range_bar_ends_with_the_trade_that_reaches_its_range() -> None:
    bars = RangeBars(0.1)
    prices = [100.2, 100.25, 100.3, 100.3, 100.5]  # 100.3 - 100.2 < 0.1 in binary
    done = [bars.update_trade(i, price, 1.0) for i, price in enumerate(prices)]
    assert done == [0, 0, 1, 0, 1]
    assert bars.bars[OHLC].tolist() == [(100.3, 100.5, 100.3, 100.5)]  # a jump: one higher bar


def test_range_bars_finish_with_what_is_under_way() -> None:
    bars = RangeBars(1.0)
    bars.update_trade(1, 10.0, 1.0)
    bars.update_trade(2, 10.5, 3.0)
    assert (bars.update_end(), bars.update_end()) == (1, 0)


def test_renko_bricks_follow_the_hand_worked_table() -> None:
    bars = RenkoBars(1.0)
    prices = [10.0, 10.9, 11.0, 10.1, 9.9, 9.0, 9.5, 11.0, 10.9]
    laid = []
    for i, price in enumerate(prices):
        if bars.update_trade(i, price, 2.0):
            laid += bars.bars[["ts_open", "ts_close", "open", "close", "volume"]].tolist()
    # 11.0 lays [10, 11] up; 9.0 is 2 below its top: [9, 10] down; 11.0 is 2 above its bottom.
    assert laid == [
        (0, 2, 10.0, 11.0, 6.0),
        (3, 5, 10.0, 9.0, 6.0),
        (6, 7, 10.0, 11.0, 4.0),
    ]


def test_a_jump_lays_several_bricks_and_gives_the_first_its_volume() -> None:
    bars = RenkoBars(0.1)
    bars.update_trade(1, 100.2, 5.0)
    assert bars.update_trade(2, 100.5, 7.0) == 3
    rows = bars.bars
    assert rows[["ts_open", "ts_close"]].tolist() == [(1, 2), (2, 2), (2, 2)]
    assert rows[["low", "high"]].tolist() == [(100.2, 100.3), (100.3, 100.4), (100.4, 100.5)]
    assert rows[["volume", "count"]].tolist() == [(12.0, 2), (0.0, 0), (0.0, 0)]
    assert np.isnan(rows["vwap"]).tolist() == [False, True, True]


def test_renko_bricks_from_bars_look_at_closes() -> None:
    bars = RenkoBars(1.0)
    assert bars.update_bar(0, 60, 10.0, 20.0, 5.0, 10.0, 1.0) == 0
    assert bars.update_bar(60, 120, 10.0, 20.0, 5.0, 12.5, 1.0) == 2
    assert bars.bars["ts_open"].tolist() == [0, 120]


def test_an_unfinished_brick_is_not_laid() -> None:
    bars = RenkoBars(1.0)
    bars.update_trade(1, 10.0, 1.0)
    assert bars.update_end() == 0


def test_a_price_off_the_grid_of_64_bits_changes_nothing() -> None:
    for bars in (RangeBars(1.0), RenkoBars(1.0)):
        bars.update_trade(1, 10.0, 1.0)
        for price in (1e11, float("nan")):
            with pytest.raises(OverflowError):
                bars.update_trade(2, price, 1.0)
        assert bars.update_trade(3, 11.0, 1.0) == 1
        assert bars.bars["count"].tolist() == [2]


@pytest.mark.parametrize("size", [0.0, -1.0, float("nan"), 1e-10])
@pytest.mark.parametrize("make", [RangeBars, RenkoBars])
def test_sizes_that_make_no_sense_are_refused(make: Any, size: float) -> None:
    with pytest.raises(ConfigError):
        make(size)


def test_heikin_ashi_follows_the_hand_worked_table() -> None:
    bars = HeikinAshiBars()
    rows = bars.batch_bars(
        [0, 60, 120],
        [60, 120, 180],
        [10.0, 12.0, 11.0],
        [14.0, 13.0, 11.5],
        [8.0, 11.0, 7.0],
        [12.0, 12.0, 8.5],
        [5.0, 6.0, 0.0],
    )
    assert rows[OHLC].tolist() == [
        (11.0, 14.0, 8.0, 11.0),  # open (10 + 12) / 2, close 44 / 4
        (11.0, 13.0, 11.0, 12.0),  # open (11 + 11) / 2, close 48 / 4
        (11.5, 11.5, 7.0, 9.5),  # open (11 + 12) / 2, close 38 / 4
    ]
    assert rows["ts_close"].tolist() == [60, 120, 180]
    assert rows["volume"].tolist() == [5.0, 6.0, 0.0]
    assert np.isnan(rows["vwap"][2])


def test_heikin_ashi_is_not_made_from_trades() -> None:
    with pytest.raises(TypeError, match="HeikinAshiBars is not made from trades"):
        HeikinAshiBars().update_trade(1, 10.0, 1.0)


# Beside the twin

PRICES = st.integers(1, 80).map(lambda n: n / 10)
TRADES = st.lists(st.tuples(PRICES, st.sampled_from([0.1, 1.0, 100.0])), max_size=60)
SIZES = st.sampled_from([0.1, 0.25, 0.3, 1.0])


def same(fast: Any, twin: list[slow.Row]) -> bool:
    return repr(fast.tolist()) == repr([tuple(row) for row in twin])


@settings(deadline=None)
@given(TRADES, SIZES)
def test_range_and_renko_bars_equal_the_twin(trades: Any, size: float) -> None:
    events = [slow.trade(i, *trade) for i, trade in enumerate(trades)]
    prices, sizes = [t[0] for t in trades], [t[1] for t in trades]
    table = (range(len(trades)), prices, sizes)
    assert same(RangeBars(size).batch_trades(*table), slow.range_bars(size, events))
    assert same(RenkoBars(size).batch_trades(*table), slow.renko_bars(size, events))


@settings(deadline=None)
@given(st.lists(st.tuples(PRICES, PRICES, PRICES, PRICES, st.sampled_from([0.0, 2.0]))))
def test_heikin_ashi_equals_the_twin(rows: Any) -> None:
    events = [
        slow.bar(60 * i, 60 * i + 60, o, max(o, c) + h, min(o, c) - lo / 100, c, v)
        for i, (o, h, lo, c, v) in enumerate(rows)
    ]
    columns = [[event[i] for event in events] for i in range(7)]
    fast = HeikinAshiBars().batch_bars(*columns)
    assert same(fast, slow.heikin_ashi_bars(events))
