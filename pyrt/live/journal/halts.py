"""Halts that outlive a process whose loop never came to write them down: a small file for each."""

from __future__ import annotations

import logging
import threading
from concurrent.futures import Future
from contextlib import suppress

import msgspec

from pyrt.live.core.notes import OURS
from pyrt.live.journal.files import Files

LOG = logging.getLogger("pyrt.live.journal")
PREFIX = "halt-"
UNKNOWN = "unknown"


class Halt(msgspec.Struct, frozen=True):
    """Who asks for a halt of everything, and why."""

    actor: str
    reason: str


class Kept:
    """A halt and its file; `sequence` is the record that says the same, 0 while none does.

    `is_taken` says that such a record is being written.
    """

    def __init__(self, name: str, halt: Halt) -> None:
        self.name = name
        self.halt = halt
        self.written: Future[None] = Future()
        self.sequence = 0
        self.is_taken = False
        self.is_over = False

    @property
    def has_failed(self) -> bool:
        """Whether a restart would not know of it."""
        return self.written.done() and self.written.exception() is not None

    def says(self, actor: str) -> bool:
        """Return whether it waits untaken, and halts all that a halt by this actor would.

        A person's takes the protective exits too, and one of the node's own leaves them.
        """
        if self.is_taken or self.sequence:
            return False
        return self.halt.actor not in OURS or actor in OURS


class Halts:
    """Keeps halts beside the log, from the moment that they are asked for.

    Whoever asks may be a thread beside a loop that hangs, and may not write to the log. Each halt
    waits here until a record says the same, and its file stays until that record is durable; what
    a process has left, the next one finds.

    Parameters
    ----------
    files : Files
        The state folder.
    """

    def __init__(self, files: Files) -> None:
        self._files = files
        self._lock = threading.Lock()
        self._kept: list[Kept] = []

    def keep(self, actor: str, reason: str, ts: int) -> Future[None]:
        """Ask for a halt, from any thread, and wait for nothing; done once a restart finds it.

        The future raises what keeps it from the disk, which is in the log. While one waits, a
        further one has nothing to add, but for a person's after one of the node's own; what the
        disk has refused is tried once more then.

        Parameters
        ----------
        ts : int
            Now, ns UTC: the file's name, or one close to it where that is taken.
        """
        with self._lock:
            kept = next((each for each in self._kept if each.says(actor)), None)
            if kept is None:
                kept = Kept(self._free_name(ts), Halt(actor, reason))
                self._kept.append(kept)
            elif not kept.has_failed:
                return kept.written
            else:
                kept.written = Future()
            written = kept.written
        try:
            threading.Thread(
                target=self._write, args=(kept,), name="pyrt-halt", daemon=True
            ).start()
        except RuntimeError as error:
            _fail(kept, error)
        return written

    def _free_name(self, ts: int) -> str:
        taken = {kept.name for kept in self._kept}
        while f"{PREFIX}{ts}" in taken:
            ts += 1
        return f"{PREFIX}{ts}"

    def take_over(self, other: Halts) -> None:
        """Take up what was asked for at the same folder before this was there."""
        with other._lock:
            waiting = [kept for kept in other._kept if not kept.sequence]
        with self._lock:
            known = {kept.name for kept in self._kept}
            self._kept += [kept for kept in waiting if kept.name not in known]

    def load(self) -> None:
        """Take up what earlier processes have left."""
        names = [name for name in self._files.names() if name.startswith(PREFIX)]
        with self._lock:
            known = {kept.name for kept in self._kept}
            for name in names:
                if name not in known:
                    kept = Kept(name, self._read(name))
                    kept.written.set_result(None)
                    self._kept.append(kept)

    def waiting(self) -> list[Halt]:
        """Return the halts that no record says yet."""
        with self._lock:
            return [kept.halt for kept in self._kept if not kept.sequence]

    def take(self) -> list[Kept]:
        """Return what no record says yet, for one that is about to; what comes now is another."""
        with self._lock:
            taken = [kept for kept in self._kept if not kept.sequence]
            for kept in taken:
                kept.is_taken = True
        return taken

    def cover(self, taken: list[Kept], sequence: int) -> None:
        """Note that a record says what these wait for, or what somebody wants instead."""
        with self._lock:
            for kept in taken:
                kept.sequence = kept.sequence or sequence

    def drop(self, durable: int) -> None:
        """Remove the files of those whose record is durable; what cannot be removed stays."""
        if not self._kept:
            return
        with self._lock:
            ended = [kept for kept in self._kept if 0 < kept.sequence <= durable]
        if not ended:
            return
        for kept in ended:
            kept.is_over = True
            with suppress(FileNotFoundError):
                # Or its thread has not come to write it, and will see that it is over.
                self._files.remove(kept.name)
            with self._lock:
                self._kept = [other for other in self._kept if other is not kept]
        self._files.sync_folder()

    def _write(self, kept: Kept) -> None:
        try:
            with suppress(FileExistsError):
                # It is there from a try before, whose name may not be on the disk.
                self._put(kept)
            try:
                self._files.sync_folder()
            finally:
                if kept.is_over:
                    with suppress(FileNotFoundError):
                        self._files.remove(kept.name)
        except Exception as error:
            _fail(kept, error)
        else:
            kept.written.set_result(None)

    def _put(self, kept: Kept) -> None:
        file = self._files.create(kept.name)
        try:
            data = msgspec.json.encode(kept.halt)
            while data:
                data = data[file.write(data) :]
            file.sync()
        except OSError as error:
            # On a full disk there may be room for a name, and that alone halts.
            LOG.error("who asked for a halt is not kept: %s", error)
        finally:
            file.close()

    def _read(self, name: str) -> Halt:
        unread = Halt(UNKNOWN, "a halt was asked for, and its file cannot be read")
        try:
            halt = msgspec.json.decode(self._files.read(name), type=Halt)
        except (OSError, msgspec.DecodeError, UnicodeDecodeError):
            # That it is there says enough.
            return unread
        return halt if halt.actor.strip() and halt.reason.strip() else unread


def _fail(kept: Kept, error: Exception) -> None:
    LOG.error("a restart will not know of the halt by %s: %s", kept.halt.actor, error)
    kept.written.set_exception(error)
