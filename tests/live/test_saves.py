"""What strategies save is given back to them, and what cannot be given back bars no start."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal
from pyrt.live.plan import Policies
from pyrt.testing.files import MemoryFiles
from tests.live.test_recovery import PRICES
from tests.live.test_recovery import Collect as Counts
from tests.live.whole import Node, World, policies


class Saves(Counts):
    """Saves what the test wants, and keeps what it is given."""

    def on_start(self):
        super().on_start()
        self.kept: Any = {}
        self.loaded: list[Any] = []

    def on_save(self):
        return self.kept

    def on_load(self, state):
        self.loaded.append(state)


class Counting(Counts):
    """Is another one, with nothing the matter."""


def run(files: MemoryFiles, world: World, run_id: str, plan: Policies | None = None) -> Node:
    made = Node(world, files, [Saves(), Counting()], run_id=run_id, policies=plan)
    made.start()
    return made


@pytest.mark.parametrize("state", [{}, {"a": {1: [2.5, None]}, "b": b"x"}])
def test_what_was_saved_is_given_back(state):
    files, world = MemoryFiles(), World([PRICES])
    first = run(files, world, "one")
    first.kernel.strategies[0].kept = state
    first.stop()
    assert run(files, world, "two").kernel.strategies[0].loaded == [state]


@pytest.mark.parametrize(
    ("state", "text"),
    [
        ([1, 2], "Expected `object`, got `array`"),
        (None, "Expected `object`"),
        ({1: "one"}, "Expected `str`, got `int` - at `key`"),
    ],
)
def test_what_cannot_be_given_back_is_told_and_what_was_saved_before_stays(state, text):
    """It was written down, and no start came through any more."""
    files, world = MemoryFiles(), World([PRICES])
    first = run(files, world, "one")
    first.kernel.strategies[0].kept = {"seen": 1}
    first.driver.save(world.now)
    first.kernel.strategies[0].kept = state
    first.stop()
    (told,) = [said for code, said in first.alarms if code == "on_save"]
    assert told.startswith(f"Saves.on_save: ValidationError: {text}")
    second = run(files, world, "two")
    assert second.kernel.strategies[0].loaded == [{"seen": 1}]


def test_a_state_that_is_too_large_is_told_and_what_was_saved_before_stays():
    """The journal takes no record of its size: the node ended, and each start after it."""
    files, world = MemoryFiles(), World([PRICES])
    first = run(files, world, "one", policies("saved"))
    saves, counting = first.kernel.strategies
    saves.kept = {"seen": 1}
    first.run(3)
    saves.kept = {"all": bytes(17 << 20)}
    first.run(6)
    assert (saves.running, counting.running) == (True, True)
    first.stop()
    (told,) = {said for code, said in first.alarms if code == "on_save"}
    assert told == "Saves.on_save: StrategyError: its state is 17.0 MiB, at most 1 are kept"
    second = run(files, world, "two")
    assert second.kernel.strategies[0].loaded == [{"seen": 1}]


def test_what_all_strategies_keep_fits_the_records_that_hold_it_all():
    files, world = MemoryFiles(), World([PRICES])
    first = Node(world, files, [Saves() for _ in range(9)], run_id="one")
    first.start()
    for strategy in first.kernel.strategies:
        strategy.kept = {"all": bytes(1000 << 10)}
    first.stop()
    (told,) = [said for code, said in first.alarms if code == "on_save"]
    assert told.startswith("Saves-9.on_save: ")
    assert "that of all strategies is 8.8 MiB, at most 8 are kept" in told
    Journal(files).compact(1, force=True)
    second = Node(world, files, [Saves() for _ in range(9)], run_id="two")
    second.start()
    loaded = [len(s.loaded[-1].get("all", b"")) >> 10 for s in second.kernel.strategies]
    assert loaded == [1000] * 8 + [0]


@pytest.mark.parametrize("way", ["saved", "played"])
def test_a_save_that_cannot_be_read_stops_its_strategy_and_no_other(way):
    files, world = MemoryFiles(), World([PRICES])
    first = run(files, world, "one")
    first.run(9)
    # So it was left by a node that did not look at what it wrote down.
    count = first.driver.core.inputs.count + (1 << 20)
    for name, state in (("Saves", [1, 2]), ("Counting", {"seen": 70})):
        save = r.StrategySave(
            ts=1, strategy=name, inputs=count, state=msgspec.msgpack.encode(state)
        )
        first.journal.record(save)
    first.journal.commit()
    if way == "saved":
        first.driver.finish(world.now)
        first.journal.close()
    second = run(files, world, "two", policies(way))
    assert second.driver._recovery.has_gone_on is (way == "played")
    saves, counting = second.kernel.strategies
    assert (saves.running, counting.running) == (False, True)
    assert "Expected `object`, got `array`" in saves.stop_reason
    assert counting.seen == 70
    (text,) = [said for code, said in second.alarms if code == "strategy_stopped"]
    assert text.startswith(
        "Saves.on_load raised ValidationError: Expected `object`, got `array` at"
    )


class Falls(Saves):
    """Does not come through its start."""

    def on_start(self):
        super().on_start()
        raise RuntimeError("no such file")


def test_a_strategy_that_its_start_has_stopped_is_given_nothing_back():
    files, world = MemoryFiles(), World([PRICES])
    for run_id in ("one", "two"):
        made = Node(world, files, [Falls(), Counting()], run_id=run_id)
        kept = r.StrategySave(ts=1, strategy="Falls", inputs=0, state=r.ENCODER.encode({}))
        made.journal.record(kept)
        made.start()
        assert made.kernel.strategies[0].loaded == []
        assert [code for code, _ in made.alarms] == ["strategy_stopped"]
        made.stop()
