"""The line that people speak to a node by: whom it answers, with what, and what it leaves."""

from __future__ import annotations

import asyncio
import os
import socket
import stat
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from pyrt import LiveNode
from pyrt.adapters.alpaca.node.companions import Control
from pyrt.errors import ConfigError
from pyrt.live.driver.gateway import Latch
from pyrt.live.process import control
from pyrt.live.process.control import (
    ADDRESS,
    SOCKET,
    TEXT_MAX,
    TYPED,
    ControlServer,
    Request,
    ask,
    check,
)
from pyrt.live.process.heartbeat import NODE_BEAT, read_beat
from tests.adapters.client.exchange import Broker
from tests.live.server import Server
from tests.live.test_hands import Holds
from tests.live.test_node import KEYS, config_for

GIVEN = {"token": "t", "actor": "anna", "reason": "news"}


def served(folder: Path, work: Callable[[ControlServer], Any]) -> Any:
    """Do something, in a thread of its own, while a server listens."""

    async def run() -> Any:
        server = ControlServer(folder, lambda request: {"did": request.action})
        await server.start()
        try:
            return await asyncio.to_thread(work, server)
        finally:
            await server.stop()

    return asyncio.run(run())


def speak(folder: Path, line: bytes) -> bytes:
    """Say something to the server of a folder; return all it says until it hangs up."""
    address = msgspec.json.decode((folder / ADDRESS).read_bytes())
    with socket.socket(socket.AF_UNIX) as line_:
        line_.settimeout(20.0)
        line_.connect(str(folder / address["socket"]))
        line_.sendall(line)
        said = b""
        while piece := line_.recv(4096):
            said += piece
        return said


@pytest.fixture
def runtime(tmp_path, monkeypatch) -> Path:
    found = tmp_path / "run"
    found.mkdir()
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(found))
    return found


@pytest.fixture
def state(tmp_path) -> Path:
    found = tmp_path / "state"
    found.mkdir(mode=0o700)
    return found


def test_its_socket_and_address_are_the_owners_alone_and_go_with_it(state):
    old = os.umask(0)
    try:

        def look(server: ControlServer) -> list[int]:
            address = msgspec.json.decode((state / ADDRESS).read_bytes())
            assert (address["socket"], address["pid"]) == (SOCKET, os.getpid())
            return [stat.S_IMODE((state / name).stat().st_mode) for name in (SOCKET, ADDRESS)]

        assert served(state, look) == [0o600, 0o600]
    finally:
        os.umask(old)
    assert list(state.iterdir()) == []


def test_a_folder_for_sockets_that_is_the_nodes_alone_keeps_nobody_away(state, runtime):
    """Under systemd /tmp is the service's own: a shell sees nothing of what lies in it."""

    def talk(server: ControlServer) -> dict[str, Any]:
        runtime.rename(runtime.with_name("unseen"))
        return ask(state, "status")

    assert served(state, talk) == {"did": "status"}


def test_a_folder_that_was_seen_at_another_place_is_spoken_to_there(state):
    def talk(server: ControlServer) -> dict[str, Any]:
        state.rename(state.with_name("mounted"))
        answer = ask(state.with_name("mounted"), "status")
        state.with_name("mounted").rename(state)
        return answer

    assert served(state, talk) == {"did": "status"}


def test_where_the_path_is_too_long_for_a_socket_it_lies_in_the_users_folder(tmp_path, runtime):
    state = tmp_path / ("long" * 30)
    state.mkdir()
    sockets = runtime / f"pyrt-{os.geteuid()}"

    def talk(server: ControlServer) -> dict[str, Any]:
        (found,) = sockets.iterdir()
        assert [stat.S_IMODE(each.stat().st_mode) for each in (found, sockets)] == [0o600, 0o700]
        return ask(state, "status")

    assert served(state, talk) == {"did": "status"}
    assert [*sockets.iterdir(), *state.iterdir()] == []


def test_what_a_killed_node_has_left_is_in_nobodys_way(state):
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(state / SOCKET))
    assert served(state, lambda server: ask(state, "status")) == {"did": "status"}


