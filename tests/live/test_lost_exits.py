"""A position that loses its exits, and not by our doing, is told; other ends of exits are not."""

from __future__ import annotations

import pytest

from pyrt import Strategy
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies

PRICES = [100.0] * 6 + [104.0] * 20


class Guarded(Strategy):
    """Holds ten, guarded by a pair; `goal` is where it takes its profit."""

    goal: float = 150.0
    guards_anew: bool = False
    lets_go: bool = False

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        if self.seen == 1:
            self.buy("SPY", 10, stop_loss=90, take_profit=self.goal)
        elif self.lets_go and self.seen == 4:
            for order in self.orders("SPY"):
                self.cancel(order)
        elif self.seen > 8 and self.goal < 110 and self.position("SPY").is_flat:
            # Held without exits, as this strategy wants it.
            self.buy("SPY", 5)

    def on_order(self, event):
        if self.guards_anew and event.kind == "canceled" and not self.orders("SPY"):
            self.sell("SPY", 10, stop_price=89, reduce_only=True)


def run(strategy: Guarded, *, canceled_outside: bool = False, steps: int = 14) -> Node:
    world = World([bars(PRICES)])
    node = Node(world, MemoryFiles(), [strategy], run_id="one", policies=policies("saved"))
    node.start()
    node.run(4 * PHASES)
    assert node.kernel.strategies[0].position("SPY").quantity == 10
    if canceled_outside:
        world.simulator.request("DELETE", "/v2/orders", b"")
    node.run(steps * PHASES)
    return node


def told(node: Node) -> list[str]:
    return [text for code, text in node.alarms if code == "unguarded"]


def test_exits_that_somebody_else_has_canceled_are_told_once():
    node = run(Guarded(), canceled_outside=True)
    (text,) = told(node)
    assert "SPY of Guarded is held" in text
    assert "pyrt-one-2" in text
    assert "pyrt-one-3" in text
    assert not node.kernel.cache.orders_open()


@pytest.mark.parametrize(
    ("terms", "canceled_outside"),
    [({}, False), ({"guards_anew": True}, True), ({"lets_go": True}, False)],
)
def test_what_is_guarded_or_let_go_on_purpose_is_not_told(terms, canceled_outside):
    node = run(Guarded(**terms), canceled_outside=canceled_outside)
    assert node.kernel.strategies[0].position("SPY").quantity == 10
    assert told(node) == []


def test_the_other_of_a_pair_that_has_filled_is_not_missed():
    node = run(Guarded(goal=103.0))
    assert node.kernel.strategies[0].position("SPY").quantity == 5
    assert told(node) == []
