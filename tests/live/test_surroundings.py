"""What stands around a node: locks, beats, control, backups."""

from __future__ import annotations

import asyncio
import errno
import math
import os
import socket
import subprocess
import sys
import tarfile
import threading
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from pyrt.adapters.alpaca.node import companions
from pyrt.cli import main
from pyrt.errors import ConfigError, JournalError
from pyrt.live.driver.gateway import Latch
from pyrt.live.driver.run import RUNNING, STOPPED, STOPPING
from pyrt.live.journal import records as r
from pyrt.live.journal.backup import backup, backup_if_due, restore
from pyrt.live.journal.files import NoFiles, RealFiles
from pyrt.live.journal.halts import Halt, Halts
from pyrt.live.journal.journal import Journal
from pyrt.live.journal.log import LogReader
from pyrt.live.journal.verify import verify
from pyrt.live.process import heartbeat
from pyrt.live.process.control import ControlServer, Request, ask, check
from pyrt.live.process.heartbeat import (
    NODE_BEAT,
    WATCHDOG_BEAT,
    Beat,
    Watch,
    read_beat,
    silence_s,
    write_beat,
)
from pyrt.live.process.lock import Lock, lock_account, lock_state

SECOND = 1_000_000_000
HOUR = 3600 * SECOND


# -- locks ------------------------------------------------------------------------------------


def test_a_lock_is_held_against_other_processes_until_it_is_released(tmp_path):
    lock = lock_state(tmp_path)
    code = (
        "import sys; from pathlib import Path; from pyrt.live.process.lock import lock_state\n"
        f"lock_state(Path({str(tmp_path)!r}))"
    )
    held = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "another node" in held.stderr
    lock.release()
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
    Lock(tmp_path / "lock", "x").release()


def test_accounts_are_told_apart_by_server_and_number(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    first = lock_account("http://a", "PA1")
    lock_account("http://b", "PA1").release()
    lock_account("http://a", "PA2").release()
    with pytest.raises(ConfigError, match="the account PA1"):
        lock_account("http://a", "PA1")
    first.release()


# -- beats ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("beat", "now", "dead"),
    [
        (None, 100, False),
        (Beat(1, 90, "running"), 100, False),
        (Beat(1, 89, "running"), 100, True),
        (Beat(1, 0, "stopping"), 100, True),
        (Beat(1, 0, "failed"), 100, True),
        (Beat(1, 0, "stopped"), 100, False),
        (Beat(1, 0, ""), 100, False),
        # The machine was started anew, its time has begun again: it died with the node.
        (Beat(1, 110, "running"), 100, False),
        (Beat(1, 111, "running"), 100, True),
        (Beat(1, 111, "stopped"), 100, False),
    ],
)
def test_a_node_is_dead_when_it_was_silent_too_long_and_had_not_stopped(beat, now, dead):
    assert Watch(10).is_dead(beat, now) == dead


def test_one_silence_is_acted_upon_once_and_the_next_one_again():
    watch = Watch(10)
    silent = Beat(1, 0, "running")
    assert watch.is_dead(silent, 100)
    watch.acted(silent)
    assert not watch.is_dead(silent, 200)
    assert watch.is_dead(Beat(1, 150, "running"), 200)
    assert watch.is_dead(Beat(2, 0, "running"), 200)


def test_a_beat_takes_no_room_on_a_full_disk(tmp_path, monkeypatch):
    """A node, or a watchdog, that is taken for dead then costs the account its exits."""
    write_beat(tmp_path, NODE_BEAT, phase="running", run_id="4f1d22ab90c3")
    before = (tmp_path / NODE_BEAT).stat()
    opened = os.open

    def full(path, flags, mode=0o777):
        if flags & (os.O_CREAT | os.O_TRUNC):
            raise OSError(errno.ENOSPC, "No space left on device")
        return opened(path, flags, mode)

    monkeypatch.setattr(os, "open", full)
    write_beat(tmp_path, NODE_BEAT, phase="stopped")
    after = (tmp_path / NODE_BEAT).stat()
    assert (after.st_ino, after.st_size) == (before.st_ino, before.st_size)
    beat = read_beat(tmp_path, NODE_BEAT)
    assert (beat.phase, beat.run_id) == ("stopped", "")
    with pytest.raises(OSError, match="such file"):
        write_beat(tmp_path, "another")
    assert os.listdir(tmp_path) == [NODE_BEAT]


