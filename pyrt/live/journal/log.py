"""One log: records appended in memory, framed and written by whoever commits, read at start."""

from __future__ import annotations

import errno
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pyrt.errors import JournalError
from pyrt.live.journal.files import File, Files
from pyrt.live.journal.frames import (
    NO_CHAIN,
    PAYLOAD_MAX,
    SEGMENT_BYTES,
    Frame,
    SegmentHead,
    SegmentReader,
    decode_head,
    encode_frame,
    encode_head,
    sound_after,
)

SEGMENT_MAX = 64 * 1024 * 1024
WRITE_MAX = 4 * 1024 * 1024
"""Frames are handed to the file in pieces of about this size."""
Pack = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class TornTail:
    """Bytes behind the last sound record that a crash has left; they were never reported durable.

    Attributes
    ----------
    segment : str
    offset : int
        Where the sound part ends.
    size : int
    reason : str
    """

    segment: str
    offset: int
    size: int
    reason: str


@dataclass(frozen=True, slots=True)
class _End:
    """Where a log ends, and what follows from that for the next record."""

    segment: int
    offset: int
    chain: bytes
    next_sequence: int


class LogReader:
    """Reads all segments of a log in order; damage in the middle is refused.

    Parameters
    ----------
    files : Files
    name : str
        Segments are called ``NAME-00000001.log`` and so on.

    Attributes
    ----------
    torn : TornTail or None
        After all frames were read.
    """

    def __init__(self, files: Files, name: str) -> None:
        self._files = files
        self.name = name
        self.torn: TornTail | None = None
        self.end: _End | None = None

    def segments(self) -> list[str]:
        """Return the names of the log's segments, oldest first."""
        # A number and no more: tape-desk-2-00000001.log is of the log tape-desk-2 alone.
        start, end = f"{self.name}-", ".log"
        return [
            name
            for name in self._files.names()
            if name.startswith(start)
            and name.endswith(end)
            and name[len(start) : -len(end)].isdigit()
        ]

    def __iter__(self) -> Iterator[Frame]:
        names = self.segments()
        before: _End | None = None
        for name in names:
            is_last = name == names[-1]
            data = self._files.read(name)
            head = decode_head(data)
            if head is None:
                number = int(name[len(self.name) + 1 : -len(".log")])
                torn = is_last and sound_after(data, 0, number) is None
                self._refuse_unless_torn(name, 0, torn, "its head does not hold together")
                self.torn = TornTail(name, 0, len(data), "its head was never complete")
                self.end = before
                return
            self._check_order(name, head, before)
            reader = SegmentReader(data, head)
            yield from reader
            damage = reader.damage
            if damage is not None:
                torn = is_last and damage.followed_by is None
                self._refuse_unless_torn(name, damage.offset, torn, damage.reason)
                size = len(data) - damage.offset
                self.torn = TornTail(name, damage.offset, size, damage.reason)
            before = _End(head.number, reader.end, reader.chain, reader.next_sequence)
        self.end = before

    def _check_order(self, name: str, head: SegmentHead, before: _End | None) -> None:
        if before is None:
            return
        expected = (before.segment + 1, before.next_sequence, before.chain)
        if (head.number, head.first_sequence, head.chain) != expected:
            raise JournalError(
                f"{name} does not continue the segment before it",
                code="journal_damaged",
                remedy="A segment is missing or cut; restore a backup",
                segment=name,
                offset=0,
            )

    def _refuse_unless_torn(self, name: str, offset: int, torn: bool, reason: str) -> None:
        if torn:
            return
        raise JournalError(
            f"{name} is damaged at byte {offset}: {reason}",
            code="journal_damaged",
            remedy="Nothing was changed; restore a backup, or look with `pyrt journal verify`",
            segment=name,
            offset=offset,
        )


