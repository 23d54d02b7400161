"""The file port: what the journal asks of a file system, and the real one."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import Protocol

from pyrt.errors import ConfigError


class File(Protocol):
    """A file that is appended to."""

    def write(self, data: bytes) -> int:
        """Append; return how many bytes were taken, which may be fewer than given."""

    def sync(self) -> None:
        """Return when everything written is on the disk."""

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes; later writes go there."""

    def close(self) -> None:
        """Close it; nothing is synced by this."""


class Files(Protocol):
    """One folder of files."""

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""

    def read(self, name: str) -> bytes:
        """Return a file's content."""

    def create(self, name: str) -> File:
        """Make a new file; FileExistsError if there is one."""

    def append(self, name: str) -> File:
        """Open a file that is there, to write at its end."""

    def rename(self, name: str, to: str) -> None:
        """Give a file another name, in place of what had it."""

    def remove(self, name: str) -> None:
        """Remove a file."""

    def sync_folder(self) -> None:
        """Return when names made, changed and removed are on the disk."""


class RealFile:
    """A file descriptor; errors of the system come out as OSError."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def write(self, data: bytes) -> int:
        """Append; return how many bytes were taken."""
        return os.write(self._descriptor, data)

    def sync(self) -> None:
        """Return when everything written is on the disk."""
        getattr(os, "fdatasync", os.fsync)(self._descriptor)

    def truncate(self, size: int) -> None:
        """Cut the file to `size` bytes."""
        os.ftruncate(self._descriptor, size)

    def close(self) -> None:
        """Close it."""
        os.close(self._descriptor)


class RealFiles:
    """A folder of this machine, for its owner's eyes only: 0700, files 0600, no links followed.

    Parameters
    ----------
    folder : path
        Made if it is not there.

    Raises
    ------
    ConfigError
        If it is a link, is not ours, or others may enter it.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        try:
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.folder.lstat()
        except OSError as error:
            raise ConfigError(
                f"the folder {self.folder} cannot be used: {error.strerror}", code="state_folder"
            ) from error
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
            raise ConfigError(f"{self.folder} is a link or not ours", code="state_folder")
        if stat.S_IMODE(found.st_mode) & 0o077:
            raise ConfigError(
                f"others may enter {self.folder}",
                code="state_folder",
                remedy=f"chmod 700 {self.folder}",
            )

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(p.name for p in self.folder.iterdir() if p.is_file() and not p.is_symlink())

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        descriptor = os.open(self.folder / name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        with os.fdopen(descriptor, "rb") as file:
            return file.read()

    def create(self, name: str) -> RealFile:
        """Make a new file; FileExistsError if there is one."""
        return self._open(name, os.O_CREAT | os.O_EXCL)

    def append(self, name: str) -> RealFile:
        """Open a file that is there, to write at its end."""
        return self._open(name, 0)

    def _open(self, name: str, more: int) -> RealFile:
        flags = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC | more
        return RealFile(os.open(self.folder / name, flags, 0o600))

    def rename(self, name: str, to: str) -> None:
        """Give a file another name, in place of what had it."""
        (self.folder / name).replace(self.folder / to)

    def remove(self, name: str) -> None:
        """Remove a file."""
        (self.folder / name).unlink()

    def sync_folder(self) -> None:
        """Return when names made, changed and removed are on the disk."""
        descriptor = os.open(self.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


class _NoFile:
    """Takes all and keeps nothing."""

    def write(self, data: bytes) -> int:
        """Say that all was taken."""
        return len(data)

    def sync(self) -> None:
        """Do nothing."""

    def truncate(self, size: int) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""


class NoFiles:
    """A folder that keeps nothing: for rehearsals that leave no trace."""

    def names(self) -> list[str]:
        """Return that there are none."""
        return []

    def read(self, name: str) -> bytes:
        """There is nothing to read."""
        raise FileNotFoundError(name)

    def create(self, name: str) -> File:
        """Return a file that keeps nothing."""
        return _NoFile()

    def append(self, name: str) -> File:
        """Return a file that keeps nothing."""
        return _NoFile()

    def rename(self, name: str, to: str) -> None:
        """Do nothing."""

    def remove(self, name: str) -> None:
        """Do nothing."""

    def sync_folder(self) -> None:
        """Do nothing."""
