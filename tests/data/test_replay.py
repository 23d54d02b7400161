"""Recorded data at the pace of a clock: a clock that the test turns."""

from __future__ import annotations

import pandas as pd
import pytest

from pyrt import BacktestEngine, backtest
from pyrt.data.replay import Pace, replay_speed
from pyrt.errors import ConfigError
from pyrt.strategy.strategy import Strategy

SECOND = 1_000_000_000


class Clock:
    """Time passes by sleeping alone."""

    def __init__(self) -> None:
        self.now = 5_000 * SECOND
        self.slept: list[float] = []

    def read(self) -> int:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += round(seconds * SECOND)


def test_gaps_are_the_datas_own_divided_by_the_speed():
    clock = Clock()
    pace = Pace(10, clock=clock.read, sleep=clock.sleep)
    let_through = []
    for second in (0, 1, 4, 4, 10):
        pace(1_700_000_000 * SECOND + second * SECOND)
        let_through.append((clock.now - 5_000 * SECOND) / SECOND)
    assert let_through == pytest.approx([0, 0.1, 0.4, 0.4, 1.0])
    assert max(pace.late_ns) == 0


def test_what_is_late_does_not_put_off_what_follows():
    clock = Clock()
    pace = Pace(1, clock=clock.read, sleep=clock.sleep)
    pace(0)
    clock.now += 3 * SECOND
    pace(1 * SECOND)
    pace(2 * SECOND)
    assert clock.slept == []
    pace(4 * SECOND)
    assert clock.slept == [1.0]
    assert pace.late_ns == [0, 2 * SECOND, 1 * SECOND, 0]


def test_a_long_wait_is_taken_in_pieces():
    clock = Clock()
    pace = Pace(1, clock=clock.read, sleep=clock.sleep)
    pace(0)
    pace(round(2.5 * SECOND))
    assert clock.slept == [1.0, 1.0, 0.5]


class Both(Strategy):
    def on_start(self):
        self.subscribe_bars("A", "1m")
        self.set_timer("half", "90s")
        self.seen = []

    def on_timer(self, event):
        self.seen.append(event.ts_event)

    def on_bar(self, bar):
        self.seen.append(bar.ts_event)
        if self.position("A").is_flat:
            self.buy("A", 1, limit_price=bar.close)
        else:
            self.close("A")


def table(count: int = 12) -> pd.DataFrame:
    index = pd.date_range("2024-01-02 15:00", periods=count, freq="1min", tz="UTC")
    # An hour without data: a gap that is kept.
    index = index[:6].append(index[6:] + pd.Timedelta("1h"))
    close = [100 + (row % 3) for row in range(count)]
    return pd.DataFrame(
        {"open": close, "high": [c + 1 for c in close], "low": [c - 1 for c in close],
         "close": close, "volume": 1000.0},
        index=index,
    )  # fmt: skip


def test_a_paced_run_is_the_same_run():
    def one(clock=None):
        engine = BacktestEngine(cash=10_000)
        engine.add_data(table(), symbol="A", label="open", timeframe="1m")
        strategy = engine.add_strategy(Both())
        if clock is not None:
            engine.pace = Pace(100, clock=clock.read, sleep=clock.sleep)
        return engine.run(), strategy, engine.pace

    clock = Clock()
    fast, free, _ = one()
    paced, held, pace = one(clock)
    assert paced.run_hash == fast.run_hash
    assert held.seen == free.seen
    # From the first instant to the last in data time, a hundredth of it on the clock.
    first = table().index[0].value + (60 * SECOND)
    last = table().index[-1].value + (60 * SECOND)
    assert clock.now - 5_000 * SECOND == pytest.approx((last - first) / 100, abs=SECOND)
    assert len(pace.late_ns) >= 12


def test_bars_that_only_warm_up_are_not_waited_for():
    clock = Clock()
    engine = BacktestEngine(cash=10_000, start="2024-01-02 16:00", warmup=6)
    engine.add_data(table(), symbol="A", label="open", timeframe="1m")
    engine.add_strategy(Both())
    engine.pace = Pace(1, clock=clock.read, sleep=clock.sleep)
    engine.run()
    # From the first timer, 16:01:30, to the last bar's close, 16:12; not from 15:01 on.
    assert sum(clock.slept) == pytest.approx(630)


def test_speeds_are_read_and_named():
    assert [replay_speed(v) for v in (1, "10x", "0.5", "100X")] == [1.0, 10.0, 0.5, 100.0]
    assert replay_speed(None) is replay_speed("max") is None
    for wrong in (0, -1, "fast", True, "0x"):
        with pytest.raises(ConfigError, match="speed is"):
            replay_speed(wrong)
    with pytest.raises(ConfigError, match="speed is 'fast'"):
        backtest(Both(), table(), speed="fast", symbol="A")
