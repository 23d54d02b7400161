"""Who holds a lock is named, and it ends with its holder: two never hold one."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import sys

import pytest

from pyrt.cli.exits import FAILED, USAGE, exit_code
from pyrt.errors import ConfigError
from pyrt.live.process.files import runtime_folder
from pyrt.live.process.lock import Lock, account_lock_path, lock_account, lock_state, lock_watch


@pytest.mark.parametrize(
    ("take", "name", "text", "code", "remedy"),
    [
        (lock_state, "lock", "another node (process {pid}) uses the state folder {folder}",
         "second_node", "two nodes must not trade one account"),
        (lock_watch, "watchdog.lock",
         "another watchdog (process {pid}) uses the watch over {folder}",
         "second_watchdog", "One is enough"),
    ],
)  # fmt: skip
def test_whoever_comes_second_hears_who_has_it_and_what_to_do(
    tmp_path, take, name, text, code, remedy
):
    folder = tmp_path / "not" / "yet"
    first = take(folder)
    assert (folder / name).read_text() == f"{os.getpid()}\n"
    assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    for _ in range(2):
        with pytest.raises(ConfigError) as refused:
            take(folder)
        assert refused.value.message == text.format(pid=os.getpid(), folder=folder)
        assert refused.value.code == code
        assert remedy in str(refused.value)
    for _ in range(3):
        first.release()
    # Nor is anything else of this process closed by it.
    assert all(os.fstat(each) for each in (0, 1, 2))
    second = take(folder)
    with pytest.raises(ConfigError):
        take(folder)
    # What was released once lets nobody in a second time.
    first.release()
    with pytest.raises(ConfigError):
        take(folder)
    second.release()


def test_a_node_and_its_watchdog_do_not_shut_each_other_out(tmp_path):
    node, watch = lock_state(tmp_path), lock_watch(tmp_path)
    node.release()
    watch.release()


def test_a_holder_that_has_not_said_who_it_is_is_unknown(tmp_path):
    with (tmp_path / "lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(ConfigError, match=r"another node \(process unknown\) uses x"):
            Lock(tmp_path / "lock", "x")


def test_what_a_longer_number_has_left_is_written_over(tmp_path):
    (tmp_path / "lock").write_text("123456789012345678901234567890\n")
    lock = Lock(tmp_path / "lock", "x")
    assert (tmp_path / "lock").read_text() == f"{os.getpid()}\n"
    lock.release()


def test_a_refused_lock_leaves_no_file_open(tmp_path):
    first = lock_state(tmp_path)
    before = len(os.listdir("/dev/fd"))
    for _ in range(5):
        with pytest.raises(ConfigError):
            lock_state(tmp_path)
    assert len(os.listdir("/dev/fd")) == before
    first.release()


@pytest.mark.parametrize("place", ["file", "file/state"])
def test_a_state_folder_that_cannot_be_is_a_setting_to_change(tmp_path, place):
    """Under systemd a start is tried again and again for any other error."""
    (tmp_path / "file").touch()
    with pytest.raises(ConfigError, match=r"state folder .* cannot be used: .* state_dir") as told:
        lock_state(tmp_path / place)
    assert told.value.code == "state_folder"


def test_a_full_disk_keeps_nobody_from_a_lock(tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", full)
    first = lock_state(tmp_path)
    with pytest.raises(ConfigError, match="process unknown"):
        lock_state(tmp_path)
    first.release()


def test_a_link_is_no_lock_and_a_child_does_not_inherit_one(tmp_path):
    (tmp_path / "elsewhere").write_text("somebody's")
    (tmp_path / "lock").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        lock_state(tmp_path)
    assert (tmp_path / "elsewhere").read_text() == "somebody's"
    (tmp_path / "lock").unlink()
    lock = lock_state(tmp_path)
    assert not os.get_inheritable(lock._descriptor)
    lock.release()


def test_an_account_is_locked_by_server_and_number_where_its_user_alone_writes(
    tmp_path, monkeypatch
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    path = account_lock_path("https://a", "PA1")
    assert path.parent == tmp_path / f"pyrt-{os.geteuid()}"
    others = (("https://a", "PA2"), ("https://b", "PA1"), ("https://a|PA1", ""))
    assert len({path, *(account_lock_path(*other) for other in others)}) == 4
    assert account_lock_path("https://a", "PA1") == path
    # A number is not on the disk for everybody to read.
    assert "PA1" not in path.name
    old = os.umask(0)
    try:
        lock = lock_account("https://a", "PA1")
    finally:
        os.umask(old)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert list(path.parent.iterdir()) == [path]
    with pytest.raises(ConfigError, match="uses the account PA1"):
        lock_account("https://a", "PA1")
    lock.release()


@pytest.mark.skipif(sys.platform != "linux", reason="names for a whole machine are Linux's")
def test_an_account_is_held_once_wherever_the_environment_puts_the_file(tmp_path, monkeypatch):
    """Two services with a temporary folder each both traded it."""
    server = f"https://{tmp_path}"
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "one"))
    first = lock_account(server, "PA1")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "other"))
    before = len(os.listdir("/dev/fd"))
    for _ in range(3):
        with pytest.raises(ConfigError, match=r"process unknown\) uses the account PA1") as refused:
            lock_account(server, "PA1")
        assert refused.value.code == "second_node"
    assert len(os.listdir("/dev/fd")) == before
    lock_account(server, "PA2").release()
    first.release()
    second = lock_account(server, "PA1")
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path / "one"))
    with pytest.raises(ConfigError):
        lock_account(server, "PA1")
    second.release()
    lock_account(server, "PA1").release()


@pytest.mark.parametrize("what", ["open", "link", "file"])
def test_a_folder_that_others_may_have_made_takes_no_lock_and_no_socket(
    tmp_path, monkeypatch, what
):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / f"pyrt-{os.geteuid()}"
    if what == "open":
        folder.mkdir()
        folder.chmod(0o720)
    elif what == "link":
        (tmp_path / "elsewhere").mkdir()
        folder.symlink_to(tmp_path / "elsewhere")
    else:
        folder.touch()
    with pytest.raises((ConfigError, FileExistsError), match=str(folder)):
        runtime_folder()
    if what == "open":
        folder.chmod(0o755)
        assert runtime_folder() == folder


def test_a_folder_of_another_user_takes_no_lock(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 12_345_678)
    with pytest.raises(ConfigError, match=r"pyrt-12345678 is no folder that this user alone"):
        runtime_folder()


def test_a_start_beside_what_holds_the_account_is_tried_again():
    """Systemd tries no code 2 again: a node was left down by the `pyrt cancel` of its runbook."""
    held = ConfigError("another node uses the account", code="second_node")
    assert exit_code(held) == FAILED
    assert exit_code(ConfigError("symbols is empty")) == USAGE
