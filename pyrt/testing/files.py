"""A folder in memory that fails as disks do: short writes, errors, and crashes that lose a tail."""

from __future__ import annotations

import errno
from dataclasses import dataclass, field
from random import Random

PAGE = 4096


@dataclass(slots=True, kw_only=True)
class DiskFaults:
    """How often a folder in memory fails; rates from 0 to 1, drawn from `random`.

    Attributes
    ----------
    short_write : float
        A write takes only part of its bytes.
    write_error, sync_error : float
        EIO. After a failed sync the pages count as clean and are lost at the next crash.
    space : int or None
        Bytes that may still be written before ENOSPC; None for no end of them.
    torn_page : float
        A page of an unsynced tail is zeroed or garbled by a crash, instead of kept.
    """

    random: Random = field(default_factory=lambda: Random(0))
    short_write: float = 0.0
    write_error: float = 0.0
    sync_error: float = 0.0
    space: int | None = None
    torn_page: float = 0.3

    def draws(self, rate: float) -> bool:
        """Return whether a fault of this rate happens now."""
        return rate > 0 and self.random.random() < rate


class _Content:
    """A file's bytes as the process sees them, and how much of it a crash would leave."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.durable = 0
        self.doomed: list[tuple[int, int]] = []
        self.is_named = False


class MemoryFile:
    """An open file of a `MemoryFiles`."""

    def __init__(self, content: _Content, faults: DiskFaults) -> None:
        self._content = content
        self._faults = faults
        self._is_open = True

    def write(self, data: bytes) -> int:
        """Append what fits and is not cut short."""
        self._check_open()
        faults = self._faults
        if faults.draws(faults.write_error):
            raise OSError(errno.EIO, "injected write error")
        count = len(data)
        if count > 1 and faults.draws(faults.short_write):
            count = faults.random.randrange(1, count)
        if faults.space is not None:
            count = min(count, faults.space)
            if count == 0 and data:
                raise OSError(errno.ENOSPC, "injected: no space left")
            faults.space -= count
        self._content.data += data[:count]
        return count

    def sync(self) -> None:
        """Make what was written durable, or fail and lose it."""
        self._check_open()
        content = self._content
        if self._faults.draws(self._faults.sync_error):
            content.doomed.append((content.durable, len(content.data)))
            content.durable = len(content.data)
            raise OSError(errno.EIO, "injected sync error")
        content.durable = len(content.data)

    def truncate(self, size: int) -> None:
        """Cut the file; durable with the next sync."""
        self._check_open()
        del self._content.data[size:]
        self._content.durable = min(self._content.durable, size)

    def close(self) -> None:
        """Close it; nothing is synced."""
        self._is_open = False

    def _check_open(self) -> None:
        if not self._is_open:
            raise OSError(errno.EBADF, "the file is closed")


class MemoryFiles:
    """A folder in memory behind the journal's file port.

    Parameters
    ----------
    faults : DiskFaults, optional
        By default none; may be replaced at any time.

    Examples
    --------
    >>> files = MemoryFiles()
    >>> file = files.create("a")
    >>> file.write(b"kept"), file.sync(), files.sync_folder(), file.write(b"lost")
    (4, None, None, 4)
    >>> files.crash(keep_tail=False).read("a")
    b'kept'
    """

    def __init__(self, faults: DiskFaults | None = None) -> None:
        self.faults = faults or DiskFaults()
        self._contents: dict[str, _Content] = {}

    def names(self) -> list[str]:
        """Return the names of all files, sorted."""
        return sorted(self._contents)

    def read(self, name: str) -> bytes:
        """Return a file's content."""
        return bytes(self._found(name).data)

    def create(self, name: str) -> MemoryFile:
        """Make a new file; FileExistsError if there is one."""
        if name in self._contents:
            raise FileExistsError(errno.EEXIST, "it exists", name)
        self._contents[name] = _Content()
        return MemoryFile(self._contents[name], self.faults)

    def append(self, name: str) -> MemoryFile:
        """Open a file that is there, to write at its end."""
        return MemoryFile(self._found(name), self.faults)

    def rename(self, name: str, to: str) -> None:
        """Give a file another name, in place of what had it."""
        self._contents[to] = self._found(name)
        del self._contents[name]

    def remove(self, name: str) -> None:
        """Remove a file."""
        self._found(name)
        del self._contents[name]

    def sync_folder(self) -> None:
        """Make the names durable."""
        for content in self._contents.values():
            content.is_named = True

    def put(self, name: str, data: bytes) -> None:
        """Place a durable file with this content, as a test wants to find it."""
        content = self._contents[name] = _Content()
        content.data += data
        content.durable = len(data)
        content.is_named = True

    def crash(self, *, keep_tail: bool = True) -> MemoryFiles:
        """Return the folder as it is found after the power has failed.

        Parameters
        ----------
        keep_tail : bool
            Keep a random part of what was not synced, some of its pages torn; else none of it.
        """
        after = MemoryFiles(self.faults)
        random = self.faults.random
        for name in self.names():
            content = self._contents[name]
            if not content.is_named and (content.durable == 0 or random.random() < 0.5):
                continue
            data = bytearray(content.data[: content.durable])
            for start, end in content.doomed:
                data[start:end] = bytes(max(0, min(end, len(data)) - start))
            if keep_tail:
                data += self._torn(content.data[content.durable :])
            after.put(name, bytes(data))
        return after

    def _torn(self, tail: bytearray) -> bytes:
        random = self.faults.random
        kept = tail[: random.randrange(len(tail) + 1)]
        for start in range(0, len(kept), PAGE):
            if random.random() < self.faults.torn_page:
                page = len(kept[start : start + PAGE])
                kept[start : start + PAGE] = random.choice((bytes(page), random.randbytes(page)))
        return bytes(kept)

    def _found(self, name: str) -> _Content:
        if name not in self._contents:
            raise FileNotFoundError(errno.ENOENT, "no such file", name)
        return self._contents[name]
