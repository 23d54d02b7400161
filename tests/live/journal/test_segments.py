"""Where a log's segments end, what is durable by then, and that no file stays open behind it."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.errors import JournalError
from pyrt.live.journal import log as module
from pyrt.live.journal.frames import FRAME_BYTES, SEGMENT_BYTES
from pyrt.live.journal.log import Log, LogReader
from pyrt.testing.files import MemoryFile, MemoryFiles

ONE, TWO, THREE = (f"main-0000000{number}.log" for number in (1, 2, 3))
RECORD = FRAME_BYTES + 4
"""Bytes of a record of four."""


class Watched(MemoryFiles):
    """A folder that knows which of its files are open, and in what order things were done."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.done: list[str] = []

    def create(self, name: str) -> MemoryFile:
        return self._watched(name, super().create(name))

    def append(self, name: str) -> MemoryFile:
        return self._watched(name, super().append(name))

    def sync_folder(self) -> None:
        self.done.append("sync folder")
        super().sync_folder()

    def _watched(self, name: str, file: Any) -> Any:
        close, write, sync = file.close, file.write, file.sync
        self.open.append(name)
        self.done.append(f"open {name}")

        def closed() -> None:
            self.open.remove(name)
            self.done.append(f"close {name}")
            close()

        def written(data: bytes) -> int:
            self.done.append(f"write {name}")
            return write(data)

        def synced() -> None:
            self.done.append(f"sync {name}")
            sync()

        file.close, file.write, file.sync = closed, written, synced
        return file


def appended(log: Log, count: int) -> None:
    for _ in range(count):
        log.append(1, b"four")


@pytest.mark.parametrize(("spare", "segments"), [(-1, 1), (0, 1), (1, 2)])
def test_a_segment_is_full_once_it_has_reached_its_size(spare, segments):
    """Two records fit where the first alone leaves room for a byte, and none where it does not."""
    files = Watched()
    log = Log(files, "main", segment_max=SEGMENT_BYTES + RECORD + spare)
    appended(log, 2 if spare <= 0 else 3)
    log.commit()
    first = [frame for frame in LogReader(files, "main") if frame.offset == SEGMENT_BYTES]
    assert len(files.names()) == len(first) == 2
    assert len(files.read(ONE)) == SEGMENT_BYTES + segments * RECORD


def test_a_segment_that_is_ended_is_durable_and_closed_before_the_next_begins():
    files = Watched()
    log = Log(files, "main", segment_max=SEGMENT_BYTES + 1)
    appended(log, 3)
    assert log.commit(sync=False) == 2
    assert (log.written, log.durable, log.waiting) == (3, 2, 0)
    assert files.open == [THREE]
    assert files.done[:7] == [
        f"open {ONE}", f"write {ONE}", "sync folder", f"write {ONE}", f"sync {ONE}",
        f"close {ONE}", f"open {TWO}",
    ]  # fmt: skip
    assert log.commit() == 3
    # Nothing was written since: there is nothing to sync.
    before = list(files.done)
    assert log.commit() == 3
    assert files.done == before


def test_a_log_opened_again_ends_its_segment_where_it_would_have():
    size = SEGMENT_BYTES + 2 * RECORD
    files = Watched()
    for count in (1, 1, 1):
        log = Log(files, "main", segment_max=size)
        appended(log, count)
        log.commit()
        log.close()
    assert files.open == []
    assert len(files.read(ONE)) == size
    assert len(files.read(TWO)) == SEGMENT_BYTES + RECORD
    assert [frame.sequence for frame in LogReader(files, "main")] == [1, 2, 3]


def test_to_rotate_ends_the_segment_durably_and_to_close_ends_nothing():
    files = Watched()
    log = Log(files, "main")
    log.rotate()
    log.close()
    assert files.done == []
    appended(log, 1)
    log.commit(sync=False)
    files.done.clear()
    log.rotate()
    assert files.done == [f"sync {ONE}", f"close {ONE}"]
    assert (log.durable, files.open) == (1, [])
    appended(log, 1)
    log.commit(sync=False)
    assert (log.written, log.durable, files.open) == (2, 1, [TWO])
    appended(log, 1)
    log.close()
    assert (log.written, log.durable, log.waiting, files.open) == (2, 1, 1, [])


@pytest.mark.parametrize("size", [2 * RECORD, RECORD + 1])
def test_what_is_written_at_once_is_of_about_one_size(monkeypatch, size):
    monkeypatch.setattr(module, "WRITE_MAX", size)
    files = Watched()
    log = Log(files, "main")
    appended(log, 5)
    log.commit()
    assert files.done.count(f"write {ONE}") == 1 + 3
    assert [frame.sequence for frame in LogReader(files, "main")] == [1, 2, 3, 4, 5]


def test_records_up_to_one_are_written_and_counted():
    log = Log(MemoryFiles(), "main", segment_max=SEGMENT_BYTES + 2 * RECORD)
    appended(log, 4)
    assert log.commit(until=0) == 0
    assert (log.written, log.waiting, log.last) == (0, 4, 4)
    assert log.commit(until=1) == 1
    assert (log.written, log.waiting) == (1, 3)
    assert log.commit(until=9) == 4


def test_a_log_is_of_its_own_segments_alone():
    """A run called desk could not be read any more once there was one called desk-2."""
    files, names = MemoryFiles(), ("tape-desk", "tape-desk-2", "tape-desk-x", "old-tape-desk")
    for name in names:
        log = Log(files, name)
        log.append(1, name.encode())
        log.commit()
    files.put("tape-desk-00000001.log.bak", b"x")
    for name in names:
        assert LogReader(files, name).segments() == [f"{name}-00000001.log"]
        assert [frame.payload for frame in LogReader(files, name)] == [name.encode()]


