"""The journal itself: what comes before a record, what a commit writes, what is put away."""

from __future__ import annotations

import pytest

from pyrt.errors import JournalError
from pyrt.live.journal import journal as module
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import (
    ARCHIVE,
    Journal,
    is_lost,
    read_records,
    read_tape,
    tape_name,
)
from pyrt.live.journal.log import LogReader
from pyrt.testing.files import DiskFaults, MemoryFiles
from tests.live.journal.test_past import start
from tests.live.journal.test_segments import Watched

MAIN, TAPE = "main-00000001.log", "tape-one-00000001.log"


def alarm(number: int = 1) -> r.Alarmed:
    return r.Alarmed(ts=number, code="test", text=str(number))


def journal(files: MemoryFiles | None = None, count: int = 0, **options: int) -> Journal:
    made = Journal(files or MemoryFiles(), **options)
    for number in range(count):
        made.record(alarm(number + 1))
    return made


def texts(files: MemoryFiles, *, archived: bool = False) -> list[str]:
    """Texts of alarms, and names of all other records."""
    return [
        record.text if isinstance(record, r.Alarmed) else type(record).__name__
        for _, record in read_records(files, archived=archived)
    ]


# -- records ---------------------------------------------------------------------------------------


def test_what_led_to_a_record_is_asked_for_before_it_is_taken():
    made = journal()
    seen: list[tuple[int, int]] = []
    made.before_record = lambda: seen.append((made.last, made.state.records))
    assert [made.record(alarm()), made.record(alarm())] == [1, 2]
    assert seen == [(0, 0), (1, 1)]
    assert (made.last, made.durable, made.state.records) == (2, 0, 2)


def test_a_commit_tells_how_far_the_disk_has_come():
    made = journal(count=2)
    assert (made.wants_commit, made.has_inputs, made.torn) == (True, False, None)
    assert made.commit() == made.durable == 2
    assert not made.wants_commit
    assert made.commit() == 2


def test_a_journal_opened_again_knows_what_was_written_and_goes_on():
    files = MemoryFiles()
    made = journal(files)
    made.record(start("one"))
    made.record(alarm(5))
    made.close()
    again = Journal(files)
    assert again.state == made.state
    assert again.past.start is not None
    assert again.past.start.run_id == "one"
    assert (again.last, again.durable, again.record(alarm(6))) == (2, 2, 3)


def test_segments_are_as_large_as_they_are_asked_to_be():
    files = MemoryFiles()
    made = journal(files, 3, segment_max=70)
    made.begin_tape("one")
    for _ in range(3):
        made.record_inputs(b"piece")
    made.close()
    assert len([name for name in files.names() if name.startswith("main-")]) == 3
    assert len([name for name in files.names() if name.startswith("tape-one-")]) == 3
    assert texts(files) == ["1", "2", "3"]
    assert list(read_tape(files, "one")) == [b"piece"] * 3


# -- tapes -----------------------------------------------------------------------------------------


def test_a_tape_begins_behind_a_record_that_is_on_the_disk():
    """A folder with inputs and no record is a journal that was lost."""
    files = MemoryFiles()
    made = journal(files, 1)
    made.begin_tape("one")
    assert made.durable == 1
    made.record(alarm(2))
    made.begin_tape("two")
    assert made.durable == 1


def test_inputs_are_taken_only_with_a_tape_and_while_the_disk_is_well():
    made = journal(count=1)
    made.record_inputs(b"before any tape")
    assert not made.has_inputs
    made.begin_tape("one")
    assert not made.has_inputs
    made.record_inputs(b"piece")
    assert made.has_inputs
    made.commit()
    assert not made.has_inputs
    made.failure = OSError("gone")
    made.record_inputs(b"after the failure")
    assert not made.has_inputs
    assert list(read_tape(made.files, "one")) == [b"piece"]


@pytest.mark.parametrize("is_synced", [True, False])
def test_inputs_are_written_before_the_records_they_led_to_and_synced_when_asked(is_synced):
    files = Watched()
    made = journal(files, 1)
    made.begin_tape("one")
    made.record_inputs(b"piece")
    made.record(alarm(2))
    files.done.clear()
    made.commit(sync_inputs=is_synced)
    assert files.done.index(f"write {TAPE}") < files.done.index(f"write {MAIN}")
    assert (f"sync {TAPE}" in files.done) is is_synced
    assert f"sync {MAIN}" in files.done


def test_a_piece_of_tape_comes_back_as_it_was_and_is_packed_on_the_disk():
    files = MemoryFiles()
    made = journal(files, 1)
    made.begin_tape("one")
    made.record_inputs(b"same " * 1_000)
    made.close()
    assert len(files.read(TAPE)) < 500
    assert list(read_tape(files, "one")) == [b"same " * 1_000]
    (frame,) = LogReader(files, tape_name("one"))
    assert frame.kind == r.INPUTS


