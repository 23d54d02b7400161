"""The writer's thread: it commits what it is woken for, and all that is left when it ends."""

from __future__ import annotations

import threading

from pyrt.live.journal.journal import Journal
from pyrt.live.journal.writer import JournalWriter
from pyrt.testing.files import MemoryFiles
from tests.live.journal.test_journal import alarm, journal

PATIENCE_S = 10.0


class Commits:
    """Counts commits, and lets a test wait for the next one."""

    def __init__(self, made: Journal) -> None:
        self.journal = made
        self.reached: list[int] = []
        self.names: set[str] = set()
        self._done = threading.Semaphore(0)

    def __call__(self) -> None:
        self.reached.append(self.journal.durable)
        self.names.add(threading.current_thread().name)
        self._done.release()

    def wait(self) -> None:
        assert self._done.acquire(timeout=PATIENCE_S)


def test_a_writer_commits_when_it_is_woken_and_all_that_is_left_when_it_is_stopped():
    made = journal(MemoryFiles(), 1)
    commits = Commits(made)
    writer = JournalWriter(made, commits)
    writer.start()
    writer.wake()
    commits.wait()
    made.record(alarm(2))
    made.record(alarm(3))
    writer.wake()
    commits.wait()
    made.record(alarm(4))
    writer.stop()
    assert commits.reached == [1, 3, 4]
    # The thread of whoever records has waited for no disk, and nothing is left running.
    assert commits.names == {"pyrt-journal"}
    assert "pyrt-journal" not in {thread.name for thread in threading.enumerate()}


def test_a_writer_that_nobody_wakes_writes_nothing():
    made = journal(MemoryFiles(), 1)
    commits = Commits(made)
    writer = JournalWriter(made, commits)
    writer.start()
    assert (made.durable, commits.reached) == (0, [])
    # A process that ends without a stop is not held by it.
    (thread,) = (each for each in threading.enumerate() if each.name == "pyrt-journal")
    assert thread.daemon
    writer.stop()
    assert (made.durable, commits.reached) == (1, [1])


def test_a_commit_that_fails_is_told_like_any_other():
    made = journal(MemoryFiles(), 1)
    made.files.faults.write_error = 1.0
    commits = Commits(made)
    writer = JournalWriter(made, commits)
    writer.start()
    writer.wake()
    commits.wait()
    writer.stop()
    assert commits.reached == [0, 0]
    assert isinstance(made.failure, OSError)
