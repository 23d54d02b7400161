"""Halts beside the log: there from the moment they are asked for until a record says the same."""

from __future__ import annotations

import errno
import stat
import threading
from typing import Any

import pytest

from pyrt.live.core.notes import MONITOR
from pyrt.live.journal import records as r
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.halts import PREFIX, Halt, Halts
from pyrt.live.journal.journal import Journal
from pyrt.testing.files import MemoryFiles

PATIENCE_S = 20.0
KILL = Halt("anna", "prices look odd")


def found(files: Any) -> list[Halt]:
    """Return what the next process finds."""
    halts = Halts(files)
    halts.load()
    return halts.waiting()


def left(files: Any) -> list[str]:
    return [name for name in files.names() if name.startswith(PREFIX)]


def test_what_is_asked_for_is_found_after_the_power_has_failed():
    files = MemoryFiles()
    Halts(files).keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    assert found(files.crash(keep_tail=False)) == [KILL]


def test_its_file_is_its_owners_alone(tmp_path):
    files = RealFiles(tmp_path / "state")
    Halts(files).keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    (path,) = (tmp_path / "state").iterdir()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert found(files) == [KILL]


def test_it_waits_until_a_record_says_the_same_and_goes_once_that_is_durable():
    files = MemoryFiles()
    journal = Journal(files)
    journal.halts.keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    assert journal.halts.waiting() == [KILL]
    sequence = journal.record(r.Alarmed(ts=1, code="x", text="x"))
    journal.halts.cover(journal.halts.take(), sequence)
    assert (journal.halts.waiting(), found(files)) == ([], [KILL])
    journal.commit()
    assert left(files) == []


def test_where_the_record_does_not_become_durable_it_stays():
    files = MemoryFiles()
    journal = Journal(files)
    journal.halts.keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    files.faults.sync_error = 1.0
    journal.halts.cover(journal.halts.take(), journal.record(r.Alarmed(ts=1, code="x", text="x")))
    journal.commit()
    assert journal.failure is not None
    assert found(files) == [KILL]


def test_while_one_waits_a_further_one_adds_nothing_and_after_it_there_is_another():
    files = MemoryFiles()
    halts = Halts(files)
    first = halts.keep("anna", "odd", 7)
    assert halts.keep("bert", "very odd", 8) is first
    halts.cover(halts.take(), 1)
    halts.keep("bert", "very odd", 9).result(PATIENCE_S)
    halts.drop(1)
    assert found(files) == [Halt("bert", "very odd")]


def test_a_persons_is_kept_beside_one_of_the_nodes_own_which_spares_exits():
    files = MemoryFiles()
    halts = Halts(files)
    halts.keep(MONITOR, "it hangs", 7).result(PATIENCE_S)
    # In the same nanosecond, by a clock as coarse as that.
    kill = halts.keep(KILL.actor, KILL.reason, 7)
    kill.result(PATIENCE_S)
    halts.keep(MONITOR, "it hangs again", 8)
    assert halts.keep("bert", "very odd", 10) is kill
    assert found(files) == [Halt(MONITOR, "it hangs"), KILL]


def test_what_is_asked_for_while_an_answer_is_written_waits_for_another():
    files = MemoryFiles()
    halts = Halts(files)
    halts.keep("anna", "odd", 7).result(PATIENCE_S)
    taken = halts.take()
    halts.keep("anna", "odd", 8).result(PATIENCE_S)
    halts.cover(taken, 1)
    halts.drop(1)
    assert (halts.waiting(), left(files)) == ([Halt("anna", "odd")], ["halt-8"])


class SlowFiles(MemoryFiles):
    """Makes a file once somebody lets it."""

    def __init__(self) -> None:
        super().__init__()
        self.goes_on = threading.Event()

    def create(self, name: str) -> Any:
        assert self.goes_on.wait(PATIENCE_S)
        return super().create(name)


def test_one_that_comes_to_the_disk_after_its_record_leaves_nothing():
    """It would halt a node that somebody has resumed meanwhile."""
    files = SlowFiles()
    halts = Halts(files)
    kept = halts.keep(KILL.actor, KILL.reason, 7)
    halts.cover(halts.take(), 1)
    halts.drop(1)
    files.goes_on.set()
    kept.result(PATIENCE_S)
    assert left(files) == []


def test_one_whose_name_fails_after_its_record_leaves_nothing_either(monkeypatch):
    files = SlowFiles()
    halts = Halts(files)
    kept = halts.keep(KILL.actor, KILL.reason, 7)
    halts.cover(halts.take(), 1)
    halts.drop(1)

    def refuse() -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(files, "sync_folder", refuse)
    files.goes_on.set()
    assert isinstance(kept.exception(PATIENCE_S), OSError)
    assert left(files) == []


