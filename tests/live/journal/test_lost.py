"""A journal that is gone, or damaged, is nobody's fresh start and nobody's backup."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyrt.cli import main
from pyrt.errors import JournalError
from pyrt.live.journal.backup import backup, restore
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.frames import SEGMENT_BYTES
from pyrt.live.journal.journal import Journal, read_tape
from pyrt.live.journal.records import Alarmed
from pyrt.live.journal.verify import verify
from pyrt.testing.files import MemoryFiles
from tests.live.test_recovery import Collect
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

MAIN = "main-00000001.log"


def kept(files=None):
    """Return files of a run that has recorded something and has inputs on its tape."""
    journal = Journal(files or MemoryFiles())
    for count in range(9):
        journal.record(Alarmed(ts=count, code="test", text=f"number {count}"))
    journal.begin_tape("one")
    journal.record_inputs(b"inputs")
    journal.close()
    return journal.files


def spoil(files, how: str) -> None:
    if how == "gone":
        files.remove(MAIN)
    else:
        files.put(MAIN, {"empty": b"", "garbage": b"\x17" * 3_000}[how])


@pytest.mark.parametrize("how", ["gone", "empty", "garbage"])
def test_a_start_without_the_journal_of_the_runs_that_were_here_is_refused(how):
    files = kept()
    spoil(files, how)
    before = {name: files.read(name) for name in files.names()}
    with pytest.raises(JournalError, match="the journal is gone") as caught:
        Journal(files)
    assert caught.value.code == "journal_lost"
    assert {name: files.read(name) for name in files.names()} == before
    report = next(report for report in verify(files) if report.name == "main")
    assert not report.is_sound


def test_archived_segments_without_the_last_are_a_journal_that_is_gone():
    files = kept()
    journal = Journal(files)
    journal.compact(10, force=True)
    journal.close()
    assert [n for n in files.names() if n.startswith("old-main")]
    for name in files.names():
        if name.startswith(("tape-", "main-")):
            files.remove(name)
    with pytest.raises(JournalError, match="the journal is gone"):
        Journal(files)


def in_segments(count: int) -> MemoryFiles:
    """Return files of a journal with a record in each of so many segments."""
    files = MemoryFiles()
    journal = Journal(files, segment_max=SEGMENT_BYTES + 1)
    for number in range(count):
        journal.record(Alarmed(ts=number, code="test", text=f"number {number}"))
    journal.close()
    return files


@pytest.mark.parametrize("gone", [1, 2])
def test_a_journal_that_has_lost_its_first_segments_is_refused(tmp_path: Path, gone: int):
    """It began with what was left of it: orders and holdings of before were forgotten."""
    files = in_segments(3)
    for number in range(1, 1 + gone):
        files.remove(f"main-{number:08d}.log")
    before = files.names()
    with pytest.raises(JournalError, match="the journal is gone, or its beginning") as caught:
        Journal(files)
    assert (caught.value.code, files.names()) == ("journal_lost", before)
    (report,) = verify(files)
    assert (report.is_sound, report.first) == (False, 1 + gone)
    assert report.error == "its beginning is gone"
    with pytest.raises(JournalError, match="nothing whole to copy"):
        backup(files, tmp_path / "saved.tar.gz")


@pytest.mark.parametrize(("gone", "is_sound"), [(0, True), (1, False), (2, False)])
def test_inputs_that_have_lost_their_beginning_are_not_played_from_their_middle(gone, is_sound):
    """A replay took what was left for the whole run, and nothing said that it was not."""
    files = MemoryFiles()
    journal = Journal(files, segment_max=SEGMENT_BYTES + 1)
    journal.record(Alarmed(ts=1, code="test", text="one"))
    journal.begin_tape("one")
    for piece in (b"a", b"b", b"c"):
        journal.record_inputs(piece)
    journal.close()
    for number in range(1, 1 + gone):
        files.remove(f"tape-one-{number:08d}.log")
    report = next(report for report in verify(files) if report.name == "tape-one")
    assert report.error == ("" if is_sound else "its beginning is gone")
    if is_sound:
        assert list(read_tape(files, "one")) == [b"a", b"b", b"c"]
        return
    with pytest.raises(JournalError, match=f"run one begin with piece {1 + gone}") as caught:
        list(read_tape(files, "one"))
    assert caught.value.code == "journal_damaged"


@pytest.mark.parametrize("left", [0, 1, 2])
def test_a_crash_while_segments_are_put_away_has_lost_nothing(left: int):
    files = in_segments(2)
    journal = Journal(files, segment_max=SEGMENT_BYTES + 1)
    journal.compact(10, force=True)
    journal.record(Alarmed(ts=11, code="test", text="after it"))
    journal.close()
    for number in range(3 - left, 3):
        files.rename(f"old-main-{number:08d}.log", f"main-{number:08d}.log")
    again = Journal(files)
    assert (again.last, again.state.last_ts) == (4, 11)
    assert all(report.is_sound for report in verify(files))


@pytest.mark.parametrize("at", [0, 1, 2])
def test_a_first_run_that_dies_at_any_write_is_no_lost_journal(at):
    """Its record is on the disk before the first of its inputs."""
    files = MemoryFiles()
    node = Node(World([bars([100.0] * 5)]), files, [Collect()], run_id="one")
    node.commits = False
    node.start()
    node.driver.flush_tape()
    writes = [node.journal._tape.commit, node.journal._main.commit][:at]
    for write in writes:
        write(sync=False)
    left = files.crash()
    Journal(left).close()


def test_a_damaged_journal_makes_no_backup(tmp_path: Path, capsys):
    folder = tmp_path / "state"
    kept(RealFiles(folder))
    assert main(["journal", "backup", str(folder), str(tmp_path / "good.tar.gz")]) == 0
    path = folder / MAIN
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    to = tmp_path / "saved.tar.gz"
    with pytest.raises(JournalError, match="damaged at byte"):
        backup(RealFiles(folder), to)
    assert not to.exists()
    path.unlink()
    assert main(["journal", "backup", str(folder), str(to)]) == 1
    assert main(["journal", "verify", str(folder)]) == 1
    told = capsys.readouterr()
    assert "the journal is gone" in told.err
    assert "main: 0 records, 0 bytes, DAMAGED: it is gone" in told.out
    assert not to.exists()
    restore(tmp_path / "good.tar.gz", tmp_path / "again")
    assert Journal(RealFiles(tmp_path / "again")).last == 9
