"""The journal of a node: one log that is synced, one a run that is not, and what they add up to."""

from __future__ import annotations

import logging
import zlib
from collections.abc import Callable, Iterator

import msgspec

from pyrt.errors import JournalError
from pyrt.live.journal import records as r
from pyrt.live.journal.files import Files
from pyrt.live.journal.frames import Frame
from pyrt.live.journal.halts import Halts
from pyrt.live.journal.log import SEGMENT_MAX, Log, LogReader, TornTail
from pyrt.live.journal.past import Past
from pyrt.live.journal.state import JournalState

LOG = logging.getLogger("pyrt.live.journal")
MAIN = "main"
ARCHIVE = "old-"
SNAPSHOT_EVERY = 50_000
"""A start after this many records writes a snapshot and puts earlier segments away."""
PACK_LEVEL = 1
TAPE_PIECES = 64


def pack(payload: bytes) -> bytes:
    """Return a piece of tape, compressed."""
    return zlib.compress(payload, PACK_LEVEL)


def unpack(payload: bytes) -> bytes:
    """Return a piece of tape as it was recorded; JournalError if it is none."""
    try:
        return zlib.decompress(payload)
    except zlib.error as error:
        raise JournalError(f"a piece of tape cannot be read: {error}") from None


class Journal:
    """What a node writes down, and what it knows from it.

    Records are taken by `record` and made durable by `commit`, which a writer thread calls, or a
    simulation when it pleases. `durable` says how far that has come.

    Parameters
    ----------
    files : Files
        The state folder.
    segment_max : int
        Bytes of a segment.

    Attributes
    ----------
    state : JournalState
        All records so far, folded.
    past : Past
        The last run that was there at opening.
    halts : Halts
        Those that are kept beside the log until a record says the same.
    before_record : callable, optional
        Called before a record is taken: what led to it has to be on the tape by then.
    failure : Exception or None
        Why nothing is written any more.
    torn : TornTail or None
        What a crash had left behind the last record.

    Raises
    ------
    JournalError
        If the log is damaged in its middle, or gone while inputs of a run are there, or if it has
        lost its beginning.
    """

    def __init__(self, files: Files, *, segment_max: int = SEGMENT_MAX) -> None:
        if is_lost(files):
            raise JournalError(
                "the journal is gone, or its beginning, and more of an earlier run is there",
                code="journal_lost",
                remedy="Restore a backup; or move all files away, to begin with no memory of "
                "orders, limits used and halts",
            )
        self.files = files
        self.state = JournalState()
        self.past = Past()
        self.halts = Halts(files)
        self.before_record: Callable[[], object] | None = None
        self.failure: Exception | None = None
        self.on_record: Callable[[r.Record], object] | None = None
        self.unwritten = 0
        self._segment_max = segment_max
        self._main = Log(files, MAIN, segment_max=segment_max, on_frame=self._load)
        self._tape: Log | None = None

    @property
    def torn(self) -> TornTail | None:
        """What a crash had left behind the last record."""
        return self._main.torn

    @property
    def last(self) -> int:
        """Sequence of the last record taken."""
        return self._main.last

    @property
    def durable(self) -> int:
        """Sequence of the last record known to be on the disk."""
        return self._main.durable

    @property
    def has_inputs(self) -> bool:
        """Whether a piece of tape waits to be written."""
        return self._tape is not None and self._tape.waiting > 0

    @property
    def wants_commit(self) -> bool:
        """Whether a record waits for the disk, or enough of the tape to be worth a write."""
        if self.failure is not None:
            return False
        tape = 0 if self._tape is None else self._tape.waiting
        return self._main.last > self._main.durable or tape >= TAPE_PIECES

    def has_run(self, run_id: str) -> bool:
        """Return whether a run of this name was begun here, or has left inputs."""
        inputs = LogReader(self.files, tape_name(run_id)).segments()
        return run_id in self.state.runs or bool(inputs)

    def begin_tape(self, run_id: str) -> None:
        """Open the log of a run's inputs; there is a record on the disk before it."""
        if not self.durable:
            self.commit()
        self._tape = Log(self.files, tape_name(run_id), segment_max=self._segment_max, pack=pack)

    def record(self, record: r.Record) -> int:
        """Take a record and return its sequence; it is durable once `durable` has reached that.

        After a failure records are counted in `unwritten`, and nothing else.
        """
        if self.before_record is not None:
            self.before_record()
        self.state.take(record)
        if self.on_record is not None:
            self.on_record(record)
        if self.failure is not None:
            self.unwritten += 1
            return self._main.last + self.unwritten
        return self._main.append(*r.encode(record))

    def record_inputs(self, piece: bytes) -> None:
        """Take a piece of tape."""
        if self._tape is not None and self.failure is None:
            self._tape.append(r.INPUTS, piece)

    def commit(self, *, sync_inputs: bool = False) -> int:
        """Write and sync what was taken; return the sequence now durable.

        The inputs that led to a record are written before it: a process that is killed leaves no
        intent without them. A failure is kept in `failure`, and nothing is tried again.

        Parameters
        ----------
        sync_inputs : bool
            Sync the tape too: what it holds is nowhere else.
        """
        if self.failure is None:
            try:
                last = self._main.last
                if self._tape is not None:
                    self._tape.commit(sync=sync_inputs)
                self._main.commit(until=last)
            except Exception as error:
                self.failure = error
        self._drop_halts()
        return self._main.durable

    def _drop_halts(self) -> None:
        try:
            self.halts.drop(self._main.durable)
        except OSError as error:
            # They are tried again with the next commit; to be halted once more harms nobody.
            LOG.error("a halt that is on record is kept beside it: %s", error)

    def compact(self, ts: int, *, force: bool = False) -> list[str]:
        """Begin a segment with a snapshot and put earlier ones away under ``old-…``.

        Done when there are many records, or when forced; returns the segments put away. Not after
        a failure: there would be no snapshot to stand for them.
        """
        if self.failure is not None or (self.state.records < SNAPSHOT_EVERY and not force):
            return []
        self._main.commit()
        self._main.rotate()
        # What was just written is told by the snapshot too, whichever segment it has come to.
        before = LogReader(self.files, MAIN).segments()
        # As whoever reads it will count: the snapshot is the first record there is.
        self.state.records = 1
        sequence = self.record(r.Snapshot(ts=ts, state=self.state.encode()))
        if self._main.commit() < sequence:
            # The writer has failed meanwhile.
            return []
        for name in before:
            self.files.rename(name, ARCHIVE + name)
        self.files.sync_folder()
        return before

    def drop_tapes(self, keep: int) -> list[str]:
        """Remove the inputs of all but the last `keep` runs; return the files removed."""
        kept = {tape_name(run_id) for run_id in list(self.state.runs)[-keep:]} if keep else set()
        dropped = []
        for name in self.files.names():
            is_tape = name.startswith("tape-") and name.endswith(".log")
            if is_tape and name[: -len("-00000001.log")] not in kept:
                self.files.remove(name)
                dropped.append(name)
        return dropped

    def close(self) -> None:
        """Write what is left, and close."""
        self.commit()
        self._main.close()
        if self._tape is not None:
            self._tape.close()

    def _load(self, frame: Frame) -> None:
        record = decoded(frame)
        if record is not None:
            self.state.take(record)
            self.past.take(record)


