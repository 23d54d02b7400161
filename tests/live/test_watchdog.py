"""A node and its watchdog, between them: who beats, who leaves with whom, and who is missed."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from pyrt.adapters.alpaca.node import companions
from pyrt.cli import main
from pyrt.live.driver.run import RUNNING, STOPPED, STOPPING
from pyrt.live.process import heartbeat
from pyrt.live.process.heartbeat import (
    NODE_BEAT,
    WATCHDOG_BEAT,
    Beat,
    Watch,
    read_beat,
    write_beat,
)


class Lived:
    """A node of which its companions see this much; its alarms are kept."""

    def __init__(self, phase: int = RUNNING) -> None:
        self.alarms: list[str] = []
        self.driver = SimpleNamespace(phase=phase, scribe=SimpleNamespace(alarm=self.alarm))
        self.run_id = "one"
        self.has_turned = True

    def alarm(self, code: str, text: str, ts: int) -> None:
        self.alarms.append(code)


# -- the node's beat ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phase", "beat"), [(RUNNING, "failed"), (STOPPING, "failed"), (STOPPED, "stopped")]
)
def test_only_a_stop_that_is_through_is_one_in_order(tmp_path, phase, beat):
    """One that an error or a second interrupt cuts off leaves orders that nobody looks after."""
    node = Lived()

    async def live():
        heart = companions.Heart(tmp_path)
        await heart.begin(node)
        node.driver.phase = phase
        await heart.end()

    asyncio.run(live())
    assert read_beat(tmp_path, NODE_BEAT).phase == beat


def test_what_ends_the_nodes_terminal_does_not_end_the_watchdog(tmp_path):
    """Ctrl-C, or a session that is dropped, goes to all processes of it at once."""
    place = tmp_path / "session"
    code = f"import os; open({str(tmp_path / 'part')!r}, 'w').write(str(os.getsid(0)))"
    code += f"; os.rename({str(tmp_path / 'part')!r}, {str(place)!r})"

    async def live():
        heart = companions.Heart(tmp_path, [sys.executable, "-c", code])
        heart.watch(Lived())
        until = time.monotonic() + 20
        while not place.exists():
            assert time.monotonic() < until
            await asyncio.sleep(0.005)
        await heart.end()

    asyncio.run(live())
    assert int(place.read_text()) != os.getsid(0)


def started(folder: Path, code: str) -> subprocess.CompletedProcess[bytes]:
    """Let a process start a watchdog, which is this code, and fail at once; return what it said."""
    program = f"""
