"""A target that leaves something held, beside an exit at Alpaca: both worlds, and over a crash."""

from __future__ import annotations

from typing import Any

from pyrt import Strategy
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.test_ways_out import killed
from tests.live.whole import PHASES, Node, World, policies
from tests.live.worlds import backtested, lived

HALVES_AT = 8


class Halves(Strategy):
    """Buys ten, guards them by a stop, and keeps four of them at its eighth bar."""

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.seen = 0
        self.stop: Any = None
        self.part: Any = None

    def on_bar(self, bar: Any) -> None:
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10)
        elif self.seen == 4:
            self.stop = self.sell("SPY", 10, stop_price=50)
        elif self.seen == HALVES_AT:
            self.part = self.target_position("SPY", 4)


def test_a_part_is_sold_alike() -> None:
    data = [bars([100.0, 101.0, 102.0, 101.0] * 4)]
    expected = backtested([Halves()], data)
    assert [side * int(size) for _, _, side, size, _, _ in expected.fills] == [10, -6]
    assert lived([Halves()], data, core=make_core(data, fees="alpaca")).differs_in(expected) == ""


def no_change(request: Any, answer: Any) -> Any:
    """Let no change arrive, and none be answered."""
    return None if request.method == "PATCH" else answer(request)


def test_a_part_that_waited_for_its_exit_at_a_crash_is_sold_after_all() -> None:
    """Nobody would ask for it again, and the exit may have become smaller already."""
    world = World([bars([100.0] * 30)])
    first = Node(world, MemoryFiles(), [Halves()], run_id="one", policies=policies("played"))
    first.on_request = no_change
    first.start()
    strategy = first.kernel.strategies[0]
    while strategy.seen < HALVES_AT:
        first.run(1)
    assert strategy.part.status == "INITIALIZED"
    second = Node(world, killed(first), [Halves()], run_id="two", policies=policies("played"))
    second.start()
    second.run(8 * PHASES)
    strategy = second.kernel.strategies[0]
    assert strategy.part.status == "FILLED"
    assert (strategy.stop.status, strategy.stop.quantity) == ("ACCEPTED", 4)
    assert strategy.position("SPY").quantity == 4
    second.stop()
    assert replay(second.files, [Halves()], run_id="two").is_exact
