"""What `pyrt journal show` and `verify` tell of a journal, and what stops them."""

from __future__ import annotations

import json
import os
from pathlib import Path

import msgspec
import pytest

from pyrt import Strategy
from pyrt.cli.entry import main
from pyrt.core.times import format_ns
from pyrt.errors import JournalError
from pyrt.live.journal import records as r
from pyrt.live.journal import state as known
from pyrt.live.journal.backup import backup, drill
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal
from pyrt.live.journal.log import Log
from pyrt.live.journal.past import OVERRUN, Past
from pyrt.live.journal.state import JournalState
from pyrt.testing.files import MemoryFiles
from tests.live.strategies import walk
from tests.live.whole import Node, World


class Trades(Strategy):
    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.seen = 0

    def on_bar(self, bar):
        self.seen += 1
        self.buy("SPY", 1)

    def on_save(self):
        return {"seen": self.seen}

    def on_load(self, state):
        self.seen = state["seen"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a state folder that two runs of a node have left."""
    world, files = World([walk(3, "SPY", 12)]), MemoryFiles()
    for run_id in ("one", "two"):
        node = Node(world, files, [Trades()], run_id=run_id)
        node.start()
        node.run(15)
        node.stop()
    path = tmp_path_factory.mktemp("journal") / "state"
    path.mkdir(mode=0o700)
    for name in files.names():
        (path / name).write_bytes(files.read(name))
    return path


def shown(folder: Path, capsys: pytest.CaptureFixture[str], *options: str) -> list[str]:
    assert main(["journal", "show", os.fspath(folder), *options]) == 0
    return capsys.readouterr().out.splitlines()


def test_records_are_shown_oldest_first_one_a_line(folder, capsys):
    rows = [json.loads(line) for line in shown(folder, capsys, "--json")]
    assert [row["sequence"] for row in rows] == list(range(1, len(rows) + 1))
    starts = [row for row in rows if row["record"] == "RunStart"]
    assert [row["run_id"] for row in starts] == ["one", "two"]
    # What lies inside is told in words and numbers, whatever it was packed in.
    assert starts[1]["opening"]["saves"]["Trades"]["seen"] > 0
    assert starts[0]["strategies"][0]["name"] == "Trades"
    intents = [row for row in rows if row["record"] == "Intent"]
    assert intents[0]["order"]["symbol"] == "SPY"


def test_times_are_told_as_people_read_them_and_as_ns_to_programs(folder, capsys):
    (line,) = shown(folder, capsys, "--kind", "Outcome", "--last", "1")
    (text,) = shown(folder, capsys, "--kind", "Outcome", "--last", "1", "--json")
    row = json.loads(text)
    assert f"  ts={format_ns(row['ts'])}  " in line
    assert f"  ts_event={format_ns(row['ts_event'])}  " in line


def test_kinds_and_the_last_ones_can_be_asked_for(folder, capsys):
    every = shown(folder, capsys, "--kind", "Intent")
    assert {line.split()[1] for line in every} == {"Intent"}
    assert len(every) > 2
    assert shown(folder, capsys, "--kind", "Intent", "--last", "2") == every[-2:]
    assert shown(folder, capsys, "--archived", "--kind", "Intent") == every
    assert main(["journal", "show", os.fspath(folder / "none")]) != 0
    assert "there is no folder" in capsys.readouterr().err


def test_a_sound_journal_is_told_as_numbers(folder, capsys):
    assert main(["journal", "verify", os.fspath(folder), "--json"]) == 0
    reports = {report["name"]: report for report in json.loads(capsys.readouterr().out)}
    assert set(reports) == {"main", "tape-one", "tape-two"}
    main_log = reports["main"]
    assert main_log["records"] == sum(main_log["kinds"].values()) == main_log["last"]
    assert (main_log["first"], main_log["error"], main_log["torn"]) == (1, "", "")
    assert main_log["kinds"]["RunStart"] == 2
    assert reports["tape-one"]["kinds"].keys() == {"inputs"}


def test_a_sound_frame_without_a_record_of_its_kind_is_named(tmp_path):
    files = RealFiles(tmp_path / "state")
    log = Log(files, "main")
    log.append(r.CODES[r.Intent], msgspec.msgpack.encode(["no", "intent"]))
    log.commit()
    log.close()
    with pytest.raises(JournalError, match="record 1 cannot be read"):
        Journal(files)
    assert main(["journal", "verify", os.fspath(tmp_path / "state")]) != 0


def test_a_drill_looks_at_tapes_too_which_a_start_reads_late(tmp_path):
    files = RealFiles(tmp_path / "state")
    journal = Journal(files)
    journal.record(r.Alarmed(ts=1, code="test", text="one"))
    journal.close()
    tape = Log(files, "tape-one")
    tape.append(r.INPUTS, b"no tape")
    tape.commit()
    tape.close()
    archive = tmp_path / "saved.tar.gz"
    backup(files, archive)
    with pytest.raises(JournalError, match=r"saved\.tar\.gz: a piece of tape cannot be read"):
        drill(archive)


def test_only_so_many_ended_orders_stay_known(monkeypatch):
    monkeypatch.setattr(known, "CLOSED_MAX", 2)
    state = JournalState()
    for number in range(4):
        order = r.OrderState(
            client_order_id=f"o-{number}", strategy="S", symbol="SPY", side="buy",
            order_type="market", quantity="1", time_in_force="day", status="FILLED",
        )  # fmt: skip
        state.take(r.Outcome(ts=number, kind="filled", ts_event=number, order=order))
    assert list(state.closed) == ["o-2", "o-3"]


def test_a_handler_that_was_broken_off_ends_what_a_replay_may_repeat():
    past = Past()
    for place, reason in ((5, f"{OVERRUN}: 3 s"), (9, f"{OVERRUN}: 4 s")):
        past.take(r.StrategySave(ts=1, strategy="S", inputs=place, state=b""))
        past.take(r.StrategyStopped(ts=1, strategy="S", reason=reason, inputs=place + 1))
    assert past.overrun == 5


def test_a_log_writes_up_to_a_record_and_leaves_the_rest():
    log = Log(MemoryFiles(), "main")
    for number in range(3):
        log.append(1, bytes([number]))
    assert log.commit(until=2) == 2
    assert (log.written, log.waiting) == (2, 1)
    assert log.commit() == 3


def test_only_what_was_saved_after_a_place_is_newer_than_it():
    past = Past()
    for place, state in ((3, b"three"), (5, b"five")):
        past.take(r.StrategySave(ts=1, strategy="S", inputs=place, state=state))
    assert past.saved_after(4) == {"S": b"five"}
    assert past.saved_after(5) == {}


def test_a_record_that_a_crash_has_cut_is_told_of_at_the_next_start():
    world, files = World([walk(3, "SPY", 12)]), MemoryFiles()
    node = Node(world, files, [Trades()], run_id="one")
    node.start()
    node.run(15)
    node.journal.commit()
    left = node.crash()
    (name,) = (name for name in left.names() if name.startswith("main"))
    left.put(name, left.read(name)[:-3])
    again = Node(world, left, [Trades()], run_id="two")
    again.start()
    told = [text for code, text in again.alarms if code == "torn_tail"]
    assert len(told) == 1
    assert f"were cut off {name}" in told[0]


def test_what_was_asked_for_and_answered_says_nothing_of_the_next_change():
    state, name = JournalState(), "o-1"
    order = r.OrderState(
        client_order_id=name, strategy="S", symbol="SPY", side="buy", order_type="limit",
        quantity="10", time_in_force="day", status="ACCEPTED", limit_price="90",
    )  # fmt: skip
    state.take(r.Outcome(ts=1, kind="accepted", ts_event=1, order=order))
    for quantity in ("30", "12"):
        changes = {"quantity": quantity}
        state.take(r.ChangeIntent(ts=2, inputs=1, client_order_id=name, changes=changes))
        assert state.orders[name].asked == (quantity, "", "")
        state.take(r.Outcome(ts=3, kind="modified", ts_event=3, order=order))
        assert (state.orders[name].asked, state.orders[name].changes) == (("", "", ""), 0)