import os, sys
from pathlib import Path
from types import SimpleNamespace
from pyrt.adapters.alpaca.node.companions import Heart
heart = Heart(Path({str(folder)!r}), [sys.executable, "-c", {code!r}])
heart.watch(SimpleNamespace(run_id="one", driver=None))
sys.stderr.write("the node fails")
sys.stderr.flush()
os._exit(1)
"""
    return subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, timeout=60)


def test_whoever_reads_what_a_node_says_does_not_wait_for_its_watchdog(tmp_path):
    """`pyrt live 2>&1 | tee` never came to its end after a node that failed."""
    goes_on, said = tmp_path / "go-on", tmp_path / "logs" / "watchdog.log"
    code = "import os, sys, time\nuntil = time.monotonic() + 60\n"
    code += f"while not os.path.exists({str(goes_on)!r}) and time.monotonic() < until:\n"
    code += "    time.sleep(0.01)\nsys.stderr.write('all is canceled')"
    said.parent.mkdir()
    said.write_text("before; ")
    node = started(tmp_path, code)
    # The watchdog lives, and whoever reads has come to the end.
    assert (node.returncode, node.stderr) == (1, b"the node fails")
    goes_on.touch()
    until = time.monotonic() + 20
    while said.read_text() != "before; all is canceled":
        assert time.monotonic() < until
        time.sleep(0.005)


def test_what_a_watchdog_says_is_its_owners_alone_and_does_not_grow_for_ever(tmp_path, monkeypatch):
    monkeypatch.setattr(companions, "WATCHDOG_LOG_MAX", 3)
    folder = tmp_path / "logs"
    for text in (b"one", b"two", b"three"):
        with companions.watchdog_output(tmp_path) as file:
            file.write(text)
    found = {
        path.name: (path.read_bytes(), path.stat().st_mode & 0o777) for path in folder.iterdir()
    }
    assert found == {"watchdog.log": (b"three", 0o600), "watchdog.log.1": (b"onetwo", 0o600)}
    assert folder.stat().st_mode & 0o777 == 0o700


def test_where_there_is_no_place_for_it_a_watchdog_speaks_where_its_node_does(tmp_path, caplog):
    (tmp_path / "logs").write_text("in the way")
    with companions.watchdog_output(tmp_path) as file:
        assert file is None
    assert "the watchdog speaks where the node does" in caplog.text


def test_a_heart_whose_watchdog_cannot_be_started_again_beats_on(tmp_path, monkeypatch):
    for name in ("BEAT_S", "WATCHDOG_SILENCE_S"):
        monkeypatch.setattr(companions, name, 0.001)
    node, beats = Lived(), []
    monkeypatch.setattr(companions, "write_beat", lambda *_, phase, run_id: beats.append(phase))

    async def live():
        heart = companions.Heart(tmp_path, [str(tmp_path / "gone")], is_watched=True)
        await heart.begin(node)
        while node.alarms.count("watchdog_lost") < 3:
            await asyncio.sleep(0.001)
        before = len(beats)
        while len(beats) < before + 3:
            await asyncio.sleep(0.001)
        await heart.end()

    asyncio.run(asyncio.wait_for(live(), 20))
    assert set(node.alarms) == {"watchdog_lost"}


@pytest.mark.parametrize("is_needed", [True, False])
def test_a_node_that_starts_no_watchdog_tells_where_it_is_to_have_one(
    tmp_path, monkeypatch, is_needed
):
    """From Python there are no settings in a file that one could be started by."""
    for name in ("BEAT_S", "WATCHDOG_SILENCE_S"):
        monkeypatch.setattr(companions, name, 0.001)
    node, beats = Lived(), []
    monkeypatch.setattr(companions, "write_beat", lambda *_, phase, run_id: beats.append(phase))

    async def live():
        heart = companions.Heart(tmp_path, is_watched=is_needed)
        await heart.begin(node)
        while len(beats) < 20:
            await asyncio.sleep(0.001)
        await heart.end()

    asyncio.run(live())
    assert node.alarms == ["watchdog_lost"] * is_needed


# -- while strategies start -----------------------------------------------------------------------


def test_a_start_beats_though_the_loop_stands_still(tmp_path, monkeypatch):
    """However long it takes: what works at the broker is not to be canceled meanwhile."""
    monkeypatch.setattr(companions, "BEAT_S", 0.002)
    node, seen = Lived(), set()

    async def live():
        heart = companions.Heart(tmp_path)
        heart.watch(node)
        until = time.monotonic() + 20
        while len(seen) < 3:
            assert time.monotonic() < until
            time.sleep(0.001)
            beat = read_beat(tmp_path, NODE_BEAT)
            seen.add((beat.at_ns, beat.phase, beat.run_id))
        await heart.begin(node)
        assert read_beat(tmp_path, NODE_BEAT).phase == "running"
        await heart.end()

    asyncio.run(live())
    assert {each[1:] for each in seen} == {("looking", "one")}
    assert "pyrt-heart" not in {thread.name for thread in threading.enumerate()}


def test_a_start_that_hangs_falls_silent(tmp_path, monkeypatch):
    monkeypatch.setattr(companions, "BEAT_S", 0.001)
    monkeypatch.setattr(companions, "START_S", 0.0)
    node = Lived()
    heart = companions.Heart(tmp_path)
    heart.watch(node)
    for thread in threading.enumerate():
        if thread.name == "pyrt-heart":
            thread.join(20)
    assert "pyrt-heart" not in {thread.name for thread in threading.enumerate()}
    # It was none of an end in order, whatever comes of it.
    asyncio.run(heart.end())
    assert read_beat(tmp_path, NODE_BEAT).phase == "failed"


def test_a_heart_that_never_beat_says_nothing_at_its_end(tmp_path):
    asyncio.run(companions.Heart(tmp_path).end())
    assert read_beat(tmp_path, NODE_BEAT) is None


# -- when the watchdog leaves ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("phases", "run", "leaves"),
    [
        (["stopped"], "", [False]),
        ([None, "stopped"], "", [False, False]),
        (["running", "stopped"], "", [False, True]),
        (["stopped", "looking", "stopping", "stopped"], "", [False, False, False, True]),
        (["failed", "stopped"], "", [False, True]),
        # Its node was so quick that it has not seen it run; or it is another's beat.
        (["stopped"], "one", [True]),
        (["stopped"], "two", [False]),
    ],
)
def test_a_watchdog_leaves_with_the_node_that_it_has_watched(phases, run, leaves):
    watch = Watch(10, run_id=run)
    beats = [phase and Beat(1, 0, phase, "one") for phase in phases]
    assert [watch.is_over(beat) for beat in beats] == leaves


CANCELING = "pyrt.adapters.alpaca.account.canceling"


def watch_by_hand(
    tmp_path,
    monkeypatch,
    turns: list[Callable[[], object]],
    *more: str,
    settings: str = "",
    refusal: str = "",
) -> int:
    """Run a watchdog in whose turns something is done; return its exit code."""
    monkeypatch.setenv("APCA_API_KEY_ID", "PKX")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "canary-77")
    text = f'symbols = ["SPY"]\nstate_dir = "{tmp_path / "state"}"\n[limits]\n{settings}'
    (tmp_path / "node.toml").write_text(text)
    left = iter(turns)
    clock = SimpleNamespace(sleep=lambda _: next(left)(), monotonic_ns=time.monotonic_ns)
    monkeypatch.setattr("pyrt.cli.watchdog.time", clock)
    monkeypatch.setattr(f"{CANCELING}.refused_keys", lambda url, credentials: refusal)
    return main(["watchdog", "--config", str(tmp_path / "node.toml"), *more])


def test_a_watchdog_started_before_its_node_waits_for_it_and_says_so(tmp_path, monkeypatch, caplog):
    """The last run's beat of an end made it leave at once, without a word."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    write_beat(state, NODE_BEAT, phase="stopped", run_id="old")
    left = [
        lambda: write_beat(state, NODE_BEAT, phase="running", run_id="one"),
        lambda: write_beat(state, NODE_BEAT, phase="stopped", run_id="one"),
    ]
    assert watch_by_hand(tmp_path, monkeypatch, left) == 0
    assert [m for m in caplog.messages if "no node runs" in m] == [
        f"no node runs in {state} yet: the watchdog waits for one"
    ]
    assert read_beat(state, WATCHDOG_BEAT) is None


