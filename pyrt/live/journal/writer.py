"""The journal's writer: one thread that commits whatever has been taken, group after group."""

from __future__ import annotations

import threading
from collections.abc import Callable

from pyrt.live.journal.journal import Journal


class JournalWriter:
    """Commits a journal whenever it is told that there is something.

    While one commit is under way, everything taken meanwhile waits for the next: the slower the
    disk, the larger the groups.

    Parameters
    ----------
    journal : Journal
    on_commit : callable
        Called from the writer's thread after each commit, failed ones included.
    """

    def __init__(self, journal: Journal, on_commit: Callable[[], object]) -> None:
        self._journal = journal
        self._on_commit = on_commit
        self._wanted = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="pyrt-journal", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def wake(self) -> None:
        """Say that there is something to commit."""
        self._wanted.set()

    def stop(self) -> None:
        """Commit what is left, and end the thread."""
        self._stopping = True
        self._wanted.set()
        self._thread.join()

    def _run(self) -> None:
        while True:
            self._wanted.wait()
            self._wanted.clear()
            stopping = self._stopping
            self._journal.commit()
            self._on_commit()
            if stopping:
                return