def test_a_watchdog_whose_beat_cannot_be_written_watches_on(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("APCA_API_KEY_ID", "PKX")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "canary-77")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (tmp_path / "node.toml").write_text(f'symbols = ["SPY"]\nstate_dir = "{state}"\n[limits]\n')
    write_beat(state, NODE_BEAT, phase="running")
    turns = []

    def fail(*_, **__):
        turns.append(1)
        if len(turns) == 3:
            # The node has stopped in order meanwhile.
            (state / NODE_BEAT).write_bytes(
                msgspec.json.encode(Beat(1, time.monotonic_ns(), "stopped"))
            )
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(heartbeat, "write_beat", fail)
    assert main(["watchdog", "--config", str(tmp_path / "node.toml"), "--silence", "1"]) == 0
    assert len(turns) == 3


def test_a_handler_that_is_stuck_closes_the_latch_at_once_and_is_told_by_the_loop():
    alarms, latched, taken = [], [], []
    halts = Halts(NoFiles())
    driver = SimpleNamespace(
        latch=SimpleNamespace(set=lambda text, asked_ns: latched.append(text)),
        scribe=SimpleNamespace(alarm=lambda code, text, ts: alarms.append((code, text))),
        journal=SimpleNamespace(halts=halts),
        take_halts=lambda: taken.extend(halts.waiting()),
    )

    async def hang():
        monitor = companions.HandlerMonitor(5.0, "", None)
        core = SimpleNamespace(kernel=SimpleNamespace(errors=[]))
        woken = []
        wake = partial(woken.append, True)
        monitor.watch(SimpleNamespace(driver=driver, core=core, wake=wake))
        thread = threading.Thread(target=monitor._on_stuck, args=("it hangs",))
        thread.start()
        thread.join()
        assert (latched, alarms, taken) == (["it hangs"], [], [])
        await asyncio.sleep(0)
        assert alarms == [("stuck", "it hangs")]
        assert (taken, woken) == ([Halt("monitor", "it hangs")], [True])
        await monitor.end()

    asyncio.run(hang())


@pytest.mark.parametrize("problem", ["", "2 still open, as order 7, which is accepted"])
def test_where_orders_are_left_behind_a_stuck_handler_that_is_told(problem, monkeypatch, caplog):
    """Without a watchdog nobody heard of it."""
    monkeypatch.setattr(companions, "cancel_everything", lambda url, credentials: problem)
    alarms = []
    driver = SimpleNamespace(
        latch=Latch(),
        scribe=SimpleNamespace(alarm=lambda code, text, ts: alarms.append((code, text))),
        journal=SimpleNamespace(halts=Halts(NoFiles())),
        take_halts=lambda: None,
    )

    async def hang():
        monitor = companions.HandlerMonitor(5.0, "http://broker", None)
        core = SimpleNamespace(kernel=SimpleNamespace(errors=[]))
        monitor.watch(SimpleNamespace(driver=driver, core=core, wake=lambda: None))
        before = set(threading.enumerate())
        monitor._on_stuck("it hangs")
        for thread in set(threading.enumerate()) - before:
            await asyncio.to_thread(thread.join)
        await asyncio.sleep(0)
        await monitor.end()

    asyncio.run(hang())
    text = f"the account's orders are not all canceled: {problem}"
    assert set(alarms) == {("stuck", "it hangs"), *[("stuck", text)] * bool(problem)}
    assert (f"a handler hangs, and {text}" in caplog.text) is bool(problem)


def test_a_heart_whose_beat_cannot_be_written_tells_and_goes_on(tmp_path, monkeypatch):
    monkeypatch.setattr(companions, "BEAT_S", 0.001)
    alarms = []

    def fail(*_, **__):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(companions, "write_beat", fail)
    driver = SimpleNamespace(
        phase=RUNNING, scribe=SimpleNamespace(alarm=lambda code, text, ts: alarms.append(code))
    )

    async def beat():
        heart = companions.Heart(tmp_path)
        await heart.begin(SimpleNamespace(driver=driver, run_id="one", has_turned=True))
        while len(alarms) < 5:
            await asyncio.sleep(0.001)
        await heart.end()

    asyncio.run(asyncio.wait_for(beat(), 20))
    assert set(alarms) == {"watchdog_lost"}


