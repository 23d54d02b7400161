"""Chains, arithmetic on indicators, and indicators written in Python."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from pyrt import Strategy
from pyrt.errors import ConfigError, DataError, StrategyError
from pyrt.indicators import ATR, EMA, MACD, RSI, SMA, PyIndicator
from tests.indicators.series import walk
from tests.indicators.signal_runs import run
from tests.indicators.signal_runs import walk as random_walk

BARS = walk(300)
X = BARS["close"]


class Midrange(PyIndicator):
    inputs = ("high", "low")

    def compute(self, high: float, low: float) -> float:
        return (high + low) / 2


class Streak(PyIndicator):
    """Rises in a row, once there are `least`."""

    def __init__(self, least: int) -> None:
        self.least = least
        self.count = 0
        self.last = np.inf

    def compute(self, value: float) -> float | None:
        self.count = self.count + 1 if value > self.last else 0
        self.last = value
        return self.count if self.count >= self.least else None


def streamed(indicator: object, *columns: NDArray[np.float64]) -> NDArray[np.float64]:
    values = []
    for row in zip(*[c.tolist() for c in columns]):
        indicator.update(*row)
        values.append(indicator.value)
    return np.array(values)


def test_a_chain_equals_one_indicator_after_the_other() -> None:
    chain = EMA(9).of(RSI(14))
    expected = EMA(9).batch(RSI(14).batch(X))
    assert chain.lookback == 22
    assert chain.inputs == ("value",)
    assert np.array_equal(chain.batch(X), expected, equal_nan=True)
    assert np.array_equal(streamed(chain, X), expected, equal_nan=True)
    assert chain.ready


def test_arithmetic_is_row_by_row() -> None:
    spread = (SMA(5) - SMA(20)) / SMA(20) * 100
    fast, slow = SMA(5).batch(X), SMA(20).batch(X)
    expected = (fast - slow) / slow * 100
    assert np.array_equal(spread.batch(X), expected, equal_nan=True)
    assert np.array_equal(streamed(spread, X), expected, equal_nan=True)
    assert spread.lookback == 19
    assert np.array_equal((1 - SMA(5)).batch(X), 1 - fast, equal_nan=True)
    assert np.array_equal((-SMA(5)).batch(X), 0 - fast, equal_nan=True)
    assert np.array_equal((2 / (1 + SMA(5))).batch(X), 2 / (1 + fast), equal_nan=True)


def test_an_indicator_that_occurs_twice_is_fed_once() -> None:
    average = SMA(5)
    ratio = (average - EMA(3)) / average
    expected = (SMA(5).batch(X) - EMA(3).batch(X)) / SMA(5).batch(X)
    assert np.array_equal(streamed(ratio, X), expected, equal_nan=True)
    assert average.value == SMA(5).batch(X)[-1]


def test_columns_of_different_indicators_are_joined_by_name() -> None:
    stop = SMA(20) - 2 * ATR(14)
    assert stop.inputs == ("value", "high", "low", "close")
    columns = [X, BARS["high"], BARS["low"], X]
    expected = SMA(20).batch(X) - 2 * ATR(14).batch(*columns[1:])
    assert np.array_equal(stop.batch(*columns), expected, equal_nan=True)
    assert np.array_equal(streamed(stop, *columns), expected, equal_nan=True)


def test_an_output_is_picked_by_name() -> None:
    smooth = EMA(3).of(MACD().output("macdhist"))
    expected = EMA(3).batch(MACD().batch(X)[2])
    assert np.array_equal(streamed(smooth, X), expected, equal_nan=True)
    with pytest.raises(ConfigError, match="macdhist"):
        MACD().output("histogram")


def test_reset_reaches_every_indicator_below() -> None:
    chain = EMA(9).of(SMA(3) + RSI(14))
    first = streamed(chain, X)
    chain.reset()
    assert not chain.ready
    assert np.array_equal(streamed(chain, X), first, equal_nan=True)


def test_an_indicator_of_several_columns_has_no_of() -> None:
    with pytest.raises(ConfigError, match="one series"):
        ATR(14).of(SMA(3))


def test_an_indicator_in_python_streams_and_batches() -> None:
    expected = (BARS["high"] + BARS["low"]) / 2
    assert np.array_equal(Midrange().batch(BARS["high"], BARS["low"]), expected)
    assert np.array_equal(streamed(Midrange(), BARS["high"], BARS["low"]), expected)


def test_state_of_an_indicator_in_python_lives_in_init() -> None:
    streak = Streak(2)
    assert streamed(streak, np.array([1.0, 2, 3, 4, 1, 2])).tolist()[2:4] == [2.0, 3.0]
    assert streak.ready
    streak.reset()
    assert not streak.ready
    batch = streak.batch([1, 2, 3, 0, 1, 2])
    assert batch[[2, 5]].tolist() == [2.0, 2.0]
    assert np.isnan(batch[[0, 1, 3, 4]]).all()
    assert not streak.ready


def test_indicators_in_python_take_part_in_chains() -> None:
    chain = EMA(3).of(Midrange())
    expected = EMA(3).batch((BARS["high"] + BARS["low"]) / 2)
    assert chain.inputs == ("high", "low")
    assert np.array_equal(streamed(chain, BARS["high"], BARS["low"]), expected, equal_nan=True)
    assert np.array_equal(chain.batch(BARS["high"], BARS["low"]), expected, equal_nan=True)


def test_a_gap_does_not_reach_compute() -> None:
    midrange = Midrange()
    midrange.update(np.nan, 1.0)
    assert np.isnan(midrange.value)
    assert not midrange.ready


def test_the_wrong_number_of_columns_is_refused() -> None:
    with pytest.raises(DataError, match="high"):
        Midrange().batch(X)
    with pytest.raises(TypeError, match="high"):
        Midrange().update(1.0)
    with pytest.raises(DataError, match="value"):
        (SMA(3) + 1).batch(X, X)


class Stretched(Strategy):
    """Notes an expression over the close and a bar's range, and one over the open."""

    def on_start(self) -> None:
        bars = self.subscribe_bars("X", "1m")
        self.stretch = self.attach((EMA(5) - EMA(15)) / ATR(10), bars)
        self.early = self.attach(SMA(3) - ATR(2), bars, input="open")
        self.found: list[tuple[float, float]] = []

    def on_bar(self, bar: Any) -> None:
        self.found.append((self.stretch.value, self.early.value))


