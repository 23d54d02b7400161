"""A backup comes back whole or not at all, whatever has happened to it on the way."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyrt.errors import JournalError
from pyrt.live.journal import records as r
from pyrt.live.journal.backup import backup, restore
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal


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
