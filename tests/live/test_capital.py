"""What a strategy calls its own, and what the account has made, are the same after a restart."""

from __future__ import annotations

import pytest

from pyrt import Strategy
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies

PRICES = [100.0] * 3 + [110.0] * 6 + [105.0] * 20


class Turns(Strategy):
    """Makes a profit with ten, then holds what is asked of it."""

    then: int = 0

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 2:
            self.buy("SPY", 10)
        elif self.seen == 4:
            self.close("SPY")
        elif self.seen == 6 and self.then > 0:
            self.buy("SPY", self.then)
        elif self.seen == 6 and self.then < 0:
            self.sell("SPY", -self.then)

    def on_save(self):
        return {"seen": self.seen}

    def on_load(self, state):
        self.seen = state["seen"]


def figures(node: Node) -> tuple[float, float, float]:
    metrics = node.kernel.portfolio.metrics()
    return node.kernel.strategies[0].equity, metrics["equity"], metrics["total_pnl"]


@pytest.mark.parametrize("then", [0, 15, -15])
@pytest.mark.parametrize("way", ["stopped", "saved", "played"])
def test_a_strategys_equity_is_the_same_after_a_restart(way: str, then: int) -> None:
    world = World([bars(PRICES)])
    used = policies("saved" if way == "stopped" else way)
    first = Node(world, MemoryFiles(), [Turns(then=then)], run_id="one", policies=used)
    first.start()
    first.run(12 * PHASES)
    before = figures(first)
    assert before[0] == pytest.approx(before[1])
    assert before[2] == pytest.approx(before[1] - 100_000)
    if way == "stopped":
        first.stop()
    files = first.files if way == "stopped" else first.crash()
    second = Node(world, files, [Turns(then=then)], run_id="two", policies=used)
    second.start()
    assert second.kernel.strategies[0].position("SPY").quantity == then
    assert figures(second) == pytest.approx(before)
    second.run(6 * PHASES)
    own, equity, profit = figures(second)
    assert own == pytest.approx(equity)
    assert profit == pytest.approx(equity - 100_000)
    second.stop()
    result = replay(second.files, [Turns(then=then)], run_id="two")
    assert result.is_exact, result.difference