def test_what_is_prepared_answers_nobody_before_it_starts_and_leaves_nothing(state):
    async def run() -> None:
        server = ControlServer(state, lambda request: {"did": request.action})
        await server.prepare()
        assert not (state / ADDRESS).exists()
        with socket.socket(socket.AF_UNIX) as early, pytest.raises(ConnectionRefusedError):
            early.connect(str(state / SOCKET))
        await server.start()
        assert await asyncio.to_thread(ask, state, "status") == {"did": "status"}
        await server.stop()
        assert list(state.iterdir()) == []
        await server.prepare()
        await server.stop()

    asyncio.run(run())
    assert list(state.iterdir()) == []


def test_a_node_whose_line_has_no_place_ends_before_its_strategies_speak(tmp_path, runtime):
    """It ended once they had spoken, with what they had sent at the broker."""
    state = tmp_path / ("long" * 30)
    (runtime / f"pyrt-{os.geteuid()}").mkdir()
    (runtime / f"pyrt-{os.geteuid()}").chmod(0o777)
    strategy = Holds()
    with Server(Broker([100.0] * 4)) as server:
        node = LiveNode(config_for(server, state_dir=str(state)), KEYS)
        node.add_strategy(strategy)
        with pytest.raises(ConfigError, match="no folder that this user alone can write in"):
            node.run()
    assert not hasattr(strategy, "seen")
    assert read_beat(state, NODE_BEAT) is None


def test_its_end_may_come_twice_and_takes_nobody_elses_address(tmp_path, runtime):
    async def run() -> None:
        server = ControlServer(tmp_path, lambda request: {})
        await server.start()
        listening = server._server
        # Whoever tidies up temporary files may have been there.
        (tmp_path / ADDRESS).unlink()
        server._path.unlink()
        await server.stop()
        assert not listening.is_serving()
        # Another node begins in the same folder.
        (tmp_path / ADDRESS).write_bytes(b"{}")
        await server.stop()
        assert (tmp_path / ADDRESS).exists()

    asyncio.run(run())


def test_it_hangs_up_after_one_answer_and_refuses_who_has_no_token(tmp_path, runtime):
    def talk(server: ControlServer) -> list[Any]:
        right = msgspec.json.encode(Request(token=server._token, action="status"))
        wrong = msgspec.json.encode(Request(token=server._token[:-1], action="status"))
        lines = (right + b"\n" + right + b"\n", wrong + b"\n", b"nonsense\n")
        return [msgspec.json.decode(speak(tmp_path, line)) for line in lines]

    right, wrong, nonsense = served(tmp_path, talk)
    assert right == {"ok": True, "did": "status"}
    assert wrong == {"ok": False, "code": "token", "error": "the token is not this node's"}
    assert (nonsense["ok"], nonsense["code"]) == (False, "request")


def test_who_says_nothing_or_too_much_is_hung_up_on(tmp_path, runtime, monkeypatch):
    monkeypatch.setattr(control, "PATIENCE_S", 0.05)
    said = served(tmp_path, lambda server: [speak(tmp_path, b"half of a li")])
    assert said == [b""]


def test_a_node_that_is_busy_too_long_may_have_done_it(tmp_path, monkeypatch):
    monkeypatch.setattr(control, "PATIENCE_S", 0.05)
    busy = socket.socket(socket.AF_UNIX)
    busy.bind(str(tmp_path / "s"))
    busy.listen()
    address = {"socket": str(tmp_path / "s"), "token": "t"}
    (tmp_path / ADDRESS).write_bytes(msgspec.json.encode(address))
    found: list[ConfigError] = []

    def wait() -> None:
        with pytest.raises(ConfigError) as refused:
            ask(tmp_path, "flatten", actor="anna", reason="news")
        found.append(refused.value)

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    thread.join(20.0)
    busy.close()
    assert [error.code for error in found] == ["no_answer"]