def test_an_expression_over_several_columns_is_fed_by_a_stream() -> None:
    strategy, data = Stretched(), random_walk(60, 5)
    run(strategy, data)
    o, h, low, c = (data[name].to_numpy() for name in ("open", "high", "low", "close"))
    stretch = (EMA(5).batch(c) - EMA(15).batch(c)) / ATR(10).batch(h, low, c)
    early = SMA(3).batch(o) - ATR(2).batch(h, low, c)
    expected = np.column_stack((stretch, early))
    assert np.array_equal(np.array(strategy.found), expected, equal_nan=True)


class Doubled(Strategy):
    """Attaches what `prepare` is given, one after the other."""

    def prepare(self, *indicators: Any) -> Strategy:
        self.all = indicators
        return self

    def on_start(self) -> None:
        bars = self.subscribe_bars("X", "1m")
        for indicator in self.all:
            self.attach(indicator, bars)


FAST = SMA(3)
SLOW = SMA(5)
CHAINED = EMA(4)


@pytest.mark.parametrize(
    "indicators",
    [
        (FAST, FAST),
        (FAST, FAST - SLOW),
        (FAST - SLOW, SLOW),
        (FAST - SLOW, FAST / 2.0),
        (CHAINED.of(FAST), CHAINED),
        (1.0 + CHAINED.of(FAST), CHAINED),
    ],
)
def test_an_indicator_is_fed_by_one_alone(indicators: tuple[Any, ...]) -> None:
    with pytest.raises(StrategyError, match="is fed already, and would count each row twice"):
        run(Doubled().prepare(*indicators), random_walk(20, 1))


def test_indicators_of_their_own_are_fed_side_by_side() -> None:
    twice = SMA(3)
    run(Doubled().prepare(SMA(3), SMA(3), twice - EMA(3).of(twice), RSI(3)), random_walk(20, 1))
    assert twice.value == SMA(3).batch(random_walk(20, 1)["close"].to_numpy())[-1]
