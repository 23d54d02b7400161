"""An order that an algorithm has filled has ended: in the journal, and for every later start."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.execution import TWAP
from pyrt.live.journal import records as r
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_recovery import PRICES
from tests.live.whole import Node, World, policies


class Slices(Strategy):
    """Buys ten in three slices, once."""

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.order: Any = None

    def on_bar(self, bar: Any) -> None:
        if self.order is None:
            self.order = self.buy("SPY", 10, algorithm=TWAP("3m", slices=3))

    def on_save(self) -> dict[str, Any]:
        return {"done": self.order is not None}

    def on_load(self, state: dict[str, Any]) -> None:
        self.order = True if state["done"] else None


def begun(world: World, files: MemoryFiles, run_id: str, way: str) -> Node:
    node = Node(world, files, [Slices()], run_id=run_id, policies=policies(way))
    node.start()
    return node


def write_as_before(node: Node) -> None:
    """Let it write what versions did that had no record of what an algorithm has filled."""
    record = node.journal.record

    def written(made: Any) -> int:
        is_new = isinstance(made, r.Outcome) and made.kind == "fill"
        return node.journal.last if is_new else record(made)

    # As an older version wrote: the method of this one journal only.
    node.journal.record = written  # type: ignore[method-assign]


@pytest.mark.parametrize("way", ["saved", "played", "older"])
def test_no_start_misses_an_order_that_its_algorithm_has_filled(way):
    world = World([PRICES])
    node = begun(world, MemoryFiles(), "one", way)
    if way == "older":
        write_as_before(node)
    node.run(24)
    assert node.kernel.strategies[0].order.status == "FILLED"
    known = node.journal.state
    assert set(known.orders) == ({"pyrt-one-1"} if way == "older" else set())
    node.journal.commit(sync_inputs=True)
    second = begun(world, node.crash(), "two", way)
    assert "emulated_lost" not in {code for code, _ in second.alarms}
    assert not second.journal.state.orders
    closed = second.journal.state.closed["pyrt-one-1"]
    assert (closed.status, closed.filled) == ("FILLED", "10")
    assert second.kernel.strategies[0].position("SPY").quantity == 10
    second.stop()
    assert replay(second.files, [Slices()], run_id="two").is_exact


def test_one_that_is_half_filled_is_missed_with_what_it_had():
    world = World([PRICES])
    node = begun(world, MemoryFiles(), "one", "saved")
    node.run(9)
    filled = node.kernel.strategies[0].order.filled_quantity_exact
    assert 0 < filled < 10
    known = node.journal.state.orders["pyrt-one-1"]
    assert (known.status, known.filled) == ("EMULATED", f"{filled:f}")
    second = begun(world, node.crash(), "two", "saved")
    assert "emulated_lost" in {code for code, _ in second.alarms}