class Busy:
    """A node whose loop takes up later what is asked of it, and what it has done by then."""

    def __init__(self, folder: Path) -> None:
        self.done: list[str] = []
        self.latch = Latch()
        self.said = threading.Event()
        self._folder = folder

    def ask_while_busy(self, *asks: Callable[[], object]) -> None:
        """Do these in turn, each as far as `said`, while the loop stands still; then let it go."""

        async def run() -> None:
            control = Control(self._folder)
            await control.begin(self)
            others = [threading.Thread(target=each, daemon=True) for each in asks]
            for other in others:
                self.said.clear()
                other.start()
                assert self.said.wait(20.0)
            while any(other.is_alive() for other in others):
                await asyncio.sleep(0.001)
            # What was said by who has left is taken up too.
            for _ in range(20):
                await asyncio.sleep(0)
            await control.end()

        asyncio.run(asyncio.wait_for(run(), 20.0))

    @property
    def driver(self) -> Any:
        return SimpleNamespace(latch=self.latch, operate=self._operate)

    def _operate(self, action: str, *_: object, **__: object) -> str:
        self.done.append(action)
        return f"{action} is done"

    def client_order_id(self, name: str) -> str:
        return name

    def wake(self) -> None:
        """Nobody sleeps here."""

    def kill(self) -> None:
        """Press Kill at the page."""
        self.latch.set("anna: odd", time.monotonic_ns())
        self.said.set()

    def say(self, action: str, **given: Any) -> socket.socket:
        """Ask for something, and return the line that the answer comes by."""
        address = msgspec.json.decode((self._folder / ADDRESS).read_bytes())
        line = socket.socket(socket.AF_UNIX)
        line.settimeout(20.0)
        line.connect(str(self._folder / address["socket"]))
        given = {"actor": "bert", "reason": "fine", "typed": TYPED.get(action, ""), **given}
        request = Request(token=address["token"], action=action, **given)
        line.sendall(msgspec.json.encode(request) + b"\n")
        return line

    def asked(self, action: str, *, says_no_more: bool = False, **given: Any) -> dict[str, Any]:
        """Ask for something, and return the answer."""
        with self.say(action, **given) as line:
            if says_no_more:
                line.shutdown(socket.SHUT_WR)
            self.said.set()
            return msgspec.json.decode(line.recv(4096))


@pytest.fixture
def busy(state, monkeypatch) -> Busy:
    made, read = Busy(state), control._read_line

    def read_line(line: socket.socket) -> bytes:
        made.said.set()
        return read(line)

    monkeypatch.setattr(control, "_read_line", read_line)
    return made


@pytest.mark.parametrize(
    ("action", "is_done"),
    [("resume", False), ("reset_breaker", False), ("halt", True), ("cancel_all", True)],
)
def test_what_lets_more_leave_is_not_done_for_who_has_hung_up(busy, caplog, action, is_done):
    """It was done behind a kill, for nobody."""

    def leave() -> None:
        busy.say(action, asked_ns=time.monotonic_ns()).close()
        busy.said.set()

    busy.ask_while_busy(leave)
    assert busy.done == [action] * is_done
    assert ("has hung up; it was not done (bert: fine)" in caplog.text) is not is_done


def test_who_says_no_more_and_waits_is_answered(busy):
    told: list[Any] = []
    given = {"asked_ns": time.monotonic_ns(), "says_no_more": True}
    busy.ask_while_busy(lambda: told.append(busy.asked("resume", **given)))
    assert told == [{"ok": True, "done": "resume is done"}]


@pytest.mark.parametrize(
    ("action", "is_done"),
    [
        *(("resume", False), ("reset_breaker", False), ("reduce", False), ("flatten", False)),
        *(("halt", True), ("cancel_all", True)),
    ],
)
def test_what_was_asked_before_a_kill_does_not_lift_it(busy, state, action, is_done):
    """The page's kill was heard of first, and orders left behind it."""
    told = []

    def shell() -> None:
        given = {"actor": "bert", "reason": "fine", "typed": TYPED.get(action, "")}
        try:
            told.append(ask(state, action, **given)["done"])
        except ConfigError as error:
            told.append(error.code)

    busy.ask_while_busy(shell, busy.kill)
    assert (busy.done, told) == (([action], [f"{action} is done"]) if is_done else ([], ["killed"]))
    # Whoever asks once more has heard of it.
    busy.ask_while_busy(shell)
    assert told[1:] == [f"{action} is done"]


