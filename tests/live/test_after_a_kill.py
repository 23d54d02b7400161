"""After the kill switch: flatten closes, reduce lets exits leave, close says that it cannot."""

from __future__ import annotations

import pytest

from pyrt import Strategy
from pyrt.errors import ConfigError
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies


class Holds(Strategy):
    """Buys ten, tries to buy more at every bar, and leaves when it is told to."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.leaves = False

    def on_bar(self, bar):
        if self.leaves:
            self.close("SPY")
        else:
            self.buy("SPY", 10)


def killed() -> Node:
    """A node that holds something, and whose kill switch was pressed as the programs press it."""
    node = Node(
        World([bars([100.0] * 40)]), MemoryFiles(), [Holds()],
        run_id="one", policies=policies("saved"),
    )  # fmt: skip
    node.start()
    node.run(4 * PHASES)
    node.driver.latch.set("anna: looks odd")
    node.driver.operate("halt", "anna", "looks odd")
    node.run(2 * PHASES)
    assert held(node) > 0
    return node


def held(node: Node) -> float:
    return float(node.kernel.strategies[0].position("SPY").quantity)


def test_flatten_closes_what_a_kill_has_left():
    node = killed()
    assert node.driver.operate("flatten", "anna", "out") == "everything is being closed"
    node.run(4 * PHASES)
    assert held(node) == 0
    assert node.kernel.gate.state().name == "HALTED"
    assert not [text for code, text in node.alarms if code == "not_sent"]


def test_reduce_lets_exits_leave_and_nothing_else():
    node = killed()
    before = held(node)
    node.driver.operate("reduce", "anna", "only out")
    node.run(3 * PHASES)
    assert held(node) == before
    node.kernel.strategies[0].leaves = True
    node.run(3 * PHASES)
    assert held(node) == 0


def test_a_close_in_a_halt_is_refused_and_says_what_helps():
    node = killed()
    before, posted = held(node), len(node.world.posted)
    with pytest.raises(ConfigError, match=r"SPY is not closed\. Flatten"):
        node.driver.operate("close", "anna", "out", symbol="SPY")
    node.run(2 * PHASES)
    assert (held(node), len(node.world.posted)) == (before, posted)
    node.driver.operate("reduce", "anna", "only out")
    node.kernel.strategies[0].leaves = True
    assert node.driver.operate("close", "anna", "out", symbol="SPY") == "1 orders close SPY"
    node.run(3 * PHASES)
    assert held(node) == 0
