"""Targets across zero at Alpaca, where no order flips a position: both worlds, and over a crash."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies
from tests.live.worlds import backtested, lived

TURNS_AT = 5


class Turns(Strategy):
    """Is ten long, and ten short from its fifth bar on; asks once, or with every bar."""

    asks_again: bool = False
    exits: bool = False

    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")
        self.seen = 0
        self.denied: list[str] = []

    def on_bar(self, bar: Any) -> None:
        self.seen += 1
        if self.seen in (1, TURNS_AT) or self.asks_again:
            self.target_position("SPY", 10 if self.seen < TURNS_AT else -10)
        if self.exits and self.seen == 3:
            self.oco("SPY", 10, take_profit=150, stop_loss=50)

    def on_deny(self, event: Any) -> None:
        self.denied.append(event.reason)

    def on_save(self) -> dict[str, int]:
        return {"seen": self.seen}

    def on_load(self, state: dict[str, int]) -> None:
        self.seen = max(self.seen, state["seen"])


@pytest.mark.parametrize("asks_again", [True, False])
@pytest.mark.parametrize("exits", [True, False])
def test_a_position_changes_sides_alike(asks_again: bool, exits: bool) -> None:
    data = [bars([100.0, 101.0, 102.0, 101.0] * 4)]
    params = {"asks_again": asks_again, "exits": exits}
    expected = backtested([Turns(**params)], data, account="alpaca")
    assert [side * int(size) for _, _, side, size, _, _ in expected.fills] == [10, -10, -10]
    core = make_core(data, fees="alpaca", account="alpaca")
    assert lived([Turns(**params)], data, core=core).differs_in(expected) == ""


def node(world: World, files: MemoryFiles, way: str, run_id: str, **params: Any) -> Node:
    made = Node(
        world, files, [Turns(**params)], run_id=run_id, policies=policies(way), account="alpaca"
    )
    made.start()
    return made


def cut_off(way: str, **params: Any) -> tuple[World, MemoryFiles]:
    """Return a world in which a node died while what it held was being sold."""
    world = World([bars([100.0] * 24)], account="alpaca")
    first = node(world, MemoryFiles(), way, "one", **params)
    strategy = first.kernel.strategies[0]
    while strategy.seen < TURNS_AT:
        first.run(1)
    way_out, rest = first.kernel.cache.orders_open()
    assert (way_out.is_exit, rest.is_exit, rest.status) == (True, False, "INITIALIZED")
    assert (way_out.quantity, rest.quantity) == (10, 10)
    first.driver.flush_tape()
    return world, first.crash()


@pytest.mark.parametrize("way", ["played", "saved"])
def test_after_a_crash_nothing_is_opened_that_nobody_asks_for(way: str) -> None:
    world, files = cut_off(way)
    second = node(world, files, way, "two")
    second.run(6 * PHASES)
    strategy = second.kernel.strategies[0]
    assert strategy.position("SPY").is_flat
    assert strategy.denied == (["it never left: a crash"] if way == "played" else [])
    assert len(world.posted) == 2
    second.stop()
    assert replay(second.files, [Turns()], run_id="two").is_exact


@pytest.mark.parametrize("way", ["played", "saved"])
def test_asked_for_again_after_a_crash_the_other_side_is_opened(way: str) -> None:
    world, files = cut_off(way, asks_again=True)
    second = node(world, files, way, "two", asks_again=True)
    second.run(8 * PHASES)
    assert second.kernel.strategies[0].position("SPY").quantity == -10
    second.stop()
    assert replay(second.files, [Turns(asks_again=True)], run_id="two").is_exact
