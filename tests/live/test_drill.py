"""A restore drill tells what a backup is worth, and touches nothing."""

from __future__ import annotations

import json

import pytest

from pyrt.cli import main
from pyrt.errors import JournalError
from pyrt.live.journal import records as r
from pyrt.live.journal.backup import backup, backup_if_due, drill, newest
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal


def journal_with(folder, count, text="x"):
    files = RealFiles(folder)
    journal = Journal(files)
    for number in range(count):
        journal.record(r.Alarmed(ts=number, code="c", text=text))
    journal.commit()
    return files, journal


def test_a_drill_counts_what_the_backup_lacks(tmp_path, capsys):
    files, journal = journal_with(tmp_path / "state", 6)
    archive = tmp_path / "backups" / "journal-00000000000000000001.tar.gz"
    archive.parent.mkdir()
    backup(files, archive)
    for number in range(4):
        journal.record(r.Alarmed(ts=10 + number, code="c", text="later"))
    journal.commit()
    before = {name: files.read(name) for name in files.names()}
    done = drill(newest(archive.parent), files)
    assert (done.records, done.behind, done.orders, done.positions) == (6, 4, 0, 0)
    assert {name: files.read(name) for name in files.names()} == before
    code = main(["journal", "drill", str(tmp_path / "state"), str(archive.parent), "--json"])
    assert code == 0
    assert json.loads(capsys.readouterr().out)["behind"] == 4


def test_a_backup_of_another_journal_fails_the_drill(tmp_path):
    files, _ = journal_with(tmp_path / "one", 3)
    other, _ = journal_with(tmp_path / "two", 5, text="another")
    archive = tmp_path / "a.tar.gz"
    backup(files, archive)
    with pytest.raises(JournalError, match="not of this journal"):
        drill(archive, other)


def test_a_damaged_or_missing_backup_fails_the_drill(tmp_path):
    files, _ = journal_with(tmp_path / "one", 3)
    archive = tmp_path / "a.tar.gz"
    backup(files, archive)
    archive.write_bytes(archive.read_bytes()[:90])
    with pytest.raises(JournalError):
        drill(archive, files)
    with pytest.raises(JournalError, match="no backup"):
        newest(tmp_path / "nothing")


def test_backups_of_any_name_are_drilled_and_those_of_people_left_alone(tmp_path):
    files, journal = journal_with(tmp_path / "state", 3)
    folder = tmp_path / "backups"
    one = backup_if_due(files, folder, now=1, every_ns=10, keep=1)
    mine = folder / "journal-before-upgrade.tar.gz"
    journal.record(r.Alarmed(ts=9, code="c", text="later"))
    journal.commit()
    backup(files, mine)
    assert newest(folder) == mine
    assert drill(newest(folder), files).behind == 0
    assert backup_if_due(files, folder, now=5, every_ns=10, keep=1) is None
    two = backup_if_due(files, folder, now=11, every_ns=10, keep=1)
    assert two is not None
    assert sorted(folder.iterdir()) == sorted([mine, two])
    assert one not in folder.iterdir()
