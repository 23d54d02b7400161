"""What a journal does not take, and what it says of files that are not its own."""

from __future__ import annotations

import errno
import zlib
from pathlib import Path

import pytest

from pyrt.errors import ConfigError, JournalError
from pyrt.live.journal import state as known
from pyrt.live.journal.backup import backup, restore
from pyrt.live.journal.files import NoFiles, RealFiles
from pyrt.live.journal.frames import SegmentReader, decode_head, encode_frame
from pyrt.live.journal.journal import Journal, unpack
from pyrt.live.journal.log import Log
from pyrt.live.journal.records import Adjustment, Alarmed
from pyrt.testing.files import MemoryFiles


def test_a_record_beyond_its_size_is_refused_and_nothing_else_is_lost(monkeypatch):
    monkeypatch.setattr("pyrt.live.journal.log.PAYLOAD_MAX", 8)
    files = MemoryFiles()
    log = Log(files, "main")
    log.append(1, b"eight by")
    with pytest.raises(JournalError, match="a record of 9 bytes; at most 8"):
        log.append(1, b"nine byte")
    assert (log.last, log.commit()) == (1, 1)


@pytest.mark.parametrize("is_torn", [False, True])
def test_a_file_that_takes_nothing_is_an_error_and_no_endless_loop(is_torn):
    class Mute(MemoryFiles):
        def create(self, name):
            file = super().create(name)
            file.write = lambda data: 0
            return file

    files = Mute()
    if is_torn:
        files.put("main-00000001.log", b"torn")

    def write() -> None:
        log = Log(files, "main")
        log.append(1, b"a")
        log.commit()

    with pytest.raises(OSError, match="took nothing") as caught:
        write()
    assert caught.value.errno == errno.EIO


def test_a_journal_that_failed_asks_for_no_more_commits():
    journal = Journal(MemoryFiles())
    journal.record(Alarmed(ts=1, code="test", text="one"))
    assert journal.wants_commit
    journal.failure = OSError("gone")
    assert not journal.wants_commit


def test_whoever_listens_hears_each_record():
    heard = []
    journal = Journal(MemoryFiles())
    journal.on_record = heard.append
    alarm = Alarmed(ts=1, code="test", text="one")
    journal.record(alarm)
    assert heard == [alarm]


def test_a_piece_of_tape_that_is_none_is_named():
    with pytest.raises(JournalError, match="a piece of tape cannot be read"):
        unpack(b"no zlib")
    assert unpack(zlib.compress(b"tape")) == b"tape"


@pytest.mark.parametrize("mode", [0o710, 0o755])
def test_a_folder_that_others_may_enter_is_refused(tmp_path: Path, mode: int):
    folder = tmp_path / "state"
    folder.mkdir()
    folder.chmod(mode)
    with pytest.raises(ConfigError, match="others may enter") as caught:
        RealFiles(folder)
    assert f"chmod 700 {folder}" in str(caught.value.remedy)


def test_a_folder_behind_a_link_or_that_is_a_file_is_refused(tmp_path: Path):
    real = tmp_path / "real"
    real.mkdir(mode=0o700)
    (tmp_path / "link").symlink_to(real)
    with pytest.raises(ConfigError, match="is a link or not ours"):
        RealFiles(tmp_path / "link")
    (tmp_path / "file").write_text("")
    with pytest.raises(ConfigError, match="cannot be used: File exists"):
        RealFiles(tmp_path / "file")


def test_a_rehearsal_that_keeps_nothing_has_nothing():
    files = NoFiles()
    journal = Journal(files)
    journal.record(Alarmed(ts=1, code="test", text="one"))
    journal.close()
    assert files.names() == []
    files.append("any").close()
    with pytest.raises(FileNotFoundError, match="any"):
        files.read("any")


@pytest.mark.parametrize(
    ("sequence", "chain", "reason"),
    [
        (3, None, "record 3 where 2 has to follow"),
        (2, b"another chain   ", "its hash does not continue the chain"),
    ],
)
def test_a_sound_frame_that_does_not_follow_is_damage(sequence, chain, reason):
    files = MemoryFiles()
    log = Log(files, "main")
    log.append(1, b"a")
    log.commit()
    (name,) = files.names()
    data = files.read(name)
    head = decode_head(data)
    assert head is not None
    reader = SegmentReader(data, head)
    assert len(list(reader)) == 1
    frame, _ = encode_frame(
        1, sequence, b"b", chain=chain or reader.chain, segment=head.number, offset=len(data)
    )
    reader = SegmentReader(data + frame, head)
    assert len(list(reader)) == 1
    assert reader.damage is not None
    assert reader.damage.reason == reason


def test_only_so_many_activities_are_kept_in_memory(monkeypatch):
    monkeypatch.setattr(known, "ACTIVITIES_MAX", 2)
    journal = Journal(MemoryFiles())
    for number in range(4):
        journal.record(
            Adjustment(
                ts=number,
                activity_id=str(number),
                kind="fee",
                symbol="",
                quantity="0",
                amount="0",
                text="",
            )
        )
    assert list(journal.state.activities) == ["2", "3"]


def test_a_file_that_is_no_journal_is_left_out_of_a_backup(tmp_path: Path):
    folder = tmp_path / "state"
    journal = Journal(RealFiles(folder))
    journal.record(Alarmed(ts=1, code="test", text="one"))
    journal.close()
    (folder / "torn.log").write_bytes(b"")
    assert backup(RealFiles(folder), tmp_path / "saved.tar.gz") == 1
    assert restore(tmp_path / "saved.tar.gz", tmp_path / "again") == 1


def test_after_a_failure_no_record_counts_as_written():
    """An order leaves once its record is durable: that number must lie beyond all that are."""
    journal = Journal(MemoryFiles())
    alarm = Alarmed(ts=1, code="test", text="one")
    for _ in range(3):
        journal.record(alarm)
    journal.commit()
    journal.failure = OSError("gone")
    assert [journal.record(alarm) for _ in range(3)] == [4, 5, 6]
    assert journal.durable == 3
