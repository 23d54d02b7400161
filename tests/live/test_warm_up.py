"""What is attached in a live node knows the past: it says what it says in a backtest."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy, backtest
from pyrt.adapters.alpaca.core.events import BarEvent, TradeEvent
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.core.instruments import equity
from pyrt.core.times import timestamp_ns
from pyrt.indicators import ATR, EMA, MACD, RSI, SMA, cross_above, output
from pyrt.live.calendars import sessions_around
from pyrt.live.core.node import COMPLETE_NS, NodeCore
from pyrt.live.plan import MINUTE, Policies
from pyrt.live.replay.replay import replay
from pyrt.risk.gate import BasicGate
from pyrt.testing.files import MemoryFiles
from tests.live.cores import Wire
from tests.live.strategies import walk
from tests.live.whole import SECOND, Node, World

BEFORE = 150


class Knowing(Strategy):
    """Notes what its indicators say and at which bars its conditions are true."""

    def on_start(self) -> None:
        minutes = self.subscribe_bars("SPY", "1m")
        fives = self.subscribe_bars("SPY", "5m")
        self.watched = [
            self.attach(SMA(60), minutes),
            self.attach(EMA(9).of(RSI(14)), minutes),
            self.attach((EMA(5) - EMA(20)) / ATR(10), minutes),
            self.attach(SMA(12), fives),
        ]
        macd = self.attach(MACD(), minutes)
        self.heard: list[Any] = []
        crossed = cross_above(macd, output(macd, "macdsignal"))
        self.when(crossed, lambda bar: self.heard.append((bar.ts_event, "crossed")))

    def on_bar(self, bar: Any) -> None:
        values = [indicator.value for indicator in self.watched]
        assert all(indicator.ready for indicator in self.watched)
        self.heard.append((bar.timeframe, bar.ts_event, *values))


class Frames(Strategy):
    """Hears bars of four timeframes, with an average over those of each."""

    def on_start(self) -> None:
        self.heard: list[tuple[str, int]] = []
        self.averages = {
            timeframe: self.attach(SMA(1), self.subscribe_bars("SPY", timeframe))
            for timeframe in ("1m", "5m", "1h", "1d")
        }

    def on_bar(self, bar: Any) -> None:
        self.heard.append((bar.timeframe, bar.ts_event))


def started(at: int) -> tuple[NodeCore, Frames]:
    """Return a core on the wall's clock that has started at `at`, and its strategy."""
    strategy = Frames()
    core = NodeCore(Wire(), BasicGate(), [equity("SPY")], [strategy], cash=1e5, prefix="t-")
    core.kernel.grace_ns = 5 * SECOND
    core.kernel.sessions = sessions_around(at)
    core.start(at)
    core.take(at + SECOND, [])
    return core, strategy


def minutes(start: int, end: int) -> list[BarEvent]:
    """Return a flat bar of every minute of a span."""
    flat = (100.0, 101.0, 99.0, 100.0, 10.0)
    return [BarEvent("SPY", m, m + MINUTE, flat) for m in range(start, end, MINUTE)]


@pytest.mark.parametrize("silent", [0, 7], ids=["to_the_close", "nobody_trades_at_the_close"])
def test_what_was_made_of_yesterdays_bars_is_not_heard_in_the_morning(silent: int) -> None:
    morning = timestamp_ns("2026-11-24T13:00:00Z")
    opens, closes = (timestamp_ns(f"2026-11-23T{t}:00Z") for t in ("14:30", "21:00"))
    core, strategy = started(morning)
    core.warm("SPY", minutes(opens, closes - silent * MINUTE), asked_at=morning)
    assert all(average.ready for average in strategy.averages.values())
    core.take(morning + 2 * SECOND, [])
    assert strategy.heard == []
    assert core.inputs.next_timer is None


def test_what_ends_after_the_start_is_made_of_past_bars_too_and_heard() -> None:
    opens = timestamp_ns("2026-11-24T14:30:00Z")
    at = opens + 33 * MINUTE + 10 * SECOND
    core, strategy = started(at)
    core.warm("SPY", minutes(opens, opens + 33 * MINUTE), asked_at=at)
    core.take(at, [])
    assert strategy.heard == []
    core.take(opens + 35 * MINUTE, minutes(opens + 33 * MINUTE, opens + 35 * MINUTE))
    for second in range(1, 6):
        assert strategy.heard[2:] == []
        core.take(opens + 35 * MINUTE + second * SECOND, [])
    assert strategy.heard[2:] == [("5m", opens + 35 * MINUTE)]


