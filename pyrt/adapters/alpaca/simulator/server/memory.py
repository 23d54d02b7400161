"""A simulator's inputs in SQLite, from which it comes back to where it was.

A core is a function of its data, its options and the requests that change something, each at its
time. So these are kept, and at the next start they are asked again.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

from pyrt.adapters.alpaca.simulator.core import SimulatorCore
from pyrt.errors import ConfigError

VERSION = "1"
NOTE_EVERY_S = 1.0
TABLES = """
CREATE TABLE IF NOT EXISTS facts (name TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS inputs (
    number INTEGER PRIMARY KEY, ts INTEGER NOT NULL, phase INTEGER NOT NULL,
    kind TEXT NOT NULL, target TEXT NOT NULL, body BLOB NOT NULL
);
"""


class Inputs(Protocol):
    """Carries out an input, as it was carried out the first time."""

    def __call__(self, kind: str, target: str, body: bytes) -> object:
        """Ask `kind` (a method, or ``control``) of `target`."""


class Memory:
    """Keeps what was asked of a simulator.

    Parameters
    ----------
    path : str or Path
        The SQLite file; made if it is not there.
    identity : str
        What the simulator was started with: a file belongs to one set of data and options.

    Raises
    ------
    ConfigError
        If the file is of another simulator, or cannot be made.
    """

    def __init__(self, path: str | Path, identity: str) -> None:
        self._noted = 0.0
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(TABLES)
        except sqlite3.DatabaseError as error:
            raise ConfigError(
                f"{path} is no state of a simulator: {error}", remedy="Name another file"
            ) from error
        known = self._fact("identity")
        if known is None:
            self._keep("identity", identity)
            self._keep("version", VERSION)
        elif (known, self._fact("version")) != (identity, VERSION):
            raise ConfigError(
                f"{path} is the state of a simulator with other data or options",
                remedy=f"Start it as before, or name another file. It was: {known}",
            )

    def _fact(self, name: str) -> str | None:
        row = self._db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else str(row[0])

    def _keep(self, name: str, value: object) -> None:
        self._db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, str(value)))

    def note(self, core: SimulatorCore, kind: str, target: str, body: bytes) -> None:
        """Keep an input that is about to be carried out."""
        self._db.execute(
            "INSERT INTO inputs (ts, phase, kind, target, body) VALUES (?, ?, ?, ?, ?)",
            (core.now, core.phase, kind, target, body),
        )

    def note_time(self, core: SimulatorCore, *, is_last: bool = False) -> None:
        """Keep how far time has come, now and then."""
        if is_last or time.monotonic() - self._noted >= NOTE_EVERY_S:
            self._noted = time.monotonic()
            self._keep("now", core.now)
            self._keep("phase", core.phase)

    def restore(self, core: SimulatorCore, phases: Iterator[int], inputs: Inputs) -> int:
        """Ask all that was asked, each at its time; return how many inputs there were."""
        rows = self._db.execute("SELECT ts, phase, kind, target, body FROM inputs ORDER BY number")
        count = 0
        for ts, phase, kind, target, body in rows.fetchall():
            _catch_up(core, phases, ts, phase)
            inputs(kind, target, body)
            count += 1
        now = self._fact("now")
        if now is not None:
            _catch_up(core, phases, int(now), int(self._fact("phase") or 0))
        core.take_messages()
        core.take_trade_updates()
        return count

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _catch_up(core: SimulatorCore, phases: Iterator[int], ts: int, phase: int) -> None:
    """Let time pass as it did: by phases of instants in lockstep, else in one go."""
    while core.phase < phase:
        next(phases)
    # Where phases have come to `ts`, the rest of that instant has not happened yet.
    while core.now < ts and core.run(ts):
        core.take_messages()
