"""History from the broker and results of slow work, live and replayed."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import ComputedEvent
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.whole import Node, World


def slow(close: float) -> float:
    if close < 0:
        raise ValueError("negative")
    return close * 2


class Asks(Strategy):
    """Trades on what it gets later."""

    broken: bool = False

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.bars = 0
        self.got: list[Any] = []
        self.results: list[float] = []

    def on_bar(self, bar):
        self.bars += 1
        if self.bars == 10:
            self.request_history("SPY", "1m", 4, self.on_history)
        if self.bars == 12:
            self.compute(slow, -1.0 if self.broken else bar.close, then=self.on_result)

    def on_history(self, bars):
        self.got = bars
        self.buy("SPY", 1)

    def on_result(self, value):
        self.results.append(value)
        self.buy("SPY", 2)


def run(strategy: Strategy, *, off_thread: bool) -> tuple[Node, MemoryFiles]:
    world, files = World([walk(2, "SPY", 30)]), MemoryFiles()
    node = Node(world, files, [strategy], run_id="one")
    asked: list[tuple[int, Any, Any]] = []
    if off_thread:
        node.driver.run_slow = lambda number, fn, args: asked.append((number, fn, args))
    node.start()
    while world.step < 3 * 30:
        node.run(3)
        for number, fn, args in asked:
            try:
                result = fn(*args)
            except Exception as error:
                result = error
            node.driver.take(world.now, [ComputedEvent(number, result)])
            node.settle(world.now)
        asked.clear()
    node.stop()
    return node, files


@pytest.mark.parametrize("off_thread", [True, False])
def test_history_and_results_come_to_their_handlers_and_replay(off_thread):
    strategy = Asks()
    _, files = run(strategy, off_thread=off_thread)
    assert len(strategy.got) == 4
    closes = {bar.ts_event for bar in strategy.got}
    assert len(closes) == 4
    assert all(bar.timeframe == "1m" and bar.symbol == "SPY" for bar in strategy.got)
    assert len(strategy.results) == 1
    assert strategy.position("SPY").quantity == 3
    if off_thread:
        again = Asks()
        result = replay(files, [again])
        assert result.is_exact, result.difference
        assert again.results == strategy.results


def test_slow_work_that_raises_stops_its_strategy():
    strategy = Asks(broken=True)
    node, _ = run(strategy, off_thread=True)
    assert not strategy.running
    assert "negative" in node.journal.state.stopped["Asks"]
