"""Heartbeats between a node and its watchdog: small files with the machine's monotonic time."""

from __future__ import annotations

import math
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import msgspec

NODE_BEAT = "heartbeat"
WATCHDOG_BEAT = "watchdog"
BEAT_S = 1.0
BEAT_BYTES = 200
"""All have one length: one that is written over another leaves nothing of it."""
NODE_SILENCE_S = 15.0
"""A running node that is silent for longer has its orders canceled."""
WATCHDOG_SILENCE_S = 5.0
"""A watchdog that is silent for longer is an alarm."""


class Beat(msgspec.Struct, frozen=True):
    """One beat: `at_ns` is CLOCK_MONOTONIC, one time for all processes of the machine."""

    pid: int
    at_ns: int
    phase: str = ""
    run_id: str = ""


def write_beat(folder: Path, name: str, *, phase: str = "", run_id: str = "") -> None:
    """Write a beat; a reader sees the old one or this one, whole.

    On a full disk it goes over the old one, which takes no room: to be taken for dead then would
    cost the account its protective exits.

    Raises
    ------
    OSError
        If it cannot be written in either way.
    """
    beat = Beat(os.getpid(), time.monotonic_ns(), phase, run_id)
    text = msgspec.json.encode(beat).ljust(BEAT_BYTES)
    fresh = folder / f".{name}.{os.getpid()}"
    try:
        _write(fresh, os.O_CREAT | os.O_TRUNC, text)
        fresh.rename(folder / name)
    except OSError:
        with suppress(OSError):
            fresh.unlink()
        _write(folder / name, 0, text)


def _write(path: Path, flags: int, text: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CLOEXEC | flags, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(text)


@contextmanager
def beating(folder: Path, name: str, most_s: float) -> Iterator[None]:
    """Beat from a thread while something takes long; what takes longer than `most_s` has hung."""
    ends, until = threading.Event(), time.monotonic() + most_s

    def beat() -> None:
        while not ends.wait(BEAT_S) and time.monotonic() < until:
            with suppress(OSError):
                # Whoever misses it tells.
                write_beat(folder, name)

    thread = threading.Thread(target=beat, name=f"pyrt-{name}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ends.set()
        thread.join()


def read_beat(folder: Path, name: str) -> Beat | None:
    """Return the last beat; None where there is none that can be read."""
    try:
        return msgspec.json.decode((folder / name).read_bytes(), type=Beat)
    except (OSError, msgspec.DecodeError):
        return None


def silence_s(folder: Path, name: str) -> float:
    """Return for how long there has been no beat, s; infinity where there never was one.

    One of before the machine was started anew, where time began again, is none.
    """
    beat, now = read_beat(folder, name), time.monotonic_ns()
    return math.inf if beat is None or beat.at_ns > now else (now - beat.at_ns) / 1e9


@dataclass(slots=True)
class Watch:
    """Decides, from beats and the time, when a node has to be taken for dead; no I/O.

    Attributes
    ----------
    silence_ns : int
    acted_for : tuple
        The beat after which orders were canceled; another beat arms it again.
    run_id : str
        The run that is watched, where that is known.
    has_seen_it : bool
        A node has lived meanwhile, or died.
    """

    silence_ns: int = int(NODE_SILENCE_S * 1e9)
    acted_for: tuple[int, int] | None = None
    run_id: str = ""
    has_seen_it: bool = False

    def is_dead(self, beat: Beat | None, now_ns: int) -> bool:
        """Return whether all orders have to be canceled now.

        A node that has stopped in order, or was never there, is not dead. Once acted upon, the
        same silence asks for nothing more.
        """
        if beat is None or beat.phase in ("stopped", ""):
            return False
        # One from further ahead is of before the machine was started anew.
        if abs(now_ns - beat.at_ns) <= self.silence_ns:
            return False
        return self.acted_for != (beat.pid, beat.at_ns)

    def is_over(self, beat: Beat | None) -> bool:
        """Return whether the node that was watched has stopped in order.

        The end of a run before is not: whoever starts a watchdog before the node wants it to stay.
        """
        if beat is None:
            return False
        if beat.phase != "stopped":
            self.has_seen_it = True
            return False
        return self.has_seen_it or bool(self.run_id and beat.run_id == self.run_id)

    def acted(self, beat: Beat) -> None:
        """Note that orders were canceled because of this silence."""
        self.acted_for = (beat.pid, beat.at_ns)
