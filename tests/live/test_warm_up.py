"""What is attached in a live node knows the past: it says what it says in a backtest."""

from __future__ import annotations

from typing import Any

from pyrt import Strategy, backtest
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.indicators import ATR, EMA, MACD, RSI, SMA, cross_above, output
from pyrt.live.plan import Policies
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.whole import Node, World

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


def test_indicators_are_warm_at_the_first_live_bar_and_say_what_a_backtest_says() -> None:
    data = [walk(11, "SPY")]
    start = int(data[0].ts_close[BEFORE])
    world = World(data)
    world.simulator = make_core(data, start=start)
    world.instants = world.simulator.instants()
    lived = Knowing()
    node = Node(
        world, MemoryFiles(), [lived], run_id="warm", policies=Policies(looks=1, warmup=100)
    )
    node.start()
    node.run()
    node.stop()
    tested = Knowing()
    backtest(tested, data, venue="alpaca", start=start, warmup=BEFORE + 1, progress=False)
    assert len(lived.heard) > 150
    assert any(event[1] == "crossed" for event in lived.heard)
    assert lived.heard == tested.heard