def test_a_watchdog_whose_node_was_quicker_leaves_with_it(tmp_path, monkeypatch, caplog):
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    write_beat(state, NODE_BEAT, phase="stopped", run_id="one")
    assert watch_by_hand(tmp_path, monkeypatch, [], "--run", "one") == 0
    assert "no node runs" not in caplog.text


def test_a_watchdog_hears_all_that_its_node_s_service_is_given(tmp_path, monkeypatch, capsys):
    """Its settings and the secrets of alerts, not the keys alone."""
    for name in ("PYRT_NODE_STATE_DIR", "HOOK"):
        monkeypatch.delenv(name, raising=False)
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    write_beat(other, NODE_BEAT, phase="stopped", run_id="one")
    (tmp_path / "env").write_text(
        f"PYRT_NODE_STATE_DIR={other}\nHOOK=https://hooks.test/T0/canary-5d\n"
    )
    (tmp_path / "env").chmod(0o600)
    given = ["--run", "one", "--env-file", str(tmp_path / "env")]
    alerts = '[[alerts]]\nform = "slack"\nurl_env = "HOOK"\n'
    assert watch_by_hand(tmp_path, monkeypatch, [], *given, settings=alerts) == 0
    assert "nobody can be told" not in capsys.readouterr().err


@pytest.mark.parametrize("refusal", ["", "HTTP 401"])
def test_a_watchdog_tells_that_its_keys_are_gone_while_its_node_lives(
    tmp_path, monkeypatch, caplog, refusal
):
    """It keeps those that it started with: that they cancel nothing showed when the node died."""
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    write_beat(state, NODE_BEAT, phase="running", run_id="one")
    left = [
        lambda: write_beat(state, NODE_BEAT, phase="running", run_id="one"),
        lambda: write_beat(state, NODE_BEAT, phase="stopped", run_id="one"),
    ]
    assert watch_by_hand(tmp_path, monkeypatch, left, refusal=refusal) == 0
    told = [text for text in caplog.messages if "refuses the watchdog's keys (HTTP 401)" in text]
    assert len(told) == bool(refusal)


@pytest.mark.parametrize("hangs", [False, True])
def test_a_watchdog_whose_broker_is_slow_beats_on_unless_it_hangs(tmp_path, monkeypatch, hangs):
    """A node that was frozen, and came back meanwhile, told that it had no watchdog."""
    state, seen = tmp_path / "state", set()
    state.mkdir(mode=0o700)
    monkeypatch.setattr(heartbeat, "BEAT_S", 0.002)
    if hangs:
        monkeypatch.setattr("pyrt.cli.watchdog.CANCEL_S", 0.0)
    (state / NODE_BEAT).write_bytes(msgspec.json.encode(Beat(1, 0, "running", "one")))

    def cancel(url, credentials, *, attempts):
        until = time.monotonic() + (0.05 if hangs else 20)
        while len(seen) < 4 and time.monotonic() < until:
            seen.add(read_beat(state, WATCHDOG_BEAT).at_ns)
            time.sleep(0.001)
        return ""

    monkeypatch.setattr(f"{CANCELING}.cancel_everything", cancel)
    left = [lambda: write_beat(state, NODE_BEAT, phase="stopped", run_id="one")]
    assert watch_by_hand(tmp_path, monkeypatch, left) == 0
    # The one that it had begun with, and those that came while it waited.
    assert len(seen) == (1 if hangs else 4)
    assert "pyrt-watchdog" not in {thread.name for thread in threading.enumerate()}


def test_the_command_that_starts_a_watchdog_names_the_run():
    command = companions.watchdog_command("n.toml", env_file="e", profile="paper", run_id="one")
    assert command[3:] == [
        "watchdog", "--config", "n.toml", "--run", "one", "--env-file", "e", "--profile", "paper",
    ]  # fmt: skip
