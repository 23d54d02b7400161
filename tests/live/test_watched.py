"""Handlers are watched, from the first word of a strategy to its last."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy
from pyrt.core.data import Signal
from pyrt.live.driver.run import LOOKING, STOPPED
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.live.plan import Policies
from pyrt.testing.files import MemoryFiles
from tests.live.test_recovery import PRICES
from tests.live.whole import Node, World

WATCH = {"depth": 0}
"""Whether what runs now is watched."""


class Notes(Strategy):
    """Notes of each of its handlers whether it is watched."""

    def on_start(self) -> None:
        self.calls: list[tuple[str, bool]] = []
        self.note("start")
        self.subscribe_bars("SPY", "1m")
        self.subscribe("signal.SPY", self.take_model)
        self.buy("SPY", 3)

    def note(self, name: str) -> None:
        self.calls.append((name, WATCH["depth"] > 0))

    def on_save(self) -> dict[str, Any]:
        self.note("save")
        return {"kept": 1}

    def on_load(self, state: dict[str, Any]) -> None:
        self.note("load")

    def on_fill(self, fill: Any) -> None:
        self.note("fill")

    def take_model(self, signal: Any) -> None:
        self.note("signal")

    def on_stop(self) -> None:
        self.note("stop")


def node_of(files: MemoryFiles, world: World, run_id: str) -> Node:
    policies = Policies(looks=1, warmup=0, replay_max=0)
    made = Node(world, files, [Notes()], run_id=run_id, policies=policies)

    def watch() -> None:
        assert made.driver.phase == LOOKING
        made.driver.core.enter = lambda: WATCH.update(depth=1)
        made.driver.core.leave = lambda: WATCH.update(depth=0)

    made.driver.before_start = watch
    return made


@pytest.fixture(autouse=True)
def unwatched():
    WATCH["depth"] = 0


def test_strategies_are_watched_from_their_first_word_to_their_last():
    files, world = MemoryFiles(), World([PRICES])
    first = node_of(files, world, "one")
    first.start()
    first.driver.save(world.now)
    first.journal.commit()
    # It fills while no node runs.
    for _ in world.instants:
        world.simulator.take_market_data()
        if world.venue.account.cash != 100_000:
            break
    second = node_of(first.crash(), world, "two")
    second.start()
    (strategy,) = second.kernel.strategies
    model = Signal(symbol="SPY", side="buy", quantity=1, confidence=0.5, ts_event=1)
    second.driver.take_signal(world.now, model)
    second.stop()
    assert second.driver.phase == STOPPED
    heard = [name for name, _ in strategy.calls]
    assert heard[:3] == ["start", "load", "fill"]
    assert {"save", "signal", "stop"} <= set(heard)
    assert [name for name, is_watched in strategy.calls if not is_watched] == []
    assert WATCH["depth"] == 0


def test_nothing_is_watched_before_the_account_has_been_looked_at():
    made = node_of(MemoryFiles(), World([PRICES]), "one")
    made.driver.begin(made.world.now)
    made.driver.stop(made.world.now, "not now")
    assert made.driver.core is None
    assert not [x for _, x in read_records(made.files) if isinstance(x, r.RunStart)]