def test_on_a_full_disk_its_name_alone_halts():
    files = MemoryFiles()
    files.faults.space = 0
    Halts(files).keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    (halt,) = found(files.crash(keep_tail=False))
    assert (halt.actor, halt.reason) == (
        "unknown", "a halt was asked for, and its file cannot be read",
    )  # fmt: skip


@pytest.mark.parametrize("text", [b"", b'{"actor":"anna"', b"\xff", b'{"actor":" ","reason":"x"}'])
def test_one_that_says_nothing_halts_all_the_same(text):
    files = MemoryFiles()
    files.put("halt-7", text)
    assert [halt.actor for halt in found(files)] == ["unknown"]


class DeadFiles(MemoryFiles):
    def create(self, name: str) -> Any:
        raise OSError(errno.EROFS, "Read-only file system")


def test_a_disk_that_takes_nothing_is_told_to_who_asks_and_it_waits_all_the_same(caplog):
    halts = Halts(DeadFiles())
    kept = halts.keep(KILL.actor, KILL.reason, 7)
    with pytest.raises(OSError, match="Read-only"):
        kept.result(PATIENCE_S)
    assert halts.waiting() == [KILL]
    (text,) = caplog.messages
    assert text == ("a restart will not know of the halt by anna: [Errno 30] Read-only file system")


def test_a_process_without_room_for_a_thread_says_so(monkeypatch):
    def start(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", start)
    halts = Halts(MemoryFiles())
    with pytest.raises(RuntimeError, match="new thread"):
        halts.keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    assert halts.waiting() == [KILL]


def test_what_cannot_be_removed_is_told_and_tried_again_with_the_next_commit(monkeypatch, caplog):
    files = MemoryFiles()
    journal = Journal(files)
    journal.halts.keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    journal.halts.cover(journal.halts.take(), journal.record(r.Alarmed(ts=1, code="x", text="x")))
    with monkeypatch.context() as patched:

        def refuse(name: str) -> None:
            raise OSError(errno.EIO, "Input/output error")

        patched.setattr(files, "remove", refuse)
        journal.commit()
    assert journal.failure is None
    assert "is kept beside it" in caplog.text
    journal.commit()
    assert left(files) == []


def test_two_that_drop_it_at_once_are_none_too_many(monkeypatch):
    """The writer's thread commits, and a start does."""
    files = MemoryFiles()
    halts = Halts(files)
    halts.keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    halts.cover(halts.take(), 1)
    remove = files.remove

    def remove_after_another(name: str) -> None:
        monkeypatch.setattr(files, "remove", remove)
        halts.drop(1)
        remove(name)

    monkeypatch.setattr(files, "remove", remove_after_another)
    halts.drop(1)
    assert left(files) == []


def test_what_the_disk_has_refused_is_tried_again_by_whoever_asks_once_more(monkeypatch):
    """Who pressed Kill again was told of the first failure for ever."""
    files = MemoryFiles()
    halts = Halts(files)
    with monkeypatch.context() as patched:
        patched.setattr(files, "create", DeadFiles().create)
        with pytest.raises(OSError, match="Read-only"):
            halts.keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    again = halts.keep(KILL.actor, KILL.reason, 8)
    again.result(PATIENCE_S)
    assert halts.keep(KILL.actor, KILL.reason, 9) is again
    assert (halts.waiting(), found(files)) == ([KILL], [KILL])


def test_a_name_that_did_not_come_to_the_disk_is_tried_again_too():
    files = MemoryFiles()
    halts = Halts(files)
    with pytest.MonkeyPatch.context() as patched:

        def refuse() -> None:
            raise OSError(errno.EIO, "Input/output error")

        patched.setattr(files, "sync_folder", refuse)
        with pytest.raises(OSError, match="Input/output"):
            halts.keep(KILL.actor, KILL.reason, 7).result(PATIENCE_S)
    halts.keep(KILL.actor, KILL.reason, 8).result(PATIENCE_S)
    assert found(files.crash(keep_tail=False)) == [KILL]
    halts.cover(halts.take(), 1)
    halts.drop(1)
    assert left(files) == []


@pytest.mark.parametrize("made", [MemoryFiles, DeadFiles])
def test_what_was_asked_for_before_is_taken_up_once_whatever_the_disk_says(made):
    files = made()
    early, halts = Halts(files), Halts(files)
    early.keep(KILL.actor, KILL.reason, 7).exception(PATIENCE_S)
    halts.take_over(early)
    halts.load()
    halts.take_over(early)
    assert halts.waiting() == [KILL]
    halts.cover(halts.take(), 1)
    halts.drop(1)
    halts.take_over(early)
    assert (halts.waiting(), left(files)) == ([], [])
