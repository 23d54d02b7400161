"""A backup comes back whole or not at all, whatever has happened to it on the way."""

from __future__ import annotations

import os
import random
import tarfile
import time
import tracemalloc
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import msgspec
import pytest

from pyrt.errors import JournalError
from pyrt.live.journal import records as r
from pyrt.live.journal.backup import Drill, backup, backup_if_due, drill, newest, restore
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal, read_records
from tests.live.journal.test_file_port import open_descriptors, synced


def written(folder: Path, count: int) -> RealFiles:
    """Return a state folder whose journal has so many records."""
    files = RealFiles(folder)
    journal = Journal(files)
    for number in range(count):
        text = f"{number * number * 7919:b}"
        journal.record(r.Alarmed(ts=number, code="test", text=text))
    journal.close()
    return files


def test_a_flipped_bit_refuses_a_backup_or_changes_nothing_in_it(tmp_path: Path):
    """Behind it all was taken for the torn tail of a crash, and a shorter journal came back."""
    backup(written(tmp_path / "state", 60), tmp_path / "whole.tar.gz")
    whole = (tmp_path / "whole.tar.gz").read_bytes()
    bad = tmp_path / "bad.tar.gz"
    refusals: list[str] = []
    for at in range(0, len(whole), max(1, len(whole) // 80)):
        data = bytearray(whole)
        data[at] ^= 1 << at % 8
        bad.write_bytes(data)
        folder = tmp_path / f"again-{at}"
        try:
            restore(bad, folder)
        except JournalError as error:
            refusals.append(error.message)
        else:
            assert Journal(RealFiles(folder)).last == 60, at
            continue
        assert RealFiles(folder).names() == []
    # Only the few bytes of its head that say by what and when it was packed do not matter.
    assert len(refusals) > 70
    assert all(str(bad) in refusal for refusal in refusals)


@pytest.mark.parametrize("missing", [1, 8, 9, 200])
def test_a_backup_that_was_cut_is_refused_and_can_be_tried_again(tmp_path: Path, missing: int):
    archive, folder = tmp_path / "a.tar.gz", tmp_path / "again"
    backup(written(tmp_path / "state", 20), archive)
    whole = archive.read_bytes()
    archive.write_bytes(whole[:-missing])
    with pytest.raises(JournalError, match="cannot be read") as caught:
        restore(archive, folder)
    assert caught.value.code == "restore"
    archive.write_bytes(whole)
    assert restore(archive, folder) == 1
    assert Journal(RealFiles(folder)).last == 20


def archived(path: Path, **contents: bytes) -> Path:
    """Return an archive of these files, their names written with `_log` for `.log`."""
    with tarfile.open(path, "w:gz") as packed:
        for name, data in contents.items():
            entry = tarfile.TarInfo(name.replace("_log", ".log"))
            entry.size = len(data)
            packed.addfile(entry, BytesIO(data))
    return path


def test_an_archive_of_other_files_is_none_of_ours_and_leaves_nothing(tmp_path: Path):
    files = written(tmp_path / "state", 3)
    whole = files.read("main-00000001.log")
    archive = archived(tmp_path / "a.tar.gz", **{"main-00000001_log": whole, "notes.txt": b"x"})
    with pytest.raises(JournalError, match=r"holds 'notes\.txt'") as caught:
        restore(archive, tmp_path / "again")
    assert caught.value.code == "restore"
    assert RealFiles(tmp_path / "again").names() == []


@pytest.mark.parametrize("name", ["deeper/main-00000001_log", "../main-00000001_log"])
def test_a_file_of_another_folder_is_none_of_ours(tmp_path: Path, name: str):
    archive = archived(tmp_path / "a.tar.gz", **{name: b"x"})
    with pytest.raises(JournalError, match=r"is no backup: it holds '\S+/main-00000001\.log'"):
        restore(archive, tmp_path / "again")
    assert not (tmp_path / "main-00000001.log").exists()


def test_a_backup_with_a_damaged_log_is_refused_and_leaves_nothing(tmp_path: Path):
    data = bytearray(written(tmp_path / "state", 3).read("main-00000001.log"))
    data[80] ^= 1
    archive = archived(tmp_path / "a.tar.gz", **{"main-00000001_log": bytes(data)})
    with pytest.raises(JournalError, match="damaged at byte"):
        restore(archive, tmp_path / "again")
    assert RealFiles(tmp_path / "again").names() == []


def test_a_folder_that_holds_something_is_left_as_it_is(tmp_path: Path):
    files = written(tmp_path / "state", 3)
    backup(files, tmp_path / "a.tar.gz")
    before = files.read("main-00000001.log")
    with pytest.raises(JournalError, match="state is not empty") as caught:
        restore(tmp_path / "a.tar.gz", tmp_path / "state")
    assert (caught.value.code, bool(caught.value.remedy)) == ("restore", True)
    assert files.read("main-00000001.log") == before


def test_what_comes_back_is_on_the_disk_and_no_file_of_it_stays_open(tmp_path, monkeypatch):
    backup(written(tmp_path / "state", 3), tmp_path / "a.tar.gz")
    told = synced(monkeypatch)
    before = open_descriptors()
    restore(tmp_path / "a.tar.gz", tmp_path / "again")
    assert told[:2] == ["main-00000001.log", "again"]
    assert open_descriptors() == before


def test_every_log_is_in_a_backup_each_up_to_its_last_sound_record(tmp_path: Path):
    files = written(tmp_path / "state", 3)
    journal = Journal(files)
    journal.compact(9, force=True)
    journal.begin_tape("one")
    journal.record_inputs(b"piece")
    journal.close()
    (files.folder / "tape-two-00000001.log").write_bytes(b"no head")
    (files.folder / "notes.txt").write_bytes(b"x")
    torn = files.folder / "tape-one-00000001.log"
    torn.write_bytes(torn.read_bytes() + b"half of a rec")
    assert backup(files, tmp_path / "a.tar.gz") == 3
    with tarfile.open(tmp_path / "a.tar.gz") as packed:
        entries = {entry.name: (entry.size, entry.mode) for entry in packed}
    names = ["main-00000002.log", "old-main-00000001.log", "tape-one-00000001.log"]
    sizes = [len(files.read(name)) for name in names]
    sizes[2] -= len(b"half of a rec")
    expected = [(size, 0o600) for size in sizes]
    assert entries == dict(zip(names, expected, strict=True))


@pytest.mark.parametrize("name", ["main-00000002.log", "old-main-00000001.log"])
def test_a_journal_that_is_damaged_makes_no_backup(tmp_path: Path, name: str):
    files = written(tmp_path / "state", 3)
    journal = Journal(files)
    journal.compact(9, force=True)
    for number in range(3):
        journal.record(r.Alarmed(ts=number, code="test", text="x"))
    journal.close()
    data = bytearray(files.read(name))
    data[80] ^= 1
    (files.folder / name).write_bytes(data)
    with pytest.raises(JournalError, match=f"{name} is damaged"):
        backup(files, tmp_path / "a.tar.gz")
    assert not (tmp_path / "a.tar.gz").exists()


# -- by schedule -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("now", "every", "is_due"),
    [(109, 10, False), (110, 10, True), (111, 10, True), (500, 0, False), (500, -1, False)],
)
def test_a_backup_is_due_once_the_last_is_as_old_as_they_are_apart(tmp_path, now, every, is_due):
    files, folder = written(tmp_path / "state", 1), tmp_path / "backups"
    assert backup_if_due(files, folder, now=100, every_ns=10, keep=9) is not None
    taken = backup_if_due(files, folder, now=now, every_ns=every, keep=9)
    assert (taken is not None) is is_due
    if taken is not None:
        assert taken == folder / f"journal-{now:020d}.tar.gz"
        assert drill(taken, files).records == 1


@pytest.mark.parametrize(("keep", "left"), [(1, [40]), (2, [30, 40]), (9, [10, 20, 30, 40])])
def test_so_many_of_the_newest_are_kept(tmp_path: Path, keep: int, left: list[int]):
    files, folder = written(tmp_path / "state", 1), tmp_path / "backups"
    for now in (10, 20, 30, 40):
        backup_if_due(files, folder, now=now, every_ns=1, keep=keep)
    assert sorted(path.name for path in folder.iterdir()) == [
        f"journal-{now:020d}.tar.gz" for now in left
    ]


@pytest.mark.parametrize("keep", [0, -1])
def test_none_is_removed_where_no_number_is_to_be_kept(tmp_path: Path, keep: int):
    files, folder = written(tmp_path / "state", 1), tmp_path / "backups"
    for now in (10, 20, 30):
        backup_if_due(files, folder, now=now, every_ns=1, keep=keep)
    assert len(list(folder.iterdir())) == 3


def test_the_newest_is_by_its_name_or_else_by_when_it_was_written(tmp_path: Path):
    named = {number: tmp_path / f"journal-{number:020d}.tar.gz" for number in (10**17, 2 * 10**17)}
    by_hand = tmp_path / "before-upgrade.tar.gz"
    for path in (*named.values(), by_hand, tmp_path / "another.zip"):
        path.write_bytes(b"")
    for written_at, expected in ((3 * 10**17, by_hand), (10**17, named[2 * 10**17])):
        os.utime(by_hand, ns=(written_at, written_at))
        assert newest(tmp_path) == expected
    with pytest.raises(JournalError, match="there is no backup in") as caught:
        newest(tmp_path / "none")
    assert caught.value.code == "no_backup"


def test_backups_of_a_clock_that_was_ahead_put_no_other_off_and_go_first(tmp_path: Path):
    """None was due before their time had come, a year later, and nobody was told."""
    files, folder, hour = written(tmp_path / "state", 1), tmp_path / "backups", 3600 * 10**9
    now = time.time_ns()
    ahead = [now + 8760 * hour, now + 8770 * hour]
    for at in ahead:
        assert backup_if_due(files, folder, now=at, every_ns=hour, keep=3) is not None
    due = [
        backup_if_due(files, folder, now=at, every_ns=hour, keep=3) is not None
        for at in (now - 2 * hour, now - 2 * hour + 1, now - hour, now - 1, now)
    ]
    assert due == [True, False, True, False, True]
    left = sorted(path.name for path in folder.iterdir())
    kept = (now - 2 * hour, now - hour, now)
    assert left == [f"journal-{at:020d}.tar.gz" for at in kept]
    backup(files, folder / f"journal-{ahead[0]:020d}.tar.gz")
    assert newest(folder).name == left[-1]


# -- drills ----------------------------------------------------------------------------------------

ORDER = r.OrderState(
    client_order_id="a-1", strategy="S", symbol="SPY", side="buy", order_type="limit",
    quantity="10", time_in_force="day", status="ACCEPTED", limit_price="99",
)  # fmt: skip


def test_a_drill_tells_what_a_node_would_go_on_with(tmp_path: Path):
    files = RealFiles(tmp_path / "state")
    journal = Journal(files)
    for number in (1, 2):
        order = msgspec.structs.replace(ORDER, client_order_id=f"a-{number}")
        journal.record(r.Intent(ts=1, inputs=1, order=order))
    for symbol, units in (("SPY", 5), ("QQQ", 0), ("BAC", -3)):
        held = r.PositionState(
            strategy="S", symbol=symbol, units=units, open_cost="9", realized="0", fees="0"
        )
        journal.record(
            r.Adjustment(
                ts=1, activity_id=symbol, kind="split", symbol=symbol, quantity="0", amount="0",
                text="", positions=(held,),
            )
        )  # fmt: skip
    journal.commit()
    archive = tmp_path / "a.tar.gz"
    backup(files, archive)
    before = open_descriptors()
    assert drill(archive) == Drill(str(archive), records=5, behind=0, orders=2, positions=2)
    assert open_descriptors() == before
    journal.record(r.Alarmed(ts=1, code="test", text="later"))
    journal.commit()
    assert drill(archive, files).behind == 1
    # What the backup has may have been put away since.
    journal.compact(9, force=True)
    journal.close()
    assert drill(archive, files) == Drill(str(archive), records=5, behind=2, orders=2, positions=2)


@pytest.mark.parametrize("count", [3, 5])
def test_a_backup_whose_last_record_is_another_is_of_another_journal(tmp_path: Path, count: int):
    files = written(tmp_path / "one", 3)
    archive = tmp_path / "a.tar.gz"
    backup(files, archive)
    other = RealFiles(tmp_path / "two")
    journal = Journal(other)
    for (_, record), number in zip(read_records(files), range(3), strict=True):
        journal.record(record if number < 2 else r.Alarmed(ts=2, code="test", text="other"))
    for number in range(3, count):
        journal.record(r.Alarmed(ts=number, code="test", text="x"))
    journal.close()
    with pytest.raises(JournalError, match="is not of this journal") as caught:
        drill(archive, other)
    assert caught.value.code == "drill"
    assert str(archive) in caught.value.message


@pytest.mark.parametrize("count", [0, 2])
def test_a_backup_that_knows_more_than_the_journal_fails_the_drill(tmp_path: Path, count: int):
    """A journal that had lost its end, or all of it, passed."""
    archive = tmp_path / "a.tar.gz"
    backup(written(tmp_path / "one", 3), archive)
    with pytest.raises(JournalError, match=f"up to 3, and the journal up to {count}") as caught:
        drill(archive, written(tmp_path / "two", count))
    assert caught.value.code == "drill"


def test_a_backup_of_a_journal_without_a_record_is_behind_by_all(tmp_path: Path):
    files, archive = written(tmp_path / "state", 0), tmp_path / "a.tar.gz"
    backup(files, archive)
    written(tmp_path / "state", 2)
    assert drill(archive, files).behind == 2


def test_a_journal_is_copied_and_drilled_piece_by_piece(tmp_path: Path):
    """It stands in the memory of the node that trades: all of it stood there, and more."""
    files = RealFiles(tmp_path / "state")
    journal = Journal(files, segment_max=1 << 14)
    journal.begin_tape("one")
    for number in range(200):
        text = random.Random(number).randbytes(2000).hex()
        journal.record(r.Alarmed(ts=number, code="test", text=text))
        journal.record_inputs(text.encode())
        if number % 30 == 0:
            journal.commit()
    journal.close()
    size = sum(len(files.read(name)) for name in files.names())
    archive = tmp_path / "a.tar.gz"
    peaks = [peak_of(lambda: backup(files, archive)), peak_of(lambda: drill(archive, files))]
    assert size > 1_000_000
    assert max(peaks) < size / 3


def peak_of(act: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize(("times", "is_taken"), [(1, True), (2, True), (3, False)])
def test_a_backup_is_begun_anew_where_files_are_put_away_as_it_reads_them(
    tmp_path: Path, times: int, is_taken: bool
):
    """A start beside it put the journal away, and the backup ended with an error."""
    written(tmp_path / "state", 20)

    class Racing(RealFiles):
        left = times

        def read(self, name: str) -> bytes:
            if self.left and name.startswith("main"):
                self.left -= 1
                journal = Journal(RealFiles(self.folder))
                journal.compact(9, force=True)
                journal.close()
            return super().read(name)

    files, archive = Racing(tmp_path / "state"), tmp_path / "whole.tar.gz"
    if not is_taken:
        with pytest.raises(FileNotFoundError):
            backup(files, archive)
        assert not archive.exists()
        return
    backup(files, archive)
    found = drill(archive, RealFiles(tmp_path / "state"))
    assert (found.records, found.behind) == (20 + times, 0)
