"""The real file port: what it does to the disk, call by call, and that it lets go of it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from pyrt.errors import ConfigError
from pyrt.live.journal.files import NoFiles, RealFiles


@pytest.fixture
def files(tmp_path: Path) -> RealFiles:
    return RealFiles(tmp_path / "state")


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list that takes down what is synced: names of files and folders."""
    told: list[str] = []

    def note(descriptor: int) -> None:
        told.append(Path(os.readlink(f"/proc/self/fd/{descriptor}")).name)

    monkeypatch.setattr(os, "fdatasync", note)
    monkeypatch.setattr(os, "fsync", note)
    return told


def test_a_file_is_written_at_its_end_and_cut_where_it_is_told(files):
    made = files.create("a")
    assert made.write(b"0123456789") == 10
    made.truncate(4)
    assert made.write(b"x") == 1
    made.close()
    again = files.append("a")
    assert again.write(b"yz") == 2
    again.close()
    assert files.read("a") == b"0123xyz"


def test_files_and_folders_are_synced_when_asked_and_closed(files, monkeypatch):
    told, before = synced(monkeypatch), open_descriptors()
    made = files.create("a")
    made.write(b"x")
    assert told == []
    made.sync()
    files.sync_folder()
    assert told == ["a", "state"]
    made.close()
    assert open_descriptors() == before
    assert files.read("a") == b"x"
    assert open_descriptors() == before
    with pytest.raises(OSError, match="Bad file descriptor"):
        made.write(b"y")


def test_a_folder_that_cannot_be_synced_is_let_go_all_the_same(files, monkeypatch):
    def fail(descriptor: int) -> None:
        raise OSError(errno.EIO, "no")

    monkeypatch.setattr(os, "fsync", fail)
    before = open_descriptors()
    with pytest.raises(OSError, match="no"):
        files.sync_folder()
    assert open_descriptors() == before


def test_names_are_those_of_files_alone_in_their_order(files):
    for name in ("b", "a", "c"):
        files.create(name).close()
    (files.folder / "folder").mkdir()
    (files.folder / "link").symlink_to(files.folder / "a")
    assert files.names() == ["a", "b", "c"]
    files.rename("a", "c")
    assert files.names() == ["b", "c"]
    files.remove("b")
    assert files.names() == ["c"]


def test_a_file_is_made_once_and_appended_to_only_where_it_is(files):
    files.create("a").close()
    with pytest.raises(FileExistsError):
        files.create("a")
    with pytest.raises(FileNotFoundError):
        files.append("b")
    assert files.names() == ["a"]


def test_no_link_is_followed_to_write_or_to_read(files, tmp_path):
    (tmp_path / "outside").write_bytes(b"kept")
    (files.folder / "link").symlink_to(tmp_path / "outside")
    for use in (files.append, files.read):
        with pytest.raises(OSError, match="symbolic links"):
            use("link")
    assert (tmp_path / "outside").read_bytes() == b"kept"


def test_what_is_made_is_its_owners_alone(files):
    old = os.umask(0)
    try:
        files.create("a").close()
        inner = RealFiles(files.folder / "deep" / "er")
    finally:
        os.umask(old)
    assert (files.folder / "a").stat().st_mode & 0o777 == 0o600
    assert inner.folder.stat().st_mode & 0o777 == 0o700


def test_a_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    (tmp_path / "state").mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)
    with pytest.raises(ConfigError, match="is a link or not ours") as caught:
        RealFiles(tmp_path / "state")
    assert caught.value.code == "state_folder"
    assert str(tmp_path / "state") in caught.value.message


@pytest.mark.parametrize("mode", [0o701, 0o702, 0o704, 0o710, 0o720, 0o740])
def test_no_right_of_others_is_let_pass(tmp_path, mode):
    (tmp_path / "state").mkdir()
    (tmp_path / "state").chmod(mode)
    with pytest.raises(ConfigError, match="others may enter") as caught:
        RealFiles(tmp_path / "state")
    assert caught.value.code == "state_folder"
    (tmp_path / "state").chmod(0o700)
    assert RealFiles(tmp_path / "state").names() == []


def test_a_file_that_keeps_nothing_says_that_it_took_all():
    files = NoFiles()
    assert files.create("a").write(b"four") == 4
    assert files.append("a").write(b"") == 0
    assert files.names() == []
