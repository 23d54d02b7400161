"""What the page asks of a node: carried over into its loop, also where that hangs."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace as Stub
from typing import Any

import pytest

from pyrt.adapters.alpaca.node.hands import WAITING_MAX, Hands, hand_over
from pyrt.errors import PyrtError
from pyrt.live.driver.gateway import Latch
from pyrt.live.journal.files import NoFiles, RealFiles
from pyrt.live.journal.halts import Halt, Halts
from pyrt.live.process.control import Request

PATIENCE_S = 20.0
KILL = Halt("ann", "a look")


class Node:
    """A node whose loop hangs between `hang` and `go_on`, and notes what reaches its driver."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.done: list[str] = []
        self.core: Any = object()
        self.halts = Halts(NoFiles())
        self.driver: Any = Stub(
            latch=Latch(),
            operate=self._operate,
            journal=Stub(halts=self.halts),
            take_halts=lambda: self.done.append("take_halts"),
        )
        self._goes_on = threading.Event()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self._thread.start()

    def _operate(self, action: str, actor: str, reason: str, **scope: str) -> str:
        if action == "close":
            raise PyrtError("nothing is held", code="no_position")
        self.done.append(action)
        return f"{action} is done"

    def client_order_id(self, name: str) -> str:
        return name

    def wake(self) -> None:
        """Nobody sleeps here."""

    def hang(self) -> None:
        """Return once the loop hangs."""
        hangs = threading.Event()

        def hold() -> None:
            hangs.set()
            assert self._goes_on.wait(PATIENCE_S)

        self._goes_on.clear()
        self.loop.call_soon_threadsafe(hold)
        assert hangs.wait(PATIENCE_S)

    def go_on(self) -> None:
        """Let the loop do all that waits."""
        self._goes_on.set()
        ends = threading.Event()
        self.loop.call_soon_threadsafe(ends.set)
        assert ends.wait(PATIENCE_S)

    def close(self) -> None:
        self._goes_on.set()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE_S)
        self.loop.close()


@pytest.fixture
def node() -> Iterator[Any]:
    made = Node()
    yield made
    made.close()


def asked(action: str, **scope: str) -> Request:
    return Request(token="", action=action, actor="ann", reason="a look", **scope)


async def code_of(hands: Hands, node: Any, request: Request) -> str:
    """Return the code of the refusal, or what was done."""
    try:
        return str((await hands.carry(node, request))["message"])
    except PyrtError as error:
        return error.code


async def spin(times: int = 5) -> None:
    """Let the other tasks of this loop get as far as they can."""
    for _ in range(times):
        await asyncio.sleep(0)


def test_what_is_asked_is_done_in_the_nodes_loop_and_told(node: Any) -> None:
    hands = Hands(PATIENCE_S)
    assert asyncio.run(code_of(hands, node, asked("reduce"))) == "reduce is done"
    assert asyncio.run(code_of(hands, node, asked("close", symbol="SPY"))) == "no_position"
    assert node.done == ["reduce"]


def test_a_kill_closes_the_latch_of_a_node_that_hangs_whatever_waits_for_it(node: Any) -> None:
    async def press() -> list[str]:
        hands = Hands(PATIENCE_S)
        actions = ["cancel_all", "cancel_all", "cancel_all", "cancel_all"]
        waiting = [asyncio.create_task(code_of(hands, node, asked(each))) for each in actions]
        await spin()
        kill = asyncio.create_task(code_of(hands, node, asked("halt")))
        await spin()
        assert node.driver.latch.reason == "ann: a look"
        node.go_on()
        return list(await asyncio.gather(*waiting, kill))

    node.hang()
    told = asyncio.run(press())
    assert told[-1] == "halt is done"
    assert node.done == ["cancel_all"] * 4 + ["halt"]


def test_what_the_node_does_not_answer_in_time_is_not_done_later(node: Any) -> None:
    node.hang()
    hands = Hands(0.01)
    with pytest.raises(PyrtError, match="flatten is withdrawn and was not done") as caught:
        asyncio.run(hands.carry(node, asked("flatten")))
    assert caught.value.code == "no_answer"
    node.go_on()
    assert node.done == []


def test_a_kill_that_the_node_does_not_answer_is_done_when_it_comes_back(node: Any) -> None:
    node.hang()
    hands = Hands(0.01)
    with pytest.raises(PyrtError, match="orders are blocked, and what works is canceled"):
        asyncio.run(hands.carry(node, asked("halt")))
    node.go_on()
    assert node.done == ["halt"]


def test_to_halt_one_symbol_is_no_kill(node: Any) -> None:
    node.hang()
    with pytest.raises(PyrtError, match="halt is withdrawn and was not done"):
        asyncio.run(Hands(0.01).carry(node, asked("halt", symbol="SPY")))
    assert not node.driver.latch.is_set
    node.go_on()
    assert node.done == []


@pytest.mark.parametrize(
    "actions",
    [
        ("resume", "reset_breaker", "cancel_all", "halt"),
        ("reduce", "flatten", "cancel_all", "halt"),
    ],
)
def test_a_kill_withdraws_what_would_let_orders_leave(node: Any, actions: tuple[str, ...]) -> None:
    async def press() -> list[str]:
        hands = Hands(PATIENCE_S)
        waiting = [asyncio.create_task(code_of(hands, node, asked(each))) for each in actions]
        await spin()
        node.go_on()
        return list(await asyncio.gather(*waiting))

    node.hang()
    told = asyncio.run(press())
    assert told == ["killed"] * (len(actions) - 2) + ["cancel_all is done", "halt is done"]
    assert node.done == ["cancel_all", "halt"]