@pytest.mark.parametrize("action", ["resume", "cancel_all"])
def test_who_does_not_say_when_may_lift_a_kill(busy, action):
    """A script at the socket, or a shell of before, could never do it in that run."""
    told: list[Any] = []
    busy.kill()
    busy.ask_while_busy(lambda: told.append(busy.asked(action)))
    assert told == [{"ok": True, "done": f"{action} is done"}]


def test_a_halt_by_the_line_counts_from_when_it_was_asked(busy, state):
    busy.ask_while_busy(lambda: ask(state, "halt", actor="anna", reason="odd"))
    halted, told = busy.latch.asked_ns, []
    assert 0 < halted < time.monotonic_ns()
    for asked_ns in (halted - 1, halted):
        busy.ask_while_busy(lambda at=asked_ns: told.append(busy.asked("resume", asked_ns=at)))
    assert told == [
        {
            "ok": False,
            "code": "killed",
            "error": "Kill was pressed after resume was asked for; it was not done. "
            "Look why, and ask again",
        },
        {"ok": True, "done": "resume is done"},
    ]
    assert busy.done == ["halt", "resume"]


def test_what_went_wrong_in_us_is_in_the_log(tmp_path, runtime, caplog):
    def fails(request: Request) -> dict[str, Any]:
        raise RuntimeError("of ours")

    server = ControlServer(tmp_path, fails)
    line = msgspec.json.encode(Request(token=server._token, action="status"))
    assert server.answer(line)["code"] == "internal"
    (record,) = caplog.records
    assert record.getMessage() == "status went wrong"
    assert record.exc_info is not None


@pytest.mark.parametrize(
    "name", ["actor", "reason", "typed", "symbol", "strategy", "order", "limit", "value"]
)
def test_a_text_is_of_five_hundred_characters_at_most(name):
    given = {**GIVEN, name: "x" * (TEXT_MAX + 1)}
    with pytest.raises(ConfigError, match=f"{name} has more than 500 characters") as refused:
        check(Request(action="status", **given))
    assert refused.value.code == name
    assert check(Request(action="status", **{**GIVEN, name: "x" * TEXT_MAX}))


@pytest.mark.parametrize(
    ("action", "word"), [("flatten", "FLATTEN"), ("resume", "RESUME"), ("reset_breaker", "RESET")]
)
def test_the_word_that_is_needed_is_named_to_who_has_typed_none(action, word):
    for typed in ("", "no"):
        with pytest.raises(ConfigError, match=f"needs the word {word} typed") as refused:
            check(Request(action=action, typed=typed, **GIVEN))
        assert (f"Add --typed {word}" in str(refused.value)) == (not typed)
    assert check(Request(action=action, typed=word, **GIVEN)).action == action


@pytest.mark.parametrize(
    ("action", "given", "text"),
    [
        ("stop", {"symbol": "SPY"}, "stop takes no symbol; nothing was done"),
        ("close", {"symbol": "SPY", "order": "a"}, "close takes no order; nothing was done"),
        ("cancel", {}, "cancel needs its order named"),
        ("set_limit", {"value": "1"}, "set_limit needs its limit named"),
        ("set_limit", {"limit": "x"}, "set_limit needs its value named"),
        ("sell", {}, "action is 'sell'; expected one of status, stop, lost"),
        ("halt", {"actor": " "}, "halt needs an actor and a reason. Add --actor TEXT$"),
        ("halt", {"reason": ""}, "halt needs an actor and a reason. Add --reason TEXT$"),
        ("resume", {"typed": "resume"}, "resume needs the word RESUME typed. Typed was 'resume'"),
    ],
)
def test_what_a_request_lacks_or_has_too_much_is_named(action, given, text):
    with pytest.raises(ConfigError, match=text) as refused:
        check(Request(action=action, **{**GIVEN, **given}))
    if action == "close":
        assert "It takes symbol" in str(refused.value)
    if action == "stop":
        assert "It is about all" in str(refused.value)