def test_only_the_last_tapes_are_kept_and_nothing_else_is_dropped():
    files = MemoryFiles()
    made = journal(files)
    for run_id in ("one", "two", "three"):
        made.record(start(run_id))
        made.begin_tape(run_id)
        made.record_inputs(b"x")
        made.commit()
    files.put("tape-one-00000002.log", b"x")
    files.put("tape-note.txt", b"x")
    first = [TAPE, "tape-one-00000002.log"]
    last = ["tape-three-00000001.log", "tape-two-00000001.log"]
    assert made.drop_tapes(3) == []
    assert made.drop_tapes(2) == first
    assert made.drop_tapes(0) == last
    assert files.names() == [MAIN, "tape-note.txt"]


# -- failures --------------------------------------------------------------------------------------


@pytest.mark.parametrize("tries", [1, 3])
def test_a_failure_is_kept_nothing_is_tried_again_and_records_are_counted(tries):
    files = MemoryFiles(DiskFaults(sync_error=1.0))
    made = journal(files, 1)
    for _ in range(tries):
        assert made.commit() == 0
        assert isinstance(made.failure, OSError)
        # The disk is well again, and may have lost what it was given.
        files.faults.sync_error = 0.0
    assert made.unwritten == 0
    assert [made.record(alarm(2)), made.record(alarm(3))] == [2, 3]
    assert (made.unwritten, made.last, made.durable) == (2, 1, 0)
    assert not made.wants_commit
    assert made.state.records == 3


# -- putting away ----------------------------------------------------------------------------------


def test_a_journal_of_many_records_is_put_away_behind_a_snapshot(monkeypatch):
    monkeypatch.setattr(module, "SNAPSHOT_EVERY", 3)
    files = MemoryFiles()
    made = journal(files, 2)
    assert made.compact(9) == []
    made.record(alarm(3))
    assert made.compact(9) == [MAIN]
    assert (made.last, made.durable, made.state.records) == (4, 4, 1)
    made.record(alarm(5))
    made.record(alarm(6))
    made.close()
    assert files.names() == ["main-00000002.log", ARCHIVE + MAIN]
    assert texts(files) == ["Snapshot", "5", "6"]
    assert texts(files, archived=True) == ["1", "2", "3", "Snapshot", "5", "6"]
    again = Journal(files)
    # The snapshot counts as one record: the next one is due after as many as any.
    assert (again.state.records, again.last) == (made.state.records, 6) == (3, 6)
    assert again.compact(10) == ["main-00000002.log"]


def test_what_was_put_away_is_so_after_a_power_failure():
    files = Watched()
    made = journal(files, 2)
    made.compact(9, force=True)
    assert files.done[-2:] == ["sync main-00000002.log", "sync folder"]
    left = files.crash(keep_tail=False)
    assert texts(left) == ["Snapshot"]
    assert texts(left, archived=True) == ["1", "2", "Snapshot"]


@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_nothing_is_put_away_by_a_journal_that_cannot_be_written(when):
    """A start on a full disk put all segments away, and no snapshot was there to stand for them."""
    files = MemoryFiles()
    journal(files, 2).close()
    made = Journal(files)
    if when == "before":
        files.faults.space = 0
        made.record(alarm(3))
        made.commit()
        files.faults.space = None
        assert made.failure is not None
    else:
        made.on_record = lambda _: setattr(made, "failure", OSError("the writer's"))
    assert made.compact(9, force=True) == []
    assert texts(files) == ["1", "2"]
    assert Journal(files).last == 2


def test_a_closed_journal_has_written_all_and_holds_no_file():
    files = Watched()
    made = journal(files, 1)
    made.begin_tape("one")
    made.record_inputs(b"piece")
    made.record(alarm(2))
    assert files.open
    made.close()
    assert files.open == []
    assert (made.durable, list(read_tape(files, "one"))) == (2, [b"piece"])
    journal(files := Watched(), 1).close()
    assert files.open == []


# -- lost ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        ((), False),
        (("tape-one-00000001.log",), True),
        (("old-main-00000001.log",), True),
        (("tape-one.txt", "torn-main-00000001.log-9"), False),
        (("sold-main-00000001.log",), False),
    ],
)
def test_a_journal_is_lost_where_a_run_has_left_something_else(names, expected):
    files = MemoryFiles()
    for name in names:
        files.put(name, b"x")
    assert is_lost(files) is expected
    if expected:
        with pytest.raises(JournalError, match="the journal is gone") as caught:
            Journal(files)
        assert caught.value.code == "journal_lost"
        assert caught.value.remedy
    files.put(MAIN, written())
    assert not is_lost(files)
    damaged = bytearray(written())
    damaged[0] ^= 1
    files.put(MAIN, bytes(damaged))
    # It is there: whoever reads it says what is wrong with it.
    assert is_lost(files) is False


def written() -> bytes:
    """Bytes of a journal with two records."""
    made = journal(count=2)
    made.close()
    return made.files.read(MAIN)


def test_a_frame_of_a_kind_that_is_not_known_is_passed_over():
    files = MemoryFiles()
    made = journal(files, 1)
    made._main.append(63, b"of a later version")
    made.record(alarm(2))
    made.close()
    assert texts(files) == ["1", "2"]
    again = Journal(files)
    assert (again.last, again.state.records) == (3, 2)
