"""The state folder: its owner's alone, one writer, and no byte changed unseen."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from random import Random

import pytest

from pyrt.errors import PyrtError
from pyrt.live.journal import records as r
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal, read_records
from pyrt.live.journal.verify import verify
from pyrt.live.process.files import write_private
from pyrt.live.process.lock import lock_state
from pyrt.testing.files import MemoryFiles

FLIPS = 2_000


def sample(files, count=60):
    journal = Journal(files)
    for number in range(count):
        journal.record(r.Alarmed(ts=number, code="x", text="text " * (number % 7)))
        if number % 5 == 0:
            journal.commit()
    journal.commit()
    journal.close()
    return files


def test_files_of_the_state_folder_are_their_owners_alone(tmp_path):
    old = os.umask(0)
    try:
        folder = tmp_path / "state"
        sample(RealFiles(folder))
        held = lock_state(folder)
    finally:
        os.umask(old)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for path in folder.rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    with pytest.raises(PyrtError):
        lock_state(folder)
    held.release()


def test_a_small_file_is_put_in_place_whole_whatever_a_dead_process_has_left(tmp_path):
    """In a container each process has the number of the one before, which was killed."""
    path, outside = tmp_path / "state" / "control.json", tmp_path / "outside"
    left = path.with_name(f".control.json.{os.getpid()}")
    write_private(path, b"first")
    left.write_bytes(b"half of")
    write_private(path, b"second")
    outside.write_bytes(b"somebody's")
    left.symlink_to(outside)
    write_private(path, b"third")
    assert (path.read_bytes(), outside.read_bytes()) == (b"third", b"somebody's")
    path.unlink()
    path.symlink_to(outside)
    write_private(path, b"fourth")
    assert (path.read_bytes(), outside.read_bytes()) == (b"fourth", b"somebody's")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert os.listdir(path.parent) == ["control.json"]


def test_a_small_file_that_cannot_be_put_in_place_leaves_nothing(tmp_path):
    (tmp_path / "taken").mkdir()
    with pytest.raises(OSError, match="directory"):
        write_private(tmp_path / "taken", b"x")
    assert os.listdir(tmp_path) == ["taken"]


def test_a_small_file_is_on_the_disk_before_it_is_in_place(tmp_path, monkeypatch):
    path, sizes = tmp_path / "not" / "yet" / "there.json", []

    def sync(descriptor: int) -> None:
        assert not path.exists()
        sizes.append(os.fstat(descriptor).st_size)

    monkeypatch.setattr(os, "fsync", sync)
    write_private(path, b"whole")
    assert sizes == [5]
    assert path.read_bytes() == b"whole"

    def fail(descriptor: int) -> None:
        for left in path.parent.glob(".*"):
            left.unlink()
        raise OSError("the disk is gone")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="the disk is gone"):
        write_private(path, b"another")
    assert path.read_bytes() == b"whole"


def test_files_behind_a_link_are_neither_read_nor_written(tmp_path):
    folder = tmp_path / "state"
    outside = tmp_path / "outside"
    outside.write_bytes(b"somebody's")
    files = sample(RealFiles(folder))
    (folder / "main-00000009.log").symlink_to(outside)
    for act in (files.read, files.append, files.create):
        with pytest.raises(OSError, match=r"symbolic|exists|Too many"):
            act("main-00000009.log")
    assert outside.read_bytes() == b"somebody's"


def test_no_core_file_is_left_by_the_command():
    code = (
        "import resource; from pyrt.cli.live import _close_up; _close_up(); "
        "import os; print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "(0, 0) 0o77"


def flipped(seed, count):
    """Flip single bytes of a journal; return how many went unseen."""
    files = sample(MemoryFiles())
    (name,) = [n for n in files.names() if n.startswith("main")]
    data, random = files.read(name), Random(seed)
    whole = [f"{record}" for record in _records(files)]
    unseen = 0
    for _ in range(count):
        place, bit = random.randrange(len(data)), 1 << random.randrange(8)
        changed = bytearray(data)
        changed[place] ^= bit
        other = MemoryFiles()
        other.put(name, bytes(changed))
        (report,) = [each for each in verify(other) if each.name.startswith("main")]
        if report.is_sound and not report.torn and report.records == len(whole):
            unseen += 1
    return unseen


def _records(files):
    return [record for _, record in read_records(files)]


def test_tampering_with_any_byte_is_seen():
    assert flipped(seed=1, count=FLIPS) == 0


@pytest.mark.nightly
@pytest.mark.timeout(3_600)
def test_tampering_is_seen_in_a_million_trials():
    assert sum(flipped(seed=seed, count=10_000) for seed in range(100)) == 0
