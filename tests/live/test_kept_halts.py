"""A kill, or a stuck handler, whose loop never came back: the next start knows, until a resume."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.errors import ConfigError
from pyrt.live.core.notes import MONITOR, NODE
from pyrt.live.driver.run import STOPPED
from pyrt.live.journal import records as r
from pyrt.live.journal.halts import PREFIX
from pyrt.live.replay.replay import replay
from pyrt.testing.files import MemoryFiles
from tests.live.looks import written
from tests.live.test_hands import Holds
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World, policies

PATIENCE_S = 20.0
WAYS = pytest.mark.parametrize("way", ["saved", "played"])


class Buys(Holds):
    """Buys ten, rests below the market, guards what it holds, and buys one more at each bar."""

    def on_start(self):
        super().on_start()
        self.buy("SPY", 1)

    def on_bar(self, bar):
        super().on_bar(bar)
        if self.seen == 2:
            self.guard = self.sell("SPY", 5, stop_price=50)
        if self.seen > 2:
            self.buy("SPY", 1)


def made(world: World, files: MemoryFiles, run_id: str, way: str = "played", **given: Any) -> Node:
    return Node(world, files, [Buys()], run_id=run_id, policies=policies(way), **given)


def running(world: World | None = None, way: str = "played") -> Node:
    node = made(world or World([bars([100.0] * 60)]), MemoryFiles(), "one", way)
    node.start()
    node.run(5 * PHASES)
    return node


def held(node: Node) -> int:
    return int(node.kernel.strategies[0].position("SPY").quantity)


def kill(node: Node, actor: str = "anna", reason: str = "prices look odd") -> None:
    """Ask for a halt beside a loop that does not come back."""
    node.driver.latch.set(f"{actor}: {reason}")
    node.driver.journal.halts.keep(actor, reason, node.world.now).result(PATIENCE_S)


def restarted(node: Node, run_id: str = "two", way: str = "played") -> Node:
    again = made(node.world, node.crash(), run_id, way)
    again.start()
    return again


def halts(node: Node) -> list[tuple[str, str]]:
    operations = written(node, r.Operation)
    return [(each.actor, each.reason) for each in operations if each.action == "halt"]


def kept(files: MemoryFiles) -> list[str]:
    return [name for name in files.names() if name.startswith(PREFIX)]


@WAYS
def test_a_kill_whose_loop_never_came_back_halts_the_next_run_before_anything_leaves(way):
    node = running(way=way)
    before = held(node)
    kill(node)
    node.world.posted.clear()
    again = restarted(node, way=way)
    assert again.kernel.gate.state().name == "HALTED"
    assert again.driver.latch.reason == "anna: prices look odd"
    assert halts(again) == [("anna", "prices look odd")]
    again.run(4 * PHASES)
    assert (held(again), node.world.posted) == (before, [])
    # What worked is canceled, exits too, as by any other kill.
    assert again.kernel.cache.orders_open() == []
    assert kept(again.files) == []
    again.stop()
    result = replay(again.files, [Buys()], run_id="two")
    assert result.is_exact, result.difference


@WAYS
def test_a_resume_lifts_it_for_good(way):
    node = running(way=way)
    kill(node)
    again = restarted(node, way=way)
    again.driver.operate("resume", "bert", "looked, fine")
    again.run(2 * PHASES)
    assert held(again) > held(node)
    third = restarted(again, "three", way)
    assert (third.kernel.gate.state().name, third.driver.latch.is_set) == ("ACTIVE", False)


def test_it_is_on_the_disk_until_the_record_of_the_halt_is():
    node = running()
    kill(node)
    again = made(node.world, node.crash(), "two")
    again.commits = False
    again.start()
    assert kept(again.files) != []
    third = restarted(again, "three")
    assert third.kernel.gate.state().name == "HALTED"


def test_a_start_that_is_refused_leaves_it_for_the_next():
    node = running()
    kill(node)
    files = node.crash()
    refused = made(node.world, files, "one")
    with pytest.raises(Exception, match="there was a run one"):
        refused.start()
    refused.journal.close()
    assert kept(files) != []


def test_a_start_that_is_refused_before_strategies_speak_cancels_nothing():
    """Another may have the account: its lock is taken right before."""
    node = running()
    kill(node)
    files, sent = node.crash(), []
    refused = made(node.world, files, "two")

    def lock() -> None:
        raise ConfigError("another node uses the account")

    refused.driver.before_start = lock
    refused.on_request = lambda request, send: sent.append(request.method) or send(request)
    with pytest.raises(ConfigError, match="another node uses"):
        refused.start()
    refused.settle(node.world.now)
    assert set(sent) == {"GET"}
    assert kept(files) != []


def test_a_kill_while_the_node_starts_halts_it():
    node = made(World([bars([100.0] * 60)]), MemoryFiles(), "one")
    kill(node)
    # The loop comes to it before there is anything to halt.
    node.driver.take_halts()
    node.start()
    node.run(4 * PHASES)
    assert (node.kernel.gate.state().name, held(node)) == ("HALTED", 0)
    assert halts(node) == [("anna", "prices look odd")]
    assert kept(node.files) == []


@pytest.mark.parametrize("comes_back", [True, False])
def test_after_a_stuck_handler_nothing_leaves_until_a_person_resumes(comes_back):
    """An ordinary stop and start lifted it unasked."""
    node = running()
    kill(node, MONITOR, "a handler has not come back for 8.0 s")
    if comes_back:
        node.driver.take_halts()
        node.run(2 * PHASES)
        assert node.kernel.gate.state().name == "HALTED"
        # Exits stay here: where the broker has lost them somebody is told of it.
        assert [order.stop_price for order in node.kernel.cache.orders_open()] == [50]
        node.stop()
        again = made(node.world, node.files, "two")
        again.start()
    else:
        again = restarted(node)
    before = held(again)
    again.run(4 * PHASES)
    assert (again.kernel.gate.state().name, held(again)) == ("HALTED", before)
    assert halts(again) == [(MONITOR, "a handler has not come back for 8.0 s")]
    again.driver.operate("resume", "bert", "looked, fine")
    again.run(2 * PHASES)
    assert held(again) > before


def test_a_kill_after_a_handler_hung_is_kept_too_and_takes_exits_as_any_other():
    """The monitor's alone was, which spares them."""
    node = running()
    kill(node, MONITOR, "it hangs")
    kill(node)
    again = restarted(node)
    again.run(4 * PHASES)
    assert halts(again) == [(MONITOR, "it hangs"), ("anna", "prices look odd")]
    assert again.kernel.cache.orders_open() == []
    assert kept(again.files) == []


