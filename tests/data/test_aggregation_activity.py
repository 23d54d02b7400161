"""Tick, volume, value, imbalance and runs bars: hand-worked tables, and the slow twin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.data.aggregation import Aggregator
from pyrt.data.aggregation_activity import ImbalanceBars, RunsBars, TickBars, ValueBars, VolumeBars
from pyrt.errors import ConfigError
from tests.reference import aggregation as slow

#       ts  price  size
PRINTS = [
    (1, 10.0, 30.0),
    (2, 11.0, 70.0),
    (3, 9.0, 150.0),
    (4, 10.0, 20.0),
    (5, 12.0, 10.0),
]


def feed(bars: Aggregator) -> list[tuple[Any, ...]]:
    ts, price, size = np.array(PRINTS).T
    rows: list[tuple[Any, ...]] = bars.batch_trades(ts, price, size).tolist()
    return rows


def test_tick_bars_count_trades() -> None:
    assert feed(TickBars(2)) == [
        (1, 2, 10.0, 11.0, 10.0, 11.0, 100.0, (300 + 770) / 100, 2),
        (3, 4, 9.0, 10.0, 9.0, 10.0, 170.0, (1350 + 200) / 170, 2),
    ]


def test_volume_bars_take_the_print_that_fills_them_whole() -> None:
    rows = feed(VolumeBars(120.0))
    assert [(r[0], r[1], r[6], r[8]) for r in rows] == [(1, 3, 250.0, 3)]  # no surplus kept


def test_a_volume_bar_is_complete_when_the_volume_is_just_reached() -> None:
    rows = feed(VolumeBars(100.0))
    assert [(r[0], r[1], r[6]) for r in rows] == [(1, 2, 100.0), (3, 3, 150.0)]


def test_value_bars_add_price_times_size() -> None:
    rows = feed(ValueBars(1350.0))  # 300, 1070, 2420 | 200, 320
    assert [(r[0], r[1], r[7]) for r in rows] == [(1, 3, 2420.0 / 250.0)]


def test_finish_completes_a_bar_below_its_threshold_and_starts_afresh() -> None:
    bars = VolumeBars(100.0)
    bars.update_trade(1, 10.0, 60.0)
    assert (bars.update_end(), bars.update_end()) == (1, 0)
    assert bars.update_trade(2, 10.0, 60.0) == 0
    assert bars.update_trade(3, 10.0, 60.0) == 1
    assert bars.bars["volume"].tolist() == [120.0]


def test_smaller_bars_count_whole() -> None:
    bars = VolumeBars(100.0)
    assert bars.update_bar(0, 60, 10.0, 12.0, 9.0, 11.0, 80.0) == 0
    assert bars.update_bar(60, 120, 11.0, 13.0, 10.0, 10.0, 40.0) == 1
    assert bars.bars[["ts_open", "ts_close", "high", "low", "close"]].tolist() == [
        (0, 120, 13.0, 9.0, 10.0)
    ]


def test_quotes_are_ticks_without_volume() -> None:
    rows = TickBars(2, quote_price="ask").batch_quotes([1, 2], [9.0, 10.0], [11.0, 12.0])
    assert rows[["open", "close", "volume", "count"]].tolist() == [(11.0, 12.0, 0.0, 2)]


# Imbalance: expected_ticks 4, span 1, so each bar's figures replace the averages.
#   sign by the tick rule:  0 + + -  | + + -  + +  + +
PATH = [10.0, 11.0, 12.0, 11.0, 12.0, 13.0, 12.0, 13.0, 14.0, 15.0]


def test_imbalance_bars_follow_the_hand_worked_table() -> None:
    bars = ImbalanceBars("tick", 4, span=1, ticks_min=1, ticks_max=100)
    done = [bars.update_trade(i, price, 1.0) for i, price in enumerate(PATH)]
    # bar 1: 4 ticks, imbalance 0+1+1-1 = 1, so E = 4 ticks x 1/4 = 1; the next tick (+1) reaches
    # it: 1 tick, imbalance 1, E = 1 x 1 = 1; so does every tick after.
    assert done == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1]
    assert (bars.expected_ticks, bars.expected_imbalance) == (1.0, 1.0)


def test_imbalance_bars_weigh_by_volume_and_take_the_aggressor_first() -> None:
    bars = ImbalanceBars("volume", 2, span=3, ticks_min=1, ticks_max=100)
    trades = [(10.0, 10.0, 1), (10.0, 20.0, -1), (10.0, 5.0, 1), (9.0, 30.0, 1), (9.0, 1.0, 1)]
    done = [bars.update_trade(i, *trade) for i, trade in enumerate(trades)]
    # bar 1: 10 - 20 = -10 over 2 ticks: E = 2 x |-5| = 10. Then 5 < 10; 5 + 30 = 35 >= 10:
    # bar 2 of 2 ticks, 17.5 a tick; alpha 1/2: E[sw] = -5 + (17.5 + 5) / 2 = 6.25; E = 12.5.
    assert done == [0, 1, 0, 1, 0]
    assert (bars.expected_ticks, bars.expected_imbalance, bars.imbalance) == (2.0, 6.25, 1.0)


def test_runs_bars_follow_the_hand_worked_table() -> None:
    bars = RunsBars("tick", 4, span=1, ticks_min=1, ticks_max=100)
    done = [bars.update_trade(i, price, 1.0) for i, price in enumerate(PATH)]
    # bar 1: bought 2, sold 1 of 4: E = 4 x 1/2 = 2. Ticks 4, 5 are up: bought 2 >= 2: bar 2 of
    # 2 ticks, bought 1 a tick: E = 2 x 1 = 2. Then - + + reaches 2: bar 3 of 3 ticks, 2/3.
    assert done == [0, 0, 0, 1, 0, 1, 0, 0, 1, 0]
    assert (bars.expected_ticks, bars.bought, bars.sold) == (3.0, 1.0, 0.0)
    assert (bars.expected_bought, bars.expected_sold) == (2 / 3, 1 / 3)


def test_bounds_on_ticks_hold_whatever_the_averages_say() -> None:
    bars = ImbalanceBars("tick", 4, span=1, ticks_min=3, ticks_max=5)
    rising = bars.batch_trades(range(40), np.arange(40.0) + 1, np.ones(40))
    assert rising["count"].min() >= 3
    flat = ImbalanceBars("tick", 4, span=1, ticks_min=1, ticks_max=5)
    flat.batch_trades(range(4), [1.0, 2.0, 3.0, 4.0], np.ones(4))  # E = 4 x 3/4, out of reach
    rows = flat.batch_trades(range(4, 10), [3.0, 4.0] * 3, np.ones(6))
    assert rows["count"][0] == 5


def test_finish_teaches_the_averages_nothing() -> None:
    bars = RunsBars("tick", 4, span=1)
    assert len(bars.batch_trades(range(5), [1.0, 2.0, 3.0, 4.0, 5.0], np.ones(5))) == 1
    before = (bars.expected_ticks, bars.expected_bought)
    assert bars.update_end() == 1
    assert (bars.expected_ticks, bars.expected_bought) == before
    assert (bars.bought, bars.sold) == (0.0, 0.0)


def test_information_bars_are_not_made_from_bars() -> None:
    with pytest.raises(TypeError, match="ImbalanceBars is not made from bars"):
        ImbalanceBars("tick", 4).update_bar(0, 60, 1.0, 1.0, 1.0, 1.0)


@pytest.mark.parametrize(
    "make",
    [
        lambda: TickBars(0),
        lambda: VolumeBars(-1.0),
        lambda: VolumeBars(float("nan")),
        lambda: ValueBars(float("inf")),
        lambda: ImbalanceBars("price", 10),
        lambda: ImbalanceBars("tick", 0),
        lambda: RunsBars("tick", 10, span=0),
        lambda: RunsBars("tick", 10, ticks_min=11),
        lambda: RunsBars("tick", 10, ticks_max=9),
    ],
)
def test_settings_that_make_no_sense_are_refused(make: Callable[[], Aggregator]) -> None:
    with pytest.raises(ConfigError):
        make()


# Beside the twin

PRICES = st.integers(1, 40).map(lambda n: n / 4)
SIZES = st.sampled_from([0.1, 1.0, 7.0, 100.0])
TRADES = st.lists(st.tuples(PRICES, SIZES, st.sampled_from([0, 0, 1, -1])), max_size=60)


def columns(trades: list[tuple[float, float, int]]) -> tuple[Any, ...]:
    prices, sizes, aggressors = (list(c) for c in zip(*trades)) if trades else ([], [], [])
    events = [slow.trade(i, p, s) for i, (p, s, _) in enumerate(trades)]
    return range(len(trades)), prices, sizes, aggressors, events


def same(fast: Any, twin: list[slow.Row]) -> bool:
    return repr(fast.tolist()) == repr([tuple(row) for row in twin])


@settings(deadline=None)
@given(TRADES, st.sampled_from(["tick", "volume", "value"]), st.integers(1, 300))
def test_threshold_bars_equal_the_twin(trades: Any, measure: str, threshold: int) -> None:
    ts, prices, sizes, aggressors, events = columns(trades)
    bars = {"tick": TickBars, "volume": VolumeBars, "value": ValueBars}[measure](threshold)
    fast = bars.batch_trades(ts, prices, sizes, aggressors)
    assert same(fast, slow.threshold_bars(measure, threshold, events))


@settings(deadline=None)
@given(
    TRADES,
    st.sampled_from(["imbalance", "runs"]),
    st.sampled_from(["tick", "volume", "value"]),
    st.integers(1, 8),
    st.integers(1, 5),
    st.integers(0, 2),
)
def test_signed_bars_equal_the_twin(
    trades: Any, kind: str, measure: str, ticks: int, span: int, slack: int
) -> None:
    ts, prices, sizes, aggressors, events = columns(trades)
    low, high = max(1, ticks - slack), ticks + 4 * slack
    make = ImbalanceBars if kind == "imbalance" else RunsBars
    bars = make(measure, ticks, span=span, ticks_min=low, ticks_max=high)
    fast = bars.batch_trades(ts, prices, sizes, aggressors)
    assert same(fast, slow.signed_bars(kind, measure, ticks, span, low, high, events, aggressors))
