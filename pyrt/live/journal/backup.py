"""Copies of a journal, taken while it is written, and the way back from one."""

from __future__ import annotations

import gzip
import re
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from pathlib import Path

from pyrt.errors import JournalError
from pyrt.live.journal.files import Files, RealFiles
from pyrt.live.journal.frames import SegmentReader, decode_head
from pyrt.live.journal.journal import ARCHIVE, MAIN, Journal, is_lost, read_records
from pyrt.live.journal.log import LogReader
from pyrt.live.journal.state import JournalState
from pyrt.live.journal.verify import verify
from pyrt.live.process.files import private_file

SUFFIX = ".tar.gz"
AGAIN_MAX = 2
"""So often a backup is begun anew because files of it were put away as it read them."""
BY_SCHEDULE = re.compile(r"journal-([0-9]{20})\.tar\.gz")
"""Names of backups that a node takes by itself: when, ns UTC. Others it leaves alone."""


def backup(files: Files, to: Path) -> int:
    """Write all logs of a state folder into one archive; return how many files that are.

    May run beside the node: of a segment that is being written, the sound part is taken, which
    is a state that was true. Where a start puts segments away meanwhile, it is begun anew.

    Raises
    ------
    JournalError
        If the journal is damaged or gone: nothing is written, since it would miss records.
    """
    for _ in range(AGAIN_MAX):
        with suppress(FileNotFoundError):
            return _copy(files, to)
    return _copy(files, to)


def _copy(files: Files, to: Path) -> int:
    if is_lost(files):
        raise JournalError(
            "the journal is gone, or its beginning: there is nothing whole to copy",
            code="journal_lost",
        )
    for log in (ARCHIVE + MAIN, MAIN):
        for _ in LogReader(files, log):
            pass
    count = 0
    with private_file(to) as file, tarfile.open(fileobj=file, mode="w:gz") as archive:
        for name, data in _sound(files):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            entry.mode = 0o600
            archive.addfile(entry, BytesIO(data))
            count += 1
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
        If the folder holds something, the archive is none of ours, or it or a log in it is
        damaged; nothing is left in the folder then.
    """
    files = RealFiles(folder)
    if files.names():
        raise JournalError(
            f"{folder} is not empty", code="restore", remedy="Restore into an empty folder"
        )
    try:
        _unpack(archive, files)
        files.sync_folder()
        Journal(files).close()
    except BaseException:
        for name in files.names():
            files.remove(name)
        raise
    return len(files.names())


def _unpack(archive: Path, files: RealFiles) -> None:
    try:
        with gzip.open(archive) as plain, tarfile.open(fileobj=plain, mode="r:") as packed:
            for entry in packed:
                name = entry.name
                source = packed.extractfile(entry) if entry.isfile() else None
                if source is None or "/" in name or not name.endswith(".log"):
                    raise JournalError(f"{archive} is no backup: it holds {name!r}", code="restore")
                _write(files, name, source.read())
            # Its checksum stands at its end. Without it a flipped bit may pass for a torn tail:
            # all that follows it in a log is then cut off, as after a crash.
            while plain.read(1 << 16):
                pass
    except (OSError, tarfile.TarError, EOFError, zlib.error) as error:
        raise JournalError(f"{archive} cannot be read: {error}", code="restore") from error


def _write(files: RealFiles, name: str, data: bytes) -> None:
    with closing(files.create(name)) as file:
        while data:
            data = data[file.write(data) :]
        file.sync()


def backup_if_due(files: Files, folder: Path, *, now: int, every_ns: int, keep: int) -> Path | None:
    """Take a backup when the last one is old enough, and drop all but the newest `keep`.

    Parameters
    ----------
    folder : Path
        Where backups lie; named by the time, ns UTC.
    """
    if every_ns <= 0:
        return None
    found = (path for path in folder.glob(f"*{SUFFIX}") if BY_SCHEDULE.fullmatch(path.name))
    there = sorted(found, key=partial(_age, now=now))
    if there and 0 <= now - _taken(there[-1]) < every_ns:
        return None
    path = folder / f"journal-{now:020d}{SUFFIX}"
    backup(files, path)
    for old in [*there, path][:-keep] if keep > 0 else []:
        old.unlink()
    return path


@dataclass(frozen=True, slots=True)
class Drill:
    """What bringing a backup back into a folder that is thrown away has shown.

    Attributes
    ----------
    records : int
        In the backup.
    behind : int
        Records that the journal has had since.
    orders, positions : int
        Open orders, and holdings, that a node would go on with.
    """

    archive: str
    records: int
    behind: int
    orders: int
    positions: int


def drill(archive: Path, journal: Files | None = None) -> Drill:
    """Restore a backup into a folder of its own, read it as a start would, and throw it away.

    Parameters
    ----------
    journal : Files, optional
        The journal it is of: what the backup has must be the same there, record for record.

    Raises
    ------
    JournalError
        If it cannot be brought back, or is not of that journal.
    """
    with tempfile.TemporaryDirectory(prefix="pyrt-drill-") as name:
        folder = Path(name) / "state"
        restore(archive, folder)
        files = RealFiles(folder)
        reports = {report.name: report for report in verify(files)}
        damage = [report.error for report in reports.values() if not report.is_sound]
        if damage:
            raise JournalError(f"{archive}: {damage[0]}", code="drill")
        last = reports[MAIN].last if MAIN in reports else 0
        state = JournalState()
        for _, record in read_records(files):
            state.take(record)
        behind = 0
        if journal is not None:
            behind = _compare(archive, files, journal)
    held = sum(position.units != 0 for position in state.positions.values())
    return Drill(str(archive), last, behind, len(state.orders), held)


def _compare(archive: Path, backup_files: Files, journal: Files) -> int:
    """Return how many records a journal has beyond its backup; JournalError if they part."""
    behind = reached = 0
    # Side by side: of a node that trades, the journal may be larger than its memory.
    kept = read_records(backup_files)
    ours = next(kept, None)
    # What the backup has may have been put away since.
    for frame, record in read_records(journal, archived=True):
        reached = frame.sequence
        while ours is not None and ours[0].sequence < reached:
            ours = next(kept, None)
        if ours is None:
            behind += 1
        elif ours[0].sequence == reached and ours[1] != record:
            raise JournalError(f"{archive} is not of this journal", code="drill")
    last = 0 if ours is None else ours[0].sequence
    for frame, _ in kept:
        last = frame.sequence
    if last > reached:
        raise JournalError(
            f"{archive} has records up to {last}, and the journal up to {reached}", code="drill"
        )
    return behind


def newest(folder: Path) -> Path:
    """Return the newest backup of a folder, whoever took it and whatever its name.

    Raises
    ------
    JournalError
        If there is none.
    """
    found = list(folder.glob(f"*{SUFFIX}"))
    if not found:
        raise JournalError(f"there is no backup in {folder}", code="no_backup")
    return max(found, key=partial(_age, now=time.time_ns()))


def _age(archive: Path, *, now: int) -> tuple[bool, int]:
    """Return what sorts backups, the oldest first: those of a clock that was ahead before all."""
    taken = _taken(archive)
    return taken <= now, taken


def _taken(archive: Path) -> int:
    """Return when a backup was taken, ns UTC: by its name, or else when its file was written."""
    named = BY_SCHEDULE.fullmatch(archive.name)
    return int(named[1]) if named else archive.stat().st_mtime_ns
