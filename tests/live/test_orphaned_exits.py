"""Exits whose entry ended before a node was killed: what the entry has filled still binds them."""

from __future__ import annotations

import pytest

from pyrt import Strategy
from pyrt.live.journal.state import JournalState
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_changes_in_flight import LIMITS
from tests.live.test_walking_skeleton import bars
from tests.live.test_ways_out import killed
from tests.live.whole import PHASES, Node, World, policies

WAYS = ("played", "saved")
RUNS = ("two", "three", "four")


class Guarded(Strategy):
    """Buys once with both exits; changes its stop's quantity when a test says so."""

    units: int = 5
    take_profit: float = 150
    stop_loss: float = 50

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.bought, self.wanted, self.kinds = False, 0, []

    def on_bar(self, bar):
        if not self.bought:
            self.bought = True
            exits = {"take_profit": self.take_profit, "stop_loss": self.stop_loss}
            self.buy("SPY", self.units, **exits)
        if self.wanted:
            self.modify(stop_of(self), quantity=self.wanted)
            self.wanted = 0

    def on_order(self, event):
        self.kinds.append((event.kind, event.reason))

    def on_save(self):
        return {"bought": self.bought}

    def on_load(self, state):
        self.bought = state["bought"]


def stop_of(strategy):
    (stop,) = [order for order in strategy.orders() if order.order_type == "stop"]
    return stop


def begin(world: World, files: MemoryFiles, way: str, run_id: str) -> Node:
    node = Node(world, files, [Guarded()], run_id=run_id, limits=LIMITS, policies=policies(way))
    node.start()
    return node


def cut_off(way: str) -> tuple[World, MemoryFiles]:
    world = World([bars([100.0] * 60)])
    node = begin(world, MemoryFiles(), way, "one")
    node.run(6 * PHASES)
    assert node.kernel.strategies[0].position("SPY").quantity == 5
    return world, killed(node)


def change(node: Node, quantity: int) -> list[tuple[str, str]]:
    """Let the strategy change its stop; return what it hears."""
    strategy = node.kernel.strategies[0]
    strategy.wanted, strategy.kinds = quantity, []
    node.run(4 * PHASES)
    assert strategy.wanted == 0
    return list(strategy.kinds)


@pytest.mark.parametrize("way", WAYS)
def test_an_exit_is_held_to_its_entry_through_restarts(way):
    world, files = cut_off(way)
    for run_id in RUNS:
        node = begin(world, files, way, run_id)
        ((kind, reason),) = change(node, 12)
        assert kind == "modify_rejected"
        assert "exit_quantity: quantity 12 is more than the 5 of the entry pyrt-one-1 " in reason
        stop = stop_of(node.kernel.strategies[0])
        assert stop.quantity == 5
        assert (stop.parent.client_order_id, stop.parent.status) == ("pyrt-one-1", "FILLED")
        assert stop.parent.filled_quantity == 5
        files = killed(node)
        node.stop()
        result = replay(node.files, [Guarded()], run_id=run_id)
        assert result.is_exact, result.difference


def test_an_exit_whose_entry_nobody_remembers_is_held_to_what_it_is(monkeypatch):
    world, files = cut_off("saved")
    taken = JournalState.take

    def forgetful(state, record):
        taken(state, record)
        state.closed.clear()

    monkeypatch.setattr(JournalState, "take", forgetful)
    node = begin(world, files, "saved", "two")
    ((kind, reason),) = change(node, 6)
    assert (kind, reason.split()[4]) == ("modify_rejected", "more")
    assert stop_of(node.kernel.strategies[0]).parent.filled_quantity == 5


def test_exits_of_an_ended_entry_reserve_nothing():
    world, files = cut_off("saved")
    node = begin(world, files, "saved", "two")
    power = node.kernel.portfolio.metrics()["buying_power"]
    played = begin(*cut_off("played"), "played", "two")
    assert played.kernel.portfolio.metrics()["buying_power"] == power