def test_a_stop_that_flattens_leaves_what_a_stuck_handler_has_halted():
    node = running()
    node.driver._stopping._policy = "flatten"
    kill(node, MONITOR, "it hangs")
    node.driver.take_halts()
    before = held(node)
    node.stop()
    again = made(node.world, node.files, "two")
    again.start()
    assert (again.kernel.gate.state().name, held(again)) == ("HALTED", before)


@pytest.mark.parametrize(
    ("action", "scope", "is_answer"),
    [
        ("halt", {}, True),
        ("resume", {}, True),
        ("reduce", {}, True),
        ("halt", {"symbol": "SPY"}, False),
        ("resume", {"strategy": "Buys"}, False),
        ("cancel_all", {}, False),
    ],
)
def test_only_what_a_person_says_of_everything_takes_its_place(action, scope, is_answer):
    node = running()
    kill(node)
    node.driver.operate(action, "bert", "so", **scope)
    node.settle(node.world.now)
    assert (kept(node.files) == []) is is_answer


def test_a_kill_while_a_resume_is_carried_out_comes_after_it(monkeypatch):
    """It went with what the resume had answered, and its loop may hang from here on."""
    node = running()
    kill(node)
    save_risk = node.driver.scribe.save_risk

    def save_as_somebody_kills() -> int:
        sequence = save_risk()
        kill(node, "carl", "no, wait")
        return sequence

    monkeypatch.setattr(node.driver.scribe, "save_risk", save_as_somebody_kills)
    node.driver.operate("resume", "bert", "looked, fine")
    node.journal.commit()
    again = restarted(node)
    assert again.kernel.gate.state().name == "HALTED"
    assert halts(again)[-1] == ("carl", "no, wait")


def test_what_is_kept_in_the_nodes_name_goes_with_its_record():
    """A process before may have left it."""
    node = running()
    kill(node, NODE, "prices look odd")
    again = restarted(node)
    again.settle(again.world.now)
    assert (halts(again), kept(again.files)) == ([(NODE, "prices look odd")], [])


def test_a_halt_of_the_nodes_own_does_not_take_the_place_of_a_persons():
    node = running()
    kill(node)
    node.driver._operators.halt("", "the broker has more than we")
    node.settle(node.world.now)
    assert kept(node.files) != []


def test_what_is_asked_for_after_the_end_is_the_next_runs():
    node = running()
    node.stop()
    assert node.driver.phase == STOPPED
    kill(node)
    node.driver.take_halts()
    assert halts(node) == []
    assert kept(node.files) != []
    again = made(node.world, node.files, "two")
    again.start()
    assert again.kernel.gate.state().name == "HALTED"
