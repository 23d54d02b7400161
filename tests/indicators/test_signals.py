"""Conditions are true at the rows that a slow reading of their definition names."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from pyrt import Strategy
from pyrt.errors import ConfigError
from pyrt.indicators import (
    BBANDS,
    SMA,
    becomes,
    column,
    cross_above,
    cross_below,
    falling,
    holding,
    hysteresis,
    output,
    rising,
    within,
)
from tests.indicators.signal_runs import noting, run, true_rows, walk

SEEDS = (1, 2, 3)


def sma(values: Any, n: int) -> Any:
    return SMA(n).batch(values)


def rows_where(truth: Any) -> list[int]:
    return np.flatnonzero(truth).tolist()


def slow_cross(a: Any, b: Any) -> list[int]:
    """Row i where a passes from at or below b to above it; NaN anywhere says no."""
    found = []
    for i in range(1, len(a)):
        if any(np.isnan(x) for x in (a[i], b[i], a[i - 1], b[i - 1])):
            continue
        if a[i - 1] <= b[i - 1] and a[i] > b[i]:
            found.append(i)
    return found


@pytest.mark.parametrize("seed", SEEDS)
def test_cross_of_two_indicators_is_true_at_the_row_that_passes(seed: int) -> None:
    data = walk(600, seed)
    fast, slow = sma(data.close, 3), sma(data.close, 9)

    def make(s: Any, bars: Any) -> Any:
        return cross_above(s.attach(SMA(3), bars), s.attach(SMA(9), bars))

    found = true_rows(data, make)
    assert found == slow_cross(fast, slow)
    assert len(found) > 10


@pytest.mark.parametrize("seed", SEEDS)
def test_cross_below_is_the_mirror_image(seed: int) -> None:
    data = walk(600, seed)

    def make(s: Any, bars: Any) -> Any:
        return cross_below("close", s.attach(SMA(9), bars))

    found = true_rows(data, make)
    assert found == slow_cross(-data.close.to_numpy(), -sma(data.close, 9))
    assert len(found) > 10


def test_leaving_equality_upwards_is_a_cross() -> None:
    data = walk(5, 1)
    data["close"] = [99.0, 100.0, 101.0, 100.0, 101.0]
    data["high"], data["low"] = 120.0, 80.0
    assert true_rows(data, lambda s, bars: cross_above("close", 100)) == [2, 4]


def test_no_cross_comes_out_of_a_warm_up() -> None:
    data = walk(4, 1)
    data["close"] = [90.0, 90.0, 120.0, 150.0]
    data["high"], data["low"] = 160.0, 80.0
    # The average is defined from row 2 on, and above 95 at once: no row before to have passed from.
    assert true_rows(data, lambda s, bars: cross_above(s.attach(SMA(3), bars), 95)) == []


@pytest.mark.parametrize("sign", ["<", "<=", ">", ">="])
def test_comparisons_by_operator(sign: str) -> None:
    data = walk(400, 4, step=1)
    average = sma(data.close, 4)
    close = data.close.to_numpy()

    def make(s: Any, bars: Any) -> Any:
        a, b = s.attach(SMA(4), bars), column("close")
        return {"<": a < b, "<=": a <= b, ">": a > b, ">=": a >= b}[sign]

    truth = {
        "<": average < close,
        "<=": average <= close,
        ">": average > close,
        ">=": average >= close,
    }[sign]
    assert true_rows(data, make) == rows_where(truth)


def test_a_number_may_stand_on_either_side() -> None:
    data = walk(300, 5)
    expected = rows_where(sma(data.close, 4) > 100)
    left = true_rows(data, lambda s, bars: s.attach(SMA(4), bars) > 100)
    right = true_rows(data, lambda s, bars: 100 < s.attach(SMA(4), bars))  # noqa: SIM300
    assert left == right == expected
    assert expected


def test_the_denial_of_an_undefined_comparison_is_not_true() -> None:
    data = walk(300, 6)
    average, level = sma(data.close, 20), float(data.close.median())
    found = true_rows(data, lambda s, bars: ~(s.attach(SMA(20), bars) > level))
    assert found == rows_where(average <= level)
    assert found[0] >= 19


def test_or_is_true_where_one_side_is_though_the_other_is_undefined() -> None:
    data = walk(300, 7)
    close, average = data.close.to_numpy(), sma(data.close, 20)
    found = true_rows(
        data, lambda s, bars: (s.attach(SMA(20), bars) > 100) | (column("close") > 100)
    )
    assert found == rows_where((average > 100) | (close > 100))
    assert found[0] < 19


def test_a_memory_on_the_right_of_and_sees_every_event() -> None:
    data = walk(500, 8)
    close = data.close.to_numpy()
    crossed = set(slow_cross(close, np.full(len(close), 100.0)))
    odd = data.volume.to_numpy() > 4
    found = true_rows(data, lambda s, bars: (column("volume") > 4) & cross_above("close", 100))
    assert found == [i for i in range(len(close)) if odd[i] and i in crossed]
    assert found


@pytest.mark.parametrize("n", [1, 2, 4])
def test_rising_and_falling_count_steps_in_a_row(n: int) -> None:
    data = walk(500, 9)
    close = data.close.to_numpy()
    up = [i for i in range(n, 500) if all(close[i - k] > close[i - k - 1] for k in range(n))]
    down = [i for i in range(n, 500) if all(close[i - k] < close[i - k - 1] for k in range(n))]
    assert true_rows(data, lambda s, bars: rising("close", n)) == up
    assert true_rows(data, lambda s, bars: falling("close", n)) == down
    assert up
    assert down


def test_within_remembers_for_n_events_the_first_included() -> None:
    data = walk(500, 10)
    crossed = slow_cross(data.close.to_numpy(), np.full(500, 100.0))
    expected = [i for i in range(500) if any(0 <= i - row < 3 for row in crossed)]
    assert true_rows(data, lambda s, bars: within(cross_above("close", 100), 3)) == expected


def test_becomes_is_true_at_the_turn_only() -> None:
    data = walk(500, 11)
    above = data.close.to_numpy() > 100
    expected = [i for i in range(1, 500) if above[i] and not above[i - 1]]
    assert true_rows(data, lambda s, bars: becomes(column("close") > 100)) == expected
    assert expected


@pytest.mark.parametrize(("enter", "leave"), [(100.05, 99.95), (99.95, 100.05)])
def test_hysteresis_holds_between_its_levels(enter: float, leave: float) -> None:
    data = walk(800, 12)
    is_on, expected = False, []
    for i, x in enumerate(data.close):
        if (x >= enter) if enter > leave else (x <= enter):
            is_on = True
        elif (x <= leave) if enter > leave else (x >= leave):
            is_on = False
        if is_on:
            expected.append(i)
    found = true_rows(data, lambda s, bars: hysteresis("close", enter, leave))
    assert found == expected
    assert 0 < len(found) < 800


def test_an_output_by_name_is_read_not_owned() -> None:
    data = walk(500, 13)
    lower = BBANDS(20).batch(data.close)[2]
    name = BBANDS(20).outputs[2]

    def make(s: Any, bars: Any) -> Any:
        return column("close") < output(s.attach(BBANDS(20), bars), name)

    found = true_rows(data, make)
    assert found == rows_where(data.close.to_numpy() < lower)
    assert found


def test_a_condition_used_in_two_places_moves_on_once_an_event() -> None:
    data = walk(500, 14)
    crossed = slow_cross(data.close.to_numpy(), np.full(500, 100.0))

    def make(s: Any, bars: Any) -> Any:
        cross = cross_above("close", 100)
        return cross & ~(cross & (column("close") < 0))

    assert true_rows(data, make) == crossed


def test_conditions_see_the_rows_before_start_and_call_nothing_there() -> None:
    data = walk(300, 15)
    whole = true_rows(data, lambda s, bars: within(cross_above("close", 100), 4))
    start = data.index[150]
    cut = noting(data, lambda s, bars: within(cross_above("close", 100), 4), start=start)
    first = int(start.value)
    times = noting(data, lambda s, bars: within(cross_above("close", 100), 4)).true_times
    assert cut.true_times == [ts for ts in times if ts >= first]
    assert 0 < len(cut.true_times) < len(whole)


def test_later_data_never_changes_what_was_true() -> None:
    data = walk(400, 16)

    def make(s: Any, bars: Any) -> Any:
        fast, slow = s.attach(SMA(3), bars), s.attach(SMA(9), bars)
        return within(cross_above(fast, slow), 2) | hysteresis("close", 100.1, 99.9)

    whole = true_rows(data, make)
    for rows in (57, 203, 399):
        assert true_rows(data.iloc[:rows], make) == [i for i in whole if i < rows]


class Order(Strategy):
    """Notes the order in which its handlers are called."""

    def on_start(self) -> None:
        bars = self.subscribe_bars("X", "1m")
        self.calls: list[str] = []
        self.when(column("close") > 0, lambda: self.calls.append("first"), stream=bars)
        self.when(column("close") > 0, lambda bar: self.calls.append("second"), stream=bars)

    def on_bar(self, bar: Any) -> None:
        self.calls.append("on_bar")


def test_conditions_come_in_the_order_given_and_before_on_bar() -> None:
    strategy = Order()
    run(strategy, walk(3, 1))
    assert strategy.calls == ["first", "second", "on_bar"] * 3


class Raising(Strategy):
    """Its handler lets an exception out."""

    def on_start(self) -> None:
        self.when(column("close") > 0, self.fail, stream=self.subscribe_bars("X", "1m"))

    def fail(self) -> None:
        raise ValueError("deliberate")


def test_an_exception_in_a_handler_names_strategy_and_handler() -> None:
    with pytest.raises(Exception, match=r"Raising\.fail raised ValueError: deliberate"):
        run(Raising(), walk(3, 1))


def expect_refusal(make: Any, match: str) -> None:
    with pytest.raises(Exception, match=match):
        true_rows(walk(5, 1), make)


def test_an_indicator_that_nothing_feeds_is_refused() -> None:
    expect_refusal(lambda s, bars: SMA(3) > 100, "which nothing feeds")


def test_a_column_the_stream_lacks_is_refused() -> None:
    expect_refusal(lambda s, bars: column("bid_price") > 1, "has no 'bid_price'")


def test_a_handler_with_two_arguments_is_refused() -> None:
    class Two(Strategy):
        def on_start(self) -> None:
            bars = self.subscribe_bars("X", "1m")
            self.when(column("close") > 0, lambda a, b: None, stream=bars)

    with pytest.raises(Exception, match="asks for 2 arguments"):
        run(Two(), walk(3, 1))


def test_without_indicators_the_stream_has_to_be_said() -> None:
    class Open(Strategy):
        def on_start(self) -> None:
            self.subscribe_bars("X", "1m")
            self.when(column("close") > 0, print)

    with pytest.raises(Exception, match="stream="):
        run(Open(), walk(3, 1))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: column("clsoe"),
        lambda: rising("close", 0),
        lambda: within(column("close") > 1, 1.5),
        lambda: hysteresis("close", 1.0, 1.0),
        lambda: cross_above("close", float("nan")),
        lambda: column("close") > True,
    ],
)
def test_a_mistake_in_a_condition_is_told_where_it_is_made(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        wrong()


def test_python_and_is_refused_since_it_would_drop_a_side() -> None:
    with pytest.raises(TypeError, match="combine with &"):
        bool(column("close") > 1)
    with pytest.raises(TypeError, match="combine with &"):
        _ = 1 < column("close") < 2


class Pyramid(Strategy):
    """Adds up to a limit, and takes all off with a gain; noting what it held when it acted."""

    def on_start(self) -> None:
        bars = self.subscribe_bars("X", "1m")
        self.held: list[float] = []
        self.gains: list[float] = []
        self.when(holding("X") < 30, self.add, stream=bars)
        self.when(holding("X", "unrealized_pnl_percent") > 0.2, self.leave, stream=bars)
        self.when(cross_above("close", holding("X", "average_price")), self.note, stream=bars)

    def add(self) -> None:
        self.held.append(self.position("X").quantity)
        self.buy("X", 10)

    def leave(self) -> None:
        self.gains.append(self.position("X").unrealized_pnl_percent)
        self.close("X")

    def note(self, bar: Any) -> None:
        assert bar.close > self.position("X").average_price


def test_numbers_of_the_position_are_read_as_the_handler_sees_them() -> None:
    strategy = Pyramid()
    run(strategy, walk(600, 3))
    assert set(strategy.held) == {0.0, 10.0, 20.0}
    assert strategy.gains
    assert min(strategy.gains) > 0.2


def test_a_number_positions_do_not_have_is_refused() -> None:
    with pytest.raises(ConfigError, match="positions have no 'profit'"):
        holding("X", "profit")