def is_lost(files: Files) -> bool:
    """Return whether a run was here, and its first record is gone: none begins without one.

    A snapshot stands for all the records before it.
    """
    had_run = any(n.startswith(("tape-", ARCHIVE)) and n.endswith(".log") for n in files.names())
    snapshot = r.CODES[r.Snapshot]
    try:
        frames = iter(LogReader(files, MAIN))
        first = next(frames, None)
        if first is None:
            return had_run
        is_whole = first.sequence == 1 or first.kind == snapshot
        # Between a snapshot and the end of putting away, a crash leaves some of what is before it.
        return not (is_whole or any(frame.kind == snapshot for frame in frames))
    except JournalError:
        # It is there, and damaged: whoever reads it says where.
        return False


def tape_name(run_id: str) -> str:
    """Return the name of the log that holds a run's inputs."""
    return f"tape-{run_id}"


def decoded(frame: Frame) -> r.Record | None:
    """Return a frame's record; JournalError if a sound frame holds none of its kind."""
    try:
        return r.decode(frame.kind, frame.payload)
    except msgspec.DecodeError as error:
        raise JournalError(
            f"record {frame.sequence} cannot be read: {error}", code="journal_record"
        ) from None


def read_records(files: Files, *, archived: bool = False) -> Iterator[tuple[Frame, r.Record]]:
    """Yield all records with their frames, oldest first, changing nothing.

    Parameters
    ----------
    archived : bool
        Begin with the segments that were put away.
    """
    for name in (ARCHIVE + MAIN, MAIN) if archived else (MAIN,):
        for frame in LogReader(files, name):
            record = decoded(frame)
            if record is not None:
                yield frame, record


def read_tape(files: Files, run_id: str) -> Iterator[bytes]:
    """Yield a run's pieces of tape, oldest first, up to where a crash has cut it.

    Raises
    ------
    JournalError
        If the tape is damaged in its middle, or has lost its beginning.
    """
    for number, frame in enumerate(LogReader(files, tape_name(run_id)), 1):
        if frame.sequence != number:
            raise JournalError(
                f"the inputs of run {run_id} begin with piece {frame.sequence}",
                code="journal_damaged",
                remedy="Restore a backup: nothing can be played without what came first",
            )
        yield unpack(frame.payload)
