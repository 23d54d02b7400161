"""What keeps a run that was cut off from being played again: other settings, and lost inputs."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pytest

from pyrt.core.records import TRIP_DTYPE
from pyrt.errors import StrategyOverrun
from pyrt.live.core.notes import decode_note
from pyrt.live.core.tape import survey
from pyrt.live.driver.comeback import entries_of, plain
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal, read_tape
from pyrt.live.journal.past import REPLAY
from pyrt.live.plan import Policies
from pyrt.live.replay.replay import replay
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.looks import told, written
from tests.live.test_starts import ACCOUNT, LIMITS, PRICES, Quiet, made, started
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

TAPE = "tape-one-00000001.log"
TEXT = "the last run is not played again, strategies go on from their last save: "


def cut_off(**plan: Any) -> tuple[World, MemoryFiles, int]:
    """Return a world, what is left of a run that had taken in a bar, and its count of inputs."""
    world, files = World([PRICES]), MemoryFiles()
    first = started(files, world=world, **plan)
    first.run(3)
    first.journal.commit()
    return world, files, first.driver.core.inputs.count


def refusal(node: Node) -> str:
    """Return why a start did not go on with the run before it; "" where it did."""
    texts = told(node, "not_replayed")
    assert node.driver._recovery.has_gone_on is not bool(texts)
    return "".join(texts).removeprefix(TEXT)


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ({}, {}, ""),
        ({"limits": LIMITS}, {"limits": LIMITS}, ""),
        ({"limits": LIMITS}, {"limits": LIMITS.replace(max_open_orders=9)}, "limits were others"),
        ({}, {"limits": Limits(max_order_quantity=1)}, "limits were others"),
        ({"limits": LIMITS}, {}, "limits were others"),
        ({}, {"default_tif": {"": "day"}}, "default_tif were others"),
        ({"grace_ns": 5}, {"grace_ns": 5}, ""),
        ({"grace_ns": 5}, {"grace_ns": 6}, "grace_ns were others"),
        ({}, {"mode": "live", "arm": ACCOUNT}, "mode were others"),
        ({}, {"sessions": lambda *_: None}, "sessions were others"),
        # What does not decide what comes out may change.
        ({"version": "1", "source": "a"}, {"version": "2", "source": "b", "config": {"a": 1}}, ""),
        ({"config": {"emulate": []}}, {"config": {"emulate": [], "b": 2}}, ""),
        ({"config": {"emulate": ["stop"]}}, {"config": {"emulate": []}}, "emulated"),
        ({"config": {"emulate": []}}, {}, "emulated"),
        ({}, {"config": {"emulate": []}}, "emulated"),
    ],
)
def test_a_run_is_played_again_by_the_settings_it_had_alone(before, after, why):
    world, files, _ = cut_off(**before)
    found = refusal(started(files, world=world, run_id="two", **after))
    texts = {"": "", "emulated": "what is emulated was set otherwise"}
    assert found == texts.get(why, f"its {why}")


def test_a_run_of_other_instruments_is_not_played_again():
    _, files, _ = cut_off()
    world = World([PRICES, bars([50.0] * 4, symbol="BAC")])
    second = started(files, world=world, run_id="two")
    assert refusal(second) == "its instruments were others"


class Several(Quiet):
    """Has a parameter that is in another order in each process."""

    of: Any = None


def test_a_set_among_the_parameters_is_the_same_in_whatever_order_it_comes():
    """Where texts hash otherwise in the next process, no run was ever played again."""
    one, other = {0, 8}, {8, 0}
    assert list(one) != list(other)
    world, files = World([PRICES]), MemoryFiles()
    for run_id, found in (("one", one), ("two", frozenset(other))):
        node = Node(world, files, [Several(of=found)], run_id=run_id)
        node.start()
        node.run(3)
        node.journal.commit()
    assert refusal(node) == ""
    third = Node(world, files, [Several(of={0, 9})], run_id="three")
    third.start()
    assert refusal(third) == "its strategies were others"


# -- the inputs ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "why"), [(0, ""), (-1, "it has more than {:,} inputs (replay_max)")]
)
def test_a_run_of_more_inputs_than_are_to_be_played_again_is_not(more, why):
    world, files, count = cut_off()
    most = count + more
    policies = Policies(looks=1, warmup=0, replay_max=most)
    found = refusal(started(files, world=world, run_id="two", policies=policies))
    assert found == why.format(most)


def test_no_run_is_played_again_where_none_is_to_be():
    world, files, _ = cut_off()
    policies = Policies(looks=1, warmup=0, replay_max=0)
    second = started(files, world=world, run_id="two", policies=policies)
    assert told(second, "not_replayed") == []
    assert not second.driver._recovery.has_gone_on


@pytest.mark.parametrize("left", ["nothing", "a head that is none"])
def test_a_run_whose_inputs_are_lost_is_not_played_again(left):
    world, files, _ = cut_off()
    data = files.read(TAPE)
    files.put(TAPE, b"" if left == "nothing" else b"x" * 40 + data[40:])
    found = refusal(started(files, world=world, run_id="two"))
    if left == "nothing":
        assert found == "its inputs are lost"
    else:
        assert found.startswith(f"its inputs are lost: {TAPE} is damaged at byte 0")


def test_what_came_behind_a_stop_is_not_read_and_does_not_count():
    world, files = World([PRICES]), MemoryFiles()
    first = started(files, world=world)
    first.run(3)
    first.driver.stop(world.now)
    inputs = first.driver.core.inputs
    count = inputs.count
    for late in (1, 2):
        first.driver.flush_tape()
        first.journal.commit()
        inputs.advance(world.now + late)
    policies = Policies(looks=1, warmup=0, replay_max=count)
    assert refusal(started(files, world=world, run_id="two", policies=policies)) == ""


def test_a_run_that_was_put_away_by_a_start_that_died_is_not_played_again():
    world, files, _ = cut_off()
    journal = Journal(files)
    journal.compact(1, force=True)
    journal.close()
    found = refusal(started(files, world=world, run_id="two"))
    assert found == "a start died as it put the journal away"


def test_what_is_going_to_be_played_again_is_said_before_it_is():
    world, files, count = cut_off()
    second = made(files, world=world, run_id="two")
    synced: list[bool] = []
    commit = second.journal.commit

    def committing(*, sync_inputs: bool = False) -> int:
        # A start that dies in the replay has to find this on the disk.
        durable = commit(sync_inputs=sync_inputs)
        synced.append(second.driver.core is None)
        return durable

    second.commits = False
    second.journal.commit = committing
    second.start()
    assert synced[0]
    (said,) = (each for each in written(second, r.Operation) if each.action == REPLAY)
    assert (said.actor, said.reason, said.ts) == ("node", f"{count} inputs of run one", world.now)
    # What was played is the beginning of this run's own inputs.
    assert b"".join(read_tape(files, "two")).startswith(b"".join(read_tape(files, "one"))[:40])


def test_what_lost_inputs_had_brought_is_taken_over_and_is_so_in_a_replay_too():
    world, files = World([PRICES]), MemoryFiles()
    first = started(files, world=world)
    first.run(3)
    first.journal.commit()
    kept = files.read(TAPE)
    first.kernel.strategies[0].buy("SPY", 3)
    first.driver.core.inputs.settle()
    first.settle(world.now)
    first.run(6)
    first.driver.save(world.now)
    first.journal.commit()
    files.put(TAPE, kept)
    second = started(files, world=world, run_id="two")
    assert second.driver._recovery.has_gone_on
    assert len(told(second, "replay_short")) == 1
    strategy = second.kernel.strategies[0]
    assert (strategy.position("SPY").quantity, strategy.told[-1]) == (3, "loaded")
    assert second.driver.findings == ()
    second.run(3)
    second.stop()
    result = replay(files, [Quiet()], run_id="two")
    assert result.is_exact, result.difference
    assert result.equity == second.kernel.account.equity


class Parts(Quiet):
    """Buys three with its first bar, and sells one of them with its second."""

    def on_start(self):
        super().on_start()
        self.todo = [lambda: self.sell("SPY", 1), lambda: self.buy("SPY", 3)]

    def on_bar(self, bar):
        if self.todo:
            self.todo.pop()()


def test_a_round_trip_that_a_crash_cut_in_two_is_the_one_that_was_begun():
    world, files = World([PRICES]), MemoryFiles()
    first = Node(world, files, [Parts()], run_id="one")
    first.start()
    first.run(12)
    bought, _ = written(first, r.Execution)
    second = Node(world, files, [Parts()], run_id="two")
    second.start()
    assert (refusal(second), told(second, "replay_short")) == ("", [])
    second.kernel.strategies[0].close("SPY")
    second.driver.core.inputs.settle()
    second.settle(world.now)
    second.run(6)
    (trip,) = np.frombuffer(second.kernel.records.trips.tobytes(), TRIP_DTYPE)
    assert (trip["entry_time"], trip["quantity"]) == (bought.ts_event, 3 * 10**9)


@pytest.mark.parametrize("stops", [False, True])
def test_inputs_are_played_as_far_as_a_handler_was_broken_off_by_the_clock(stops):
    """No replay breaks it off there once more: what it came to is not what is on record."""
    world, files = World([PRICES]), MemoryFiles()
    first = started(files, world=world)
    first.run(3)
    first.driver.save(world.now)
    count = first.driver.core.inputs.count
    stopped = r.StrategyStopped(ts=1, strategy="Quiet", reason="StrategyOverrun: 3 s", inputs=count)
    first.journal.record(stopped)
    first.run(6)
    first.driver.save(world.now)
    if stops:
        first.driver.stop(world.now)
        first.driver.flush_tape()
    first.journal.commit()
    second = started(files, world=world, run_id="two")
    (text,) = told(second, "replay_short")
    assert text.startswith(f"{count} inputs of the last run were played again")


class Hangs(Quiet):
    """Comes back from no handler of a name, as the clock says; one order of its own is open."""

    at = ""

    def on_start(self):
        super().on_start()
        self.played = []
        self.come_by("start")

    def on_bar(self, bar):
        if len(self.played) == 1:
            self.buy("SPY", 1, limit_price=50)
        self.come_by(f"bar {len(self.played)}")

    def come_by(self, place):
        self.played.append(place)
        if place == self.at:
            raise StrategyOverrun("the handler has run for 3.00 s", code="overrun")


def hung(monkeypatch, at: str, bars: int) -> Node:
    """Return a node that goes on with a run in which the clock has broken a handler off."""
    monkeypatch.setattr(Hangs, "at", at)
    world, files = World([PRICES]), MemoryFiles()
    first = Node(world, files, [Hangs()], run_id="one")
    first.start()
    first.run(bars)
    first.journal.commit()
    strategy = first.kernel.strategies[0]
    assert (strategy.played[-1], strategy.running) == (at, False)
    monkeypatch.setattr(Hangs, "at", "")
    second = Node(world, files, [Hangs()], run_id="two")
    second.start()
    return second


def test_a_handler_that_the_clock_had_broken_off_is_not_played(monkeypatch):
    """It was, for its order was canceled in the same input: a start did not come back either."""
    second = hung(monkeypatch, "bar 2", 9)
    assert refusal(second) == ""
    assert second.kernel.strategies[0].played == ["start", "bar 1"]
    assert second.kernel.strategies[0].running
    # As the record has it: the order was canceled.
    assert not second.kernel.cache.orders_open()
    assert told(second, "replay_differs") == []
    second.run(6)
    assert second.kernel.strategies[0].played[-1] == "bar 3"


def test_a_run_that_the_clock_had_broken_off_as_it_started_starts_anew(monkeypatch):
    """It went on with strategies that had never started, and nothing was ever told them."""
    second = hung(monkeypatch, "start", 1)
    assert refusal(second) == "a handler was broken off by the clock as it started"
    second.run(6)
    assert second.kernel.strategies[0].played[:2] == ["start", "bar 1"]


@pytest.mark.parametrize(
    ("before", "why"), [(1, "a handler was broken off by the clock as it started"), (0, "")]
)
def test_a_run_is_played_again_as_soon_as_its_strategies_have_started(before, why):
    world, files, _ = cut_off()
    notes = survey(b"".join(read_tape(files, "one")))[1]
    (place,) = (at for at, data in notes if decode_note(data)["what"] == "start")
    first = started(files, world=world, run_id="two")
    first.driver.save(world.now)
    first.journal.record(
        r.StrategyStopped(
            ts=1, strategy="Quiet", reason="StrategyOverrun: 3 s", since=place - before
        )
    )
    first.journal.commit()
    assert refusal(started(files, world=world, run_id="three")) == why


class Counts(Quiet):
    """Saves what no replay comes to again."""

    saved = 0

    def on_save(self):
        Counts.saved += 1
        return {"told": [Counts.saved]}


def test_a_state_that_comes_out_otherwise_is_told_with_its_place():
    world, files = World([PRICES]), MemoryFiles()
    first = Node(world, files, [Counts()], run_id="one")
    first.start()
    first.run(3)
    first.driver.save(world.now)
    first.journal.commit()
    place = first.driver.core.inputs.count
    first.run(6)
    first.journal.commit()
    second = Node(world, files, [Counts()], run_id="two")
    second.start()
    text = f"another state came out: Counts after input {place}"
    assert text in told(second, "replay_saves")
    assert second.driver._recovery.has_gone_on


class Asks(Quiet):
    """Buys at its bars, while it does."""

    asks = True

    def on_bar(self, bar):
        if self.asks:
            self.buy("SPY", 1, limit_price=50)


class Killed(BaseException):
    """The process is gone."""


def test_a_command_that_does_not_come_at_the_last_input_is_a_difference(monkeypatch):
    world, files = World([PRICES]), MemoryFiles()
    first = Node(world, files, [Asks()], run_id="one")
    first.start()
    record = first.journal.record

    def dying(taken):
        record(taken)
        if isinstance(taken, r.Intent):
            first.driver.flush_tape()
            first.journal.commit()
            raise Killed

    first.journal.record = dying
    with pytest.raises(Killed):
        first.run(3)
    monkeypatch.setattr(Asks, "asks", False)
    second = Node(world, files, [Asks()], run_id="two")
    second.start()
    (text,) = told(second, "replay_differs")
    assert text.endswith("replayed nothing")


# -- what is compared ------------------------------------------------------------------------------


class Other(Quiet):
    """Another class."""


def test_strategies_are_named_by_class_and_the_second_of_one_by_its_number():
    entries = entries_of([Quiet(), Other(), Quiet(size=5), Quiet(size=7, capital=1000.5)])
    assert [entry.name for entry in entries] == ["Quiet", "Other", "Quiet-2", "Quiet-3"]
    assert [entry.cls for entry in entries] == ["Quiet", "Other", "Quiet", "Quiet"]
    assert [entry.params["size"] for entry in entries] == [3, 3, 5, 7]
    assert [entry.capital for entry in entries] == ["", "", "", "1000.5"]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None), (True, True), (3, 3), (0.25, 0.25), ("a", "a"), (b"a", b"a"),
        (Decimal("1.50"), "1.50"), ((1, (Decimal(2),)), [1, ["2"]]), ([{2: None}], [{"2": None}]),
        ({Decimal(1): {3}}, {"1": [3]}), (frozenset({"b", "a"}), ["a", "b"]),
    ],
)  # fmt: skip
def test_values_are_written_down_exact_and_with_keys_of_text(value, expected):
    found = plain(value)
    assert found == expected
    assert type(found) is type(expected)
