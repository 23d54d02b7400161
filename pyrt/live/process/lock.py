"""One node a state folder, and one an account: locks that end with the process that holds them."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import socket
import sys
from contextlib import suppress
from pathlib import Path

from pyrt.errors import ConfigError
from pyrt.live.process.files import runtime_folder

REMEDIES = {
    "node": "Stop it first; two nodes must not trade one account",
    "watchdog": "One is enough; stop it first if this one is to watch",
    "link": "Stop it first, or give this one an address of its own",
}

NOT_OURS = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST})
"""What no other start mends."""


class Lock:
    """An exclusive lock on a file; released by `release`, or by the end of the process.

    Parameters
    ----------
    path : path
    what : str
        What is locked, for the message.
    who : {"node", "watchdog", "link"}
        What holds it.
    name : str
        A name that is held as well, one for the whole machine: folders that the environment names,
        and temporary ones of services, are not the same for everybody. Linux has such names.

    Raises
    ------
    ConfigError
        If another process holds it.
    """

    def __init__(self, path: Path, what: str, *, who: str = "node", name: str = "") -> None:
        self._name: socket.socket | None = None
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(path, flags, 0o600)
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            holder = os.read(self._descriptor, 32).decode(errors="replace").strip()
            self.release()
            raise _taken(who, holder, what) from None
        try:
            self._hold(name)
        except OSError:
            self.release()
            raise _taken(who, "", what) from None
        # It is held all the same where a full disk takes no number.
        with suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.write(self._descriptor, f"{os.getpid()}\n".encode())

    def _hold(self, name: str) -> None:
        if name and sys.platform == "linux":
            self._name = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            self._name.bind(f"\0{name}")

    def release(self) -> None:
        """Let others have it."""
        if self._name is not None:
            self._name.close()
            self._name = None
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


def _taken(who: str, holder: str, what: str) -> ConfigError:
    return ConfigError(
        f"another {who} (process {holder or 'unknown'}) uses {what}",
        code=f"second_{who}",
        remedy=REMEDIES[who],
    )


def lock_state(folder: Path) -> Lock:
    """Lock a state folder.

    Raises
    ------
    ConfigError
        If another node has it, or it cannot be a folder of this user's.
    """
    try:
        return Lock(folder / "lock", f"the state folder {folder}")
    except OSError as error:
        if error.errno not in NOT_OURS:
            raise
        raise ConfigError(
            f"the state folder {folder} cannot be used: {error.strerror}",
            code="state_folder",
            remedy="Let state_dir name a folder that this user can write to",
        ) from None


def lock_watch(folder: Path) -> Lock:
    """Lock the watch over a state folder's node."""
    return Lock(folder / "watchdog.lock", f"the watch over {folder}", who="watchdog")


def account_lock_path(trading_url: str, account: str) -> Path:
    """Return the file that whoever trades an account on this machine locks."""
    digest = hashlib.blake2b(f"{trading_url}|{account}".encode(), digest_size=8).hexdigest()
    return runtime_folder() / f"account-{digest}.lock"


def lock_account(trading_url: str, account: str) -> Lock:
    """Lock an account against other nodes and scripts on this machine, whoever runs them."""
    path = account_lock_path(trading_url, account)
    return Lock(path, f"the account {account}", name=f"pyrt-{path.stem}")