class Log:
    """An append-only log; `append` is for the trading thread, `commit` for the writer.

    Opening repairs a torn tail: the bytes are kept aside in a file ``torn-…`` and cut off.

    Parameters
    ----------
    files : Files
    name : str
    segment_max : int
        A segment is closed when it has reached this size, bytes.
    pack : callable, optional
        Applied to each payload by the committing thread, such as compression.
    on_frame : callable, optional
        Called with each Frame read at opening, oldest first.

    Attributes
    ----------
    written, durable : int
        Sequence of the last record written, and of the last one synced.
    torn : TornTail or None
        What opening has cut off.

    Raises
    ------
    JournalError
        If the log is damaged in its middle, with segment and offset; nothing is changed then.
    """

    def __init__(
        self,
        files: Files,
        name: str,
        *,
        segment_max: int = SEGMENT_MAX,
        pack: Pack | None = None,
        on_frame: Callable[[Frame], object] | None = None,
    ) -> None:
        self.name = name
        self._files = files
        self._segment_max = segment_max
        self._pack = pack
        self._pending: deque[tuple[int, int, bytes]] = deque()
        self._commits = threading.Lock()
        self._file: File | None = None
        self._offset = 0
        reader = LogReader(files, name)
        for frame in reader:
            if on_frame is not None:
                on_frame(frame)
        self.torn = reader.torn
        end = reader.end or _End(0, 0, NO_CHAIN, 1)
        self._segment, self._chain = end.segment, end.chain
        self._next = end.next_sequence
        self.written = self.durable = self._next - 1
        if self.torn is not None:
            self._cut_tail(self.torn)
        if reader.end is not None:
            self._file = files.append(self._segment_name(end.segment))
            self._offset = end.offset

    @property
    def last(self) -> int:
        """Sequence of the last record appended, written or not."""
        return self._next - 1

    @property
    def waiting(self) -> int:
        """Records taken and not written yet."""
        return len(self._pending)

    def append(self, kind: int, payload: bytes) -> int:
        """Take a record and return its sequence; nothing is written by this."""
        if len(payload) > PAYLOAD_MAX:
            raise JournalError(
                f"a record of {len(payload)} bytes; at most {PAYLOAD_MAX}", code="record_size"
            )
        sequence = self._next
        self._next += 1
        self._pending.append((sequence, kind, payload))
        return sequence

    def commit(self, *, sync: bool = True, until: int | None = None) -> int:
        """Write what was appended and sync it; return the sequence now on the disk.

        Parameters
        ----------
        sync : bool
        until : int, optional
            The last record to write; by default all that there are.

        Raises
        ------
        OSError
            As the file system says it. What follows is up to the caller, and never a retry:
            after a failed sync the kernel may have dropped the very pages.
        """
        with self._commits:
            last = self.last if until is None else until
            while self._pending and self._pending[0][0] <= last:
                self._write_batch(last)
            if sync and self.durable < self.written and self._file is not None:
                reached = self.written
                self._file.sync()
                self.durable = reached
        return self.durable

    def rotate(self) -> None:
        """End the segment: the next record begins another."""
        with self._commits:
            if self._file is not None:
                self._file.sync()
                self.durable = self.written
                self._file.close()
                self._file = None

    def close(self) -> None:
        """Close the file; what was not committed stays in memory."""
        with self._commits:
            if self._file is not None:
                self._file.close()
                self._file = None

    def _write_batch(self, until: int) -> None:
        """Frame and write some of what waits; a segment that is full is ended first."""
        if self._file is not None and self._offset >= self._segment_max:
            self._file.sync()
            self.durable = self.written
            self._file.close()
            self._file = None
        if self._file is None:
            self._begin_segment()
        pieces: list[bytes] = []
        offset, chain, size, last = self._offset, self._chain, 0, self.written
        while self._pending and size < WRITE_MAX and offset < self._segment_max:
            if self._pending[0][0] > until:
                break
            sequence, kind, payload = self._pending.popleft()
            packed = payload if self._pack is None else self._pack(payload)
            frame, chain = encode_frame(
                kind, sequence, packed, chain=chain, segment=self._segment, offset=offset
            )
            pieces.append(frame)
            offset += len(frame)
            size += len(frame)
            last = sequence
        assert self._file is not None
        _write(self._file, b"".join(pieces))
        self._offset, self._chain, self.written = offset, chain, last

    def _begin_segment(self) -> None:
        number = self._segment + 1
        head = SegmentHead(number, self.written + 1, self._chain)
        self._file = self._files.create(self._segment_name(number))
        self._segment = number
        _write(self._file, encode_head(head))
        self._files.sync_folder()
        self._offset = SEGMENT_BYTES

    def _segment_name(self, number: int) -> str:
        return f"{self.name}-{number:08d}.log"

    def _cut_tail(self, torn: TornTail) -> None:
        """Keep the torn bytes aside, then cut them off."""
        aside = f"torn-{torn.segment}-{torn.offset}"
        if aside not in self._files.names():
            kept = self._files.create(aside)
            _write(kept, self._files.read(torn.segment)[torn.offset :])
            kept.sync()
            kept.close()
        if torn.offset == 0:
            self._files.remove(torn.segment)
        else:
            file = self._files.append(torn.segment)
            file.truncate(torn.offset)
            file.sync()
            file.close()
        self._files.sync_folder()


def _write(file: File, data: bytes) -> None:
    """Write all of it, in as many pieces as the file takes it."""
    rest = memoryview(data)
    while rest:
        taken = file.write(bytes(rest))
        if taken <= 0:
            raise OSError(errno.EIO, "the file took nothing")
        rest = rest[taken:]