def test_a_node_whose_loop_hangs_does_not_beat(tmp_path, monkeypatch):
    """Its heart is a task of its own, and would go on: the watchdog is to see it."""
    for name in ("BEAT_S", "NODE_SILENCE_S"):
        monkeypatch.setattr(companions, name, 0.001)
    alarms, beats, looks = [], [], []
    monkeypatch.setattr(companions, "write_beat", lambda *_, phase, run_id: beats.append(phase))
    driver = SimpleNamespace(
        phase=RUNNING,
        scribe=SimpleNamespace(alarm=lambda code, text, ts: alarms.append(code)),
        look=looks.append,
    )
    node = SimpleNamespace(driver=driver, run_id="one", has_turned=False, now=SECOND)

    async def beat():
        heart = companions.Heart(tmp_path)
        await heart.begin(node)
        await asyncio.sleep(0.05)
        assert (beats, alarms) == (["running"], [])
        node.has_turned = True
        while len(beats) < 3:
            await asyncio.sleep(0.001)
        assert "frozen" in alarms
        # By the node's clock: the machine's may have been set meanwhile.
        assert set(looks) == {SECOND}
        # One that has stopped needs no turns for its last beats.
        node.has_turned, driver.phase = False, STOPPED
        while len(beats) < 6:
            await asyncio.sleep(0.001)
        await heart.end()

    asyncio.run(asyncio.wait_for(beat(), 20))


def test_a_watchdog_that_leaves_leaves_no_beat(tmp_path, monkeypatch):
    """A node that is started again at once would take it for alive, and start none."""
    monkeypatch.setenv("APCA_API_KEY_ID", "PKX")
    monkeypatch.setenv("APCA_API_SECRET_KEY", "canary-77")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    (tmp_path / "node.toml").write_text(f'symbols = ["SPY"]\nstate_dir = "{state}"\n[limits]\n')
    write_beat(state, NODE_BEAT, phase="stopped", run_id="one")
    assert main(["watchdog", "--config", str(tmp_path / "node.toml"), "--run", "one"]) == 0
    assert read_beat(state, WATCHDOG_BEAT) is None
    assert (state / "watchdog.lock").exists()


@pytest.mark.parametrize(("phase", "told"), [(RUNNING, 1), (STOPPING, 1), (STOPPED, 0)])
def test_a_watchdog_that_leaves_with_its_node_is_not_missed(tmp_path, monkeypatch, phase, told):
    """Once a node has stopped its watchdog goes, and nobody needs it: that is no alarm."""
    for name in ("BEAT_S", "WATCHDOG_SILENCE_S"):
        monkeypatch.setattr(companions, name, 0.001)
    alarms, beats = [], []
    monkeypatch.setattr(companions, "write_beat", lambda *_, phase, run_id: beats.append(phase))
    driver = SimpleNamespace(
        phase=phase, scribe=SimpleNamespace(alarm=lambda code, text, ts: alarms.append(code))
    )

    async def beat():
        heart = companions.Heart(tmp_path, ["true"], is_watched=True)
        await heart.begin(SimpleNamespace(driver=driver, run_id="one", has_turned=True))
        while not alarms and len(beats) < 50:
            await asyncio.sleep(0.001)
        await heart.end()

    asyncio.run(beat())
    assert alarms == ["watchdog_lost"] * told


def test_beats_are_read_as_they_were_written(tmp_path):
    assert read_beat(tmp_path, "heartbeat") is None
    write_beat(tmp_path, "heartbeat", phase="running", run_id="r")
    beat = read_beat(tmp_path, "heartbeat")
    assert (beat.phase, beat.run_id) == ("running", "r")
    (tmp_path / "heartbeat").write_bytes(b"{")
    assert read_beat(tmp_path, "heartbeat") is None


def test_a_silence_counts_from_the_last_beat_and_one_of_before_a_reboot_is_none(tmp_path):
    assert silence_s(tmp_path, WATCHDOG_BEAT) == math.inf
    before = time.monotonic_ns()
    for at_ns, least in ((before, 0.0), (before - 7 * SECOND, 7.0)):
        (tmp_path / WATCHDOG_BEAT).write_bytes(msgspec.json.encode(Beat(1, at_ns)))
        passed = (time.monotonic_ns() - before) / 1e9
        assert least <= silence_s(tmp_path, WATCHDOG_BEAT) <= least + passed + 5.0
    (tmp_path / WATCHDOG_BEAT).write_bytes(msgspec.json.encode(Beat(1, before + HOUR)))
    assert silence_s(tmp_path, WATCHDOG_BEAT) == math.inf


def test_a_beat_of_this_instant_is_no_silence(tmp_path, monkeypatch):
    monkeypatch.setattr(time, "monotonic_ns", lambda: 100)
    write_beat(tmp_path, WATCHDOG_BEAT)
    assert silence_s(tmp_path, WATCHDOG_BEAT) == 0.0
    monkeypatch.setattr(time, "monotonic_ns", lambda: 99)
    assert silence_s(tmp_path, WATCHDOG_BEAT) == math.inf


