"""The example as it is shipped sends one order, however long that order has to wait."""

from __future__ import annotations

from pathlib import Path

from pyrt.cli.strategy_file import strategy_classes
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

EXAMPLE = Path(__file__).parents[2] / "examples" / "sma_cross.py"
HALTED_BARS = 10
INSTANTS_OF_A_BAR = 3


def example(**parameters):
    (cls,) = strategy_classes(str(EXAMPLE))
    return cls(symbol="SPY", **parameters)


def rising(count=60):
    """Return bars that fall first and then rise: one cross, upwards."""
    return bars([100 - i * 0.1 if i < 15 else 98.5 + (i - 15) * 0.2 for i in range(count)], "SPY")


def test_with_its_first_order_halted_for_ten_bars_it_has_sent_one_order():
    world = World([rising()])
    node = Node(world, MemoryFiles(), [example(fast=3, slow=8)], run_id="one")
    node.start()
    heard = []
    node.kernel.bus.subscribe("data.bars.*", heard.append)
    while not world.posted:
        node.run(1)
    world.simulator.interventions.act("halt", {"symbol": "SPY"})
    before = len(heard)
    node.run(HALTED_BARS * INSTANTS_OF_A_BAR)
    assert len(heard) - before >= HALTED_BARS
    assert len(world.posted) == 1
    position = node.kernel.strategies[0].position("SPY")
    assert (position.quantity, position.is_flat) == (0, False)
    world.simulator.interventions.act("resume", {"symbol": "SPY"})
    node.run(2 * INSTANTS_OF_A_BAR)
    assert position.quantity == 100
    assert len(world.posted) == 1