def test_only_so_many_wait_and_the_others_are_told_at_once(node: Any) -> None:
    async def press() -> list[str]:
        hands = Hands(PATIENCE_S)
        waiting = [
            asyncio.create_task(code_of(hands, node, asked("cancel_all")))
            for _ in range(WAITING_MAX)
        ]
        await spin()
        assert await code_of(hands, node, asked("reduce")) == "busy"
        node.go_on()
        return list(await asyncio.gather(*waiting))

    node.hang()
    assert asyncio.run(press()) == ["cancel_all is done"] * WAITING_MAX
    assert node.done == ["cancel_all"] * WAITING_MAX


def test_what_has_begun_may_be_done_and_that_is_said(node: Any) -> None:
    began, ends = threading.Event(), threading.Event()

    def operate(*_: str, **__: str) -> str:
        began.set()
        assert ends.wait(PATIENCE_S)
        return "done"

    async def press() -> str:
        waiting = asyncio.create_task(Hands(0.05).carry(node, asked("flatten")))
        await spin()
        assert began.wait(PATIENCE_S)
        with pytest.raises(PyrtError) as caught:
            await waiting
        return str(caught.value)

    node.driver.operate = operate
    assert asyncio.run(press()).endswith("does not answer; it may be done")
    ends.set()


def test_a_node_that_starts_or_has_ended_says_so_and_is_blocked_by_a_kill(node: Any) -> None:
    node.core = None
    with pytest.raises(PyrtError, match=r"the node is starting; orders are blocked$"):
        asyncio.run(Hands().carry(node, asked("halt")))
    assert node.driver.latch.is_set
    node.hang()
    node.go_on()
    # Where it has looked at its account meanwhile it is halted at once.
    assert (node.halts.waiting(), node.done) == ([KILL], ["take_halts"])
    ended: Any = Stub(loop=None, driver=None, core=None)
    with pytest.raises(PyrtError, match=r"the node does not run$"):
        asyncio.run(Hands().carry(ended, asked("halt")))


def test_a_kill_is_kept_from_the_moment_it_is_pressed(node: Any) -> None:
    node.hang()
    with pytest.raises(PyrtError, match=r"what works is canceled as soon as it does$"):
        asyncio.run(Hands(0.05).carry(node, asked("halt")))
    assert node.halts.waiting() == [KILL]


@pytest.mark.parametrize("actor", ["node", "monitor"])
def test_a_person_by_a_name_of_the_nodes_own_kills_as_a_person(node: Any, actor: str) -> None:
    """What was kept in the node's own name left exits at the next start."""
    node.hang()
    request = Request(token="", action="halt", actor=actor, reason="a look")
    with pytest.raises(PyrtError, match="orders are blocked"):
        asyncio.run(Hands(0.05).carry(node, request))
    assert node.halts.waiting() == [Halt(f"{actor} (by hand)", "a look")]
    assert node.driver.latch.reason == f"{actor} (by hand): a look"


def test_whoever_kills_is_told_where_a_restart_would_not_know_of_it(node: Any) -> None:
    class Full(NoFiles):
        def create(self, name: str) -> Any:
            raise OSError("no space left")

    node.driver.journal.halts = Halts(Full())
    node.hang()
    with pytest.raises(PyrtError, match="a restart would not know of it: no space left") as told:
        asyncio.run(Hands(0.05).carry(node, asked("halt")))
    assert told.value.code == "no_answer"
    assert node.driver.latch.is_set


def starting(node: Any, tmp_path: Path) -> tuple[Hands, RealFiles]:
    """Return hands, and the folder, of a node that has not opened it yet."""
    node.driver, node.core = None, None
    return Hands(PATIENCE_S, tmp_path / "state"), RealFiles(tmp_path / "state")


def test_a_kill_before_the_node_has_opened_its_folder_is_found_in_there(
    node: Any, tmp_path: Path
) -> None:
    hands, files = starting(node, tmp_path)
    with pytest.raises(PyrtError, match=r"the node is starting; it starts HALTED$"):
        asyncio.run(hands.carry(node, asked("halt")))
    halts = Halts(files)
    halts.load()
    assert halts.waiting() == [KILL]


def test_a_kill_that_comes_as_the_node_opens_its_folder_is_kept_once(
    node: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    driver, core = node.driver, node.core
    hands, files = starting(node, tmp_path)
    keep = Halts.keep

    def open_meanwhile(self: Halts, *given: Any) -> Any:
        node.driver, node.core = driver, core
        return keep(self, *given)

    monkeypatch.setattr(Halts, "keep", open_meanwhile)
    assert asyncio.run(code_of(hands, node, asked("halt"))) == "halt is done"
    assert (len(files.names()), node.halts.waiting()) == (1, [KILL])
    assert driver.latch.is_set


def test_a_kill_that_no_disk_takes_halts_the_start_it_came_before(
    node: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told that the node starts HALTED, and the start found nothing."""

    def refuse(self: RealFiles, name: str) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(RealFiles, "create", refuse)
    driver = node.driver
    hands, _ = starting(node, tmp_path)
    with pytest.raises(PyrtError, match="starts HALTED; a restart would not know of it: no space"):
        asyncio.run(hands.carry(node, asked("halt")))
    hands.hand_kills_over(driver)
    assert driver.journal.halts.waiting() == [KILL]


def test_an_error_of_the_nodes_own_reaches_whoever_asked(node: Any) -> None:
    def fail() -> dict[str, Any]:
        raise ValueError("a fault")

    with pytest.raises(ValueError, match="a fault"):
        hand_over(node.loop, fail).result(PATIENCE_S)
