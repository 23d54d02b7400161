"""Files and folders that nobody else may read."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from pyrt.errors import ConfigError


def write_private(path: Path, content: bytes) -> None:
    """Put `content` in place of the file at `path`, as `private_file` does."""
    with private_file(path) as file:
        file.write(content)


@contextmanager
def private_file(path: Path) -> Iterator[BinaryIO]:
    """Give a file to write that takes the place of that at `path`, mode 0600, whole or not at all.

    Folders are made with mode 0700; a link at `path` is replaced, not followed.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    # A process that was killed may have had this one's number: in a container all have.
    fresh.unlink(missing_ok=True)
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        fresh.rename(path)
    except BaseException:
        fresh.unlink(missing_ok=True)
        raise


def runtime_folder() -> Path:
    """Return this user's folder for locks and sockets, made where it is not there.

    Raises
    ------
    ConfigError
        If others can write in it, or it is not this user's: whoever made it in a temporary folder
        that all share could put a socket of his own in place of a node's.
    """
    base = os.environ.get("XDG_RUNTIME_DIR") or tempfile.gettempdir()
    folder = Path(base) / f"pyrt-{os.geteuid()}"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = folder.lstat()
    is_own = stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid()
    if not is_own or found.st_mode & 0o022:
        raise ConfigError(
            f"{folder} is no folder that this user alone can write in",
            code="runtime_folder",
            remedy="Remove it, or set XDG_RUNTIME_DIR to a folder of your own",
        )
    return folder