def test_each_frame_that_is_there_is_shown_and_payloads_are_packed():
    files, seen = MemoryFiles(), []
    log = Log(files, "main", pack=lambda data: data[::-1])
    log.append(1, b"abc")
    log.commit()
    Log(files, "main", on_frame=seen.append)
    assert [(frame.sequence, frame.payload) for frame in seen] == [(1, b"cba")]


def torn(size: int) -> MemoryFiles:
    files = Watched()
    log = Log(files, "main")
    appended(log, 2)
    log.commit()
    log.close()
    files.put(ONE, files.read(ONE)[:size])
    files.done.clear()
    return files


@pytest.mark.parametrize(
    ("size", "offset"),
    [
        (SEGMENT_BYTES + RECORD + 5, SEGMENT_BYTES + RECORD),
        (SEGMENT_BYTES + 3, SEGMENT_BYTES),
        (SEGMENT_BYTES - 1, 0),
    ],
)
def test_a_torn_tail_is_kept_aside_durably_before_it_is_cut_off(size, offset):
    files = torn(size)
    tail = files.read(ONE)[offset:]
    log = Log(files, "main")
    aside = f"torn-{ONE}-{offset}"
    assert files.read(aside) == tail
    assert log.torn is not None
    assert (log.torn.segment, log.torn.offset, log.torn.size) == (ONE, offset, len(tail))
    assert log.last == log.written == log.durable == (offset > SEGMENT_BYTES)
    assert files.done[:4] == [
        f"open {aside}", f"write {aside}", f"sync {aside}", f"close {aside}",
    ]  # fmt: skip
    if offset:
        assert files.done[4:] == [
            f"open {ONE}", f"sync {ONE}", f"close {ONE}", "sync folder", f"open {ONE}",
        ]  # fmt: skip
        assert len(files.read(ONE)) == offset
    else:
        assert files.done[4:] == ["sync folder"]
        assert ONE not in files.names()
    # It is as it was told even if the power fails now.
    assert Log(files.crash(keep_tail=False), "main").last == log.last


def test_a_tail_that_was_kept_aside_before_is_not_kept_again():
    files = torn(SEGMENT_BYTES + 3)
    files.put(f"torn-{ONE}-{SEGMENT_BYTES}", b"as it was")
    Log(files, "main")
    assert files.read(f"torn-{ONE}-{SEGMENT_BYTES}") == b"as it was"
    assert len(files.read(ONE)) == SEGMENT_BYTES


def test_a_tail_is_kept_whole_by_a_disk_that_writes_in_pieces():
    files = torn(SEGMENT_BYTES + 30)
    files.faults.short_write = 0.9
    tail = files.read(ONE)[SEGMENT_BYTES:]
    Log(files, "main")
    assert files.read(f"torn-{ONE}-{SEGMENT_BYTES}") == tail


def three_segments() -> MemoryFiles:
    files = MemoryFiles()
    log = Log(files, "main", segment_max=SEGMENT_BYTES + 1)
    appended(log, 3)
    log.commit()
    return files


def refusal(files: MemoryFiles) -> JournalError:
    with pytest.raises(JournalError) as caught:
        Log(files, "main")
    assert caught.value.code == "journal_damaged"
    assert caught.value.remedy
    return caught.value


def test_a_segment_of_another_log_does_not_continue_this_one():
    """Its number and its first record are right; the chain is another's."""
    files, other = three_segments(), MemoryFiles()
    log = Log(other, "main", segment_max=SEGMENT_BYTES + 1)
    for _ in range(3):
        log.append(1, b"else")
    log.commit()
    files.put(TWO, other.read(TWO))
    error = refusal(files)
    assert f"{TWO} does not continue" in error.message
    assert (error.values["segment"], error.values["offset"]) == (TWO, 0)


def test_damage_is_told_by_segment_place_and_reason():
    files = three_segments()
    data = bytearray(files.read(TWO))
    data[SEGMENT_BYTES] ^= 1
    files.put(TWO, bytes(data))
    error = refusal(files)
    assert error.message == f"{TWO} is damaged at byte {SEGMENT_BYTES}: no frame begins here"
    assert (error.values["segment"], error.values["offset"]) == (TWO, SEGMENT_BYTES)


def test_a_head_that_is_damaged_is_no_torn_tail_where_a_sound_record_follows():
    files = three_segments()
    data = bytearray(files.read(THREE))
    data[0] ^= 1
    files.put(THREE, bytes(data))
    error = refusal(files)
    assert f"{THREE} is damaged at byte 0: its head does not hold together" in error.message
    files.put(THREE, bytes(data[:SEGMENT_BYTES]))
    log = Log(files, "main")
    assert (log.last, log.torn and log.torn.offset) == (2, 0)
    assert log.torn is not None
    assert log.torn.reason == "its head was never complete"


def test_a_record_of_the_largest_size_is_taken(monkeypatch):
    monkeypatch.setattr(module, "PAYLOAD_MAX", 4)
    log = Log(MemoryFiles(), "main")
    assert log.append(1, b"four") == 1
    with pytest.raises(JournalError, match="a record of 5 bytes; at most 4") as caught:
        log.append(1, b"fives")
    assert caught.value.code == "record_size"
    assert log.last == 1
