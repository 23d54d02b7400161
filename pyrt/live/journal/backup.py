"""Copies of a journal, taken while it is written, and the way back from one."""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from pyrt.errors import JournalError
from pyrt.live.files import write_private
from pyrt.live.journal.files import Files, RealFiles
from pyrt.live.journal.frames import SegmentReader, decode_head
from pyrt.live.journal.journal import Journal

SUFFIX = ".tar.gz"


def backup(files: Files, to: Path) -> int:
    """Write all logs of a state folder into one archive; return how many files that are.

    May run beside the node: of a segment that is being written, the sound part is taken, which
    is a state that was true.
    """
    buffer = BytesIO()
    count = 0
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, data in _sound(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o600
            archive.addfile(entry, BytesIO(data))
            count += 1
    write_private(to, buffer.getvalue())
    return count


def _sound(files: Files) -> Iterator[tuple[str, bytes]]:
    """Yield every segment up to its last sound record."""
    for name in files.names():
        if not name.endswith(".log"):
            continue
        data = files.read(name)
        head = decode_head(data)
        if head is None:
            continue
        reader = SegmentReader(data, head)
        for _ in reader:
            pass
        yield name, data[: reader.end]


def restore(archive: Path, folder: Path) -> int:
    """Unpack a backup into a folder that is empty or not there; return how many files.

    What comes back is read as a start would read it, so a backup that is damaged is refused.

    Raises
    ------
    JournalError
        If the folder holds something, the archive is none of ours, or a log in it is damaged.
    """
    files = RealFiles(folder)
    if files.names():
        raise JournalError(
            f"{folder} is not empty", code="restore", remedy="Restore into an empty folder"
        )
    count = 0
    try:
        with tarfile.open(archive, mode="r:gz") as packed:
            for entry in packed:
                name = entry.name
                source = packed.extractfile(entry) if entry.isfile() else None
                if source is None or "/" in name or not name.endswith(".log"):
                    raise JournalError(f"{archive} is no backup: it holds {name!r}", code="restore")
                _write(files, name, source.read())
                count += 1
    except (OSError, tarfile.TarError, EOFError) as error:
        raise JournalError(f"{archive} cannot be read: {error}", code="restore") from error
    files.sync_folder()
    Journal(files).close()
    return count


def _write(files: RealFiles, name: str, data: bytes) -> None:
    file = files.create(name)
    try:
        while data:
            data = data[file.write(data) :]
        file.sync()
    finally:
        file.close()


def backup_if_due(files: Files, folder: Path, *, now: int, every_ns: int, keep: int) -> Path | None:
    """Take a backup when the last one is old enough, and drop all but the newest `keep`.

    Parameters
    ----------
    folder : Path
        Where backups lie; named by the time, ns UTC.
    """
    if every_ns <= 0:
        return None
    there = sorted(folder.glob(f"journal-*{SUFFIX}")) if folder.is_dir() else []
    stamps = [int(p.name[len("journal-") : -len(SUFFIX)]) for p in there]
    if stamps and now - stamps[-1] < every_ns:
        return None
    path = folder / f"journal-{now:020d}{SUFFIX}"
    backup(files, path)
    for old in [*there, path][:-keep] if keep > 0 else []:
        old.unlink()
    return path