@pytest.mark.parametrize(
    ("back", "heard"),
    [("23T21:04", ["5m", "1h", "1d"]), ("23T21:29", ["5m", "1h", "1d"]), ("24T13:00", [])],
    ids=["soon", "within_half_an_hour", "in_the_morning"],
)
def test_what_was_over_long_before_a_run_goes_on_after_a_crash_is_not_heard(back, heard):
    opens, killed, closes, at = (
        timestamp_ns(f"2026-11-{t}:00Z") for t in ("23T14:30", "23T20:50", "23T21:00", back)
    )
    core, strategy = started(opens)
    for each in minutes(opens, killed):
        core.take(each.ts_close, [each])
    strategy.heard.clear()
    core.inputs.hold()
    core.take(at, [])
    core.inputs.release_timers()
    core.warm("SPY", minutes(killed, closes), asked_at=at)
    core.inputs.release_bars(at - COMPLETE_NS)
    assert (core.inputs.next_timer is None) is (heard == [])
    core.take(at + SECOND, [])
    assert strategy.heard == [(timeframe, closes) for timeframe in heard]
    assert all(average.ready for average in strategy.averages.values())


def test_a_bar_of_prints_from_before_a_crash_in_the_night_is_not_heard():
    class Prints(Strategy):
        def on_start(self) -> None:
            self.heard: list[int] = []
            self.subscribe_bars("SPY", "30s")

        def on_bar(self, bar: Any) -> None:
            self.heard.append(bar.ts_event)

    strategy, at, morning = (
        Prints(), timestamp_ns("2026-11-23T20:50:00Z"), timestamp_ns("2026-11-24T13:00:00Z")
    )  # fmt: skip
    core = NodeCore(Wire(), BasicGate(), [equity("SPY")], [strategy], cash=1e5, prefix="t-")
    core.kernel.grace_ns = 5 * SECOND
    core.start(at)
    core.take(at + SECOND, [TradeEvent("SPY", at + SECOND, 100.0, 1.0)])
    core.inputs.hold()
    core.take(morning, [])
    core.inputs.release_timers()
    core.inputs.release_bars(morning - COMPLETE_NS)
    core.take(morning + SECOND, [])
    assert strategy.heard == []


def warmed_up(run_id: str, files: MemoryFiles, strategy: Strategy, world: World) -> Node:
    """Return a node that has been warmed up with what was before."""
    policies = Policies(looks=1, warmup=100)
    node = Node(world, files, [strategy], run_id=run_id, policies=policies)
    node.start()
    return node


def begun(data: list[Any]) -> tuple[World, int]:
    """Return a world that begins after some bars of the data, and when."""
    start = int(data[0].ts_close[BEFORE])
    world = World(data)
    world.simulator = make_core(data, start=start)
    world.instants = world.simulator.instants()
    return world, start


def test_indicators_are_warm_at_the_first_live_bar_and_say_what_a_backtest_says() -> None:
    data = [walk(11, "SPY")]
    world, start = begun(data)
    lived = Knowing()
    node = warmed_up("warm", MemoryFiles(), lived, world)
    node.run()
    node.stop()
    tested = Knowing()
    backtest(tested, data, venue="alpaca", start=start, warmup=BEFORE + 1, progress=False)
    assert len(lived.heard) > 150
    assert any(event[1] == "crossed" for event in lived.heard)
    assert lived.heard == tested.heard


class Asking(Knowing):
    """Asks for past bars too, as soon as it has heard some."""

    def on_bar(self, bar: Any) -> None:
        super().on_bar(bar)
        if len(self.heard) == 20:
            self.request_history("SPY", "1m", BEFORE, self.on_past)

    def on_past(self, bars: list[Any]) -> None:
        self.heard.append(("past", *(bar.ts_event for bar in bars)))


def test_past_bars_beyond_what_a_record_holds_warm_up_and_come_back(monkeypatch: Any) -> None:
    monkeypatch.setattr("pyrt.live.driver.history.ROWS_MAX", 40)
    monkeypatch.setattr("pyrt.live.journal.log.PAYLOAD_MAX", 6_000)
    data = [walk(11, "SPY")]
    whole, killed, gone_on = Asking(), Asking(), Asking()
    files = MemoryFiles()
    node = warmed_up("whole", files, whole, begun(data)[0])
    node.run()
    node.stop()
    assert any(event[0] == "past" and len(event) == 1 + BEFORE for event in whole.heard)
    replayed = replay(files, [Asking()])
    assert replayed.is_exact, replayed.difference
    world = begun(data)[0]
    first = warmed_up("one", MemoryFiles(), killed, world)
    first.run(300)
    first.journal.commit()
    second = warmed_up("two", first.files, gone_on, world)
    assert second.alarms == []
    assert gone_on.heard == killed.heard
    second.run()
    assert gone_on.heard == whole.heard