def test_a_beat_that_cannot_be_put_in_place_leaves_nothing_beside_it(tmp_path):
    (tmp_path / NODE_BEAT).mkdir()
    with pytest.raises(OSError, match="directory"):
        write_beat(tmp_path, NODE_BEAT)
    assert os.listdir(tmp_path) == [NODE_BEAT]


# -- control ----------------------------------------------------------------------------------

FLATTEN = {"action": "flatten", "actor": "a", "reason": "r", "typed": "FLATTEN"}


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"action": "status"}, ""),
        ({"action": "halt", "actor": "a", "reason": "r"}, ""),
        ({"action": "halt", "actor": " ", "reason": "r"}, "actor"),
        ({"action": "halt", "actor": "a"}, "actor"),
        ({"action": "flatten", "actor": "a", "reason": "r"}, "confirmation"),
        (FLATTEN, ""),
        ({"action": "resume", "actor": "a", "reason": "r", "typed": "resume"}, "confirmation"),
        ({"action": "sell_all"}, "config"),
        ({"action": "halt", "actor": "a", "reason": "r", "symbol": "SPY"}, ""),
        ({"action": "halt", "actor": "a", "reason": "r", "order": "x"}, "scope"),
        ({"action": "cancel_all", "actor": "a", "reason": "r", "symbol": "SPY"}, ""),
        ({"action": "cancel_all", "actor": "a", "reason": "r", "strategy": "S"}, "scope"),
        ({**FLATTEN, "symbol": "SPY"}, "scope"),
        ({**FLATTEN, "strategy": "S"}, "scope"),
        ({"action": "stop", "actor": "a", "reason": "r", "strategy": "S"}, "scope"),
        ({"action": "close", "actor": "a", "reason": "r"}, "scope"),
        ({"action": "close", "actor": "a", "reason": "r", "symbol": "SPY"}, ""),
        ({"action": "stop_strategy", "actor": "a", "reason": "r"}, "scope"),
        ({"action": "cancel", "actor": "a", "reason": "r"}, "scope"),
        ({"action": "lost", "actor": "a", "reason": "r"}, "scope"),
        ({"action": "lost", "actor": "a", "reason": "r", "order": "x"}, ""),
    ],
)
def test_what_a_request_has_to_say(given, code):
    if not code:
        check(Request(token="t", **given))
        return
    with pytest.raises(ConfigError) as caught:
        check(Request(token="t", **given))
    assert caught.value.code == code


def test_requests_are_answered_over_the_socket_and_nonsense_is_refused(tmp_path):
    async def talk():
        server = ControlServer(tmp_path, lambda request: {"did": request.action})
        await server.start()
        try:
            answer = await asyncio.to_thread(ask, tmp_path, "status")
            assert server.answer(b"{}")["code"] == "request"
            assert server.answer(b'{"token":"x","action":"status"}')["code"] == "token"
            assert server.answer(b"\xff" * 100)["ok"] is False
        finally:
            await server.stop()
        return answer

    assert asyncio.run(talk()) == {"did": "status"}
    with pytest.raises(ConfigError, match="no node answers"):
        ask(tmp_path, "status")


class Unanswered:
    """A node that takes a request and says `words`, which is no whole answer."""

    def __init__(self, folder: Path, words: bytes) -> None:
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.bind(str(folder / "s"))
        self.socket.listen()
        self.words = words
        address = {"socket": str(folder / "s"), "token": "t", "pid": 1}
        (folder / "control.json").write_bytes(msgspec.json.encode(address))
        self.thread = threading.Thread(target=self.serve)
        self.thread.start()

    def serve(self) -> None:
        line, _ = self.socket.accept()
        with line:
            line.recv(65536)
            line.sendall(self.words)


@pytest.mark.parametrize("words", [b"", b'{"ok":tr'])
def test_what_was_asked_and_not_answered_may_have_been_done(tmp_path, words):
    """Whoever hears that no node runs asks again: what was done is done twice."""
    node = Unanswered(tmp_path, words)
    with pytest.raises(ConfigError, match="was asked for close, and has not answered") as refused:
        ask(tmp_path, "close", actor="anna", reason="news", symbol="SPY")
    node.thread.join()
    assert refused.value.code == "no_answer"
    assert "look at its status before you ask again" in str(refused.value)
    node.socket.close()
    with pytest.raises(ConfigError, match="no node answers for") as refused:
        ask(tmp_path, "status")
    assert refused.value.code == "not_running"


def test_a_request_that_goes_wrong_is_answered_too(tmp_path):
    """A silent end of the line would tell whoever asked nothing of it."""

    def fails(request: Request) -> dict:
        raise {"status": ValueError("of ours"), "halt": ConfigError("no such", code="x")}[
            request.action
        ]

    async def talk() -> list[ConfigError]:
        server = ControlServer(tmp_path, fails)
        await server.start()
        found = []
        try:
            for action in ("status", "halt"):
                with pytest.raises(ConfigError) as refused:
                    await asyncio.to_thread(ask, tmp_path, action, actor="anna", reason="why")
                found.append(refused.value)
        finally:
            await server.stop()
        return found

    wrong, refused = asyncio.run(talk())
    assert (wrong.code, wrong.message) == ("internal", "status went wrong: ValueError: of ours")
    assert (refused.code, refused.message) == ("x", "no such")


# -- backups ----------------------------------------------------------------------------------


def journal_in(folder) -> Journal:
    journal = Journal(RealFiles(folder))
    for i in range(5):
        journal.record(r.Alarmed(ts=i, code="x", text=str(i)))
    journal.commit()
    return journal


def test_a_backup_beside_a_writer_holds_a_state_that_was_true(tmp_path):
    journal = journal_in(tmp_path / "state")
    with (tmp_path / "state" / "main-00000001.log").open("ab") as file:
        file.write(b"half of a rec")
    assert backup(RealFiles(tmp_path / "state"), tmp_path / "b.tar.gz") == 1
    assert (tmp_path / "b.tar.gz").stat().st_mode & 0o777 == 0o600
    assert restore(tmp_path / "b.tar.gz", tmp_path / "again") == 1
    again = Journal(RealFiles(tmp_path / "again"))
    assert again.last == 5
    assert again.torn is None
    assert again.state == journal.state


def test_what_is_no_backup_is_refused(tmp_path):
    (tmp_path / "x.tar.gz").write_bytes(b"nothing")
    with pytest.raises(JournalError, match="cannot be read"):
        restore(tmp_path / "x.tar.gz", tmp_path / "a")
    with tarfile.open(tmp_path / "y.tar.gz", "w:gz") as archive:
        entry = tarfile.TarInfo("../evil.log")
        archive.addfile(entry)
    with pytest.raises(JournalError, match="is no backup"):
        restore(tmp_path / "y.tar.gz", tmp_path / "b")
    journal_in(tmp_path / "state")
    backup(RealFiles(tmp_path / "state"), tmp_path / "b.tar.gz")
    with pytest.raises(JournalError, match="not empty"):
        restore(tmp_path / "b.tar.gz", tmp_path / "state")


def test_backups_are_taken_when_due_and_old_ones_removed(tmp_path):
    journal_in(tmp_path / "state")
    files, to = RealFiles(tmp_path / "state"), tmp_path / "to"
    taken = [
        backup_if_due(files, to, now=i * HOUR, every_ns=2 * HOUR, keep=2) is not None
        for i in range(1, 9)
    ]
    assert taken == [True, False, True, False, True, False, True, False]
    assert len(list(to.iterdir())) == 2
    assert backup_if_due(files, to, now=99 * HOUR, every_ns=0, keep=2) is None


def test_verify_tells_what_is_wrong_and_where(tmp_path):
    journal_in(tmp_path).close()
    (report,) = verify(RealFiles(tmp_path))
    assert report.is_sound
    assert (report.records, report.last, dict(report.kinds)) == (5, 5, {"Alarmed": 5})
    frames = list(LogReader(RealFiles(tmp_path), "main"))
    assert report.chain == frames[-1].chain.hex() != frames[0].chain.hex()
    path = tmp_path / "main-00000001.log"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    (report,) = verify(RealFiles(tmp_path))
    assert not report.is_sound
    assert "damaged at byte" in report.error
    assert path.read_bytes() == bytes(data)
    assert main(["journal", "verify", str(tmp_path)]) == 1


def test_compaction_keeps_the_state_and_puts_segments_away(tmp_path):
    journal = journal_in(tmp_path)
    state = journal.state
    runs = {"one": "pyrt-one-", "two": "pyrt-two-"}
    state.runs.update(runs)
    put_away = journal.compact(9, force=True)
    journal.close()
    assert put_away == ["main-00000001.log"]
    again = Journal(RealFiles(tmp_path))
    assert again.state.runs == runs
    assert again.last == 6
    assert {x.name for x in verify(RealFiles(tmp_path))} == {"main", "old-main"}
    again.begin_tape("one")
    for run_id in ("one", "two"):
        again.begin_tape(run_id)
        again.record_inputs(b"x")
        again.commit()
    assert again.drop_tapes(1) == ["tape-one-00000001.log"]
    assert "tape-two-00000001.log" in RealFiles(tmp_path).names()
