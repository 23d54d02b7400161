"""Watches handlers from a thread of its own, and breaks off those that do not come back."""

from __future__ import annotations

import os
import signal
import sysconfig
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

from pyrt.errors import StrategyOverrun

PACKAGE = str(Path(__file__).parents[2]) + os.sep
"""As its modules are named in their code: by the link, where it is reached by one."""
STRATEGIES = f"{PACKAGE}strategies{os.sep}"
"""Ready-made ones, which are broken off as the user's own are."""
PYTHON = (sysconfig.get_path("stdlib") + os.sep, "<frozen ")
NUMBER = getattr(signal, "SIGUSR2", None)
TRIES = 3
"""Signals a handler may swallow before the node is taken to be stuck."""


class Monitor:
    """Measures how long the running handler has been running.

    The trading thread says when it enters the kernel (`enter`) and leaves it (`leave`). A handler
    that exceeds the limit gets StrategyOverrun raised in it, which stops its strategy as any
    other exception does. What no signal can interrupt, code that never returns to Python, is
    told by `on_stuck`.

    Parameters
    ----------
    timeout_s : float
    on_stuck : callable
        Called from the monitor's thread with a text, once a handler.
    failures : callable, optional
        Returns how many handlers have failed: what runs after one of those is another handler, and
        has a limit of its own.

    Attributes
    ----------
    times : int
        How many times the limit handlers may run at present.
    """

    def __init__(
        self,
        timeout_s: float,
        on_stuck: Callable[[str], object],
        failures: Callable[[], int] = lambda: 0,
    ) -> None:
        self._timeout_ns = int(timeout_s * 1e9)
        self._pause_s = max(min(timeout_s / 10, 0.5), 0.005)
        self._on_stuck = on_stuck
        self._failures = failures
        self.times = 1
        self._number = 0
        self._since = 0
        self._target = (-1, 0)
        self._tries = 0
        self._stopping = threading.Event()
        self._previous: Any = None
        self._trader = threading.current_thread()
        self._thread = threading.Thread(target=self._watch, name="pyrt-monitor", daemon=True)

    def start(self) -> bool:
        """Start to watch the calling thread; False where signals cannot reach it."""
        if NUMBER is None or threading.current_thread() is not threading.main_thread():
            return False
        self._trader = threading.current_thread()
        self._previous = signal.signal(NUMBER, self._on_signal)
        self._thread.start()
        return True

    def stop(self) -> None:
        """Stop watching."""
        if self._thread.is_alive():
            self._stopping.set()
            self._thread.join()
            if NUMBER is not None:
                signal.signal(NUMBER, self._previous)

    def enter(self) -> None:
        """Say that something is given to the kernel now."""
        self._number += 1
        self._since = time.monotonic_ns()

    def leave(self) -> None:
        """Say that the kernel has come back."""
        self._since = 0

    def _watch(self) -> None:
        failures = failed_at = 0
        while not self._stopping.wait(self._pause_s):
            number, since = self._number, self._since
            if failures != self._failures():
                failures, failed_at = self._failures(), time.monotonic_ns()
            began = max(since, failed_at)
            if not since or time.monotonic_ns() - began < self._timeout_ns * self.times:
                continue
            if (number, failures) != self._target:
                self._target, self._tries = (number, failures), 0
            if self._tries == TRIES:
                seconds = (time.monotonic_ns() - began) / 1e9
                self._on_stuck(f"a handler has not come back for {seconds:.1f} s")
            self._tries += 1
            assert NUMBER is not None
            ident = self._trader.ident
            if ident is not None:
                signal.pthread_kill(ident, NUMBER)
            self._stopping.wait(min(self._timeout_ns / 1e9, 1.0))

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        """Raise in the handler that is meant; a later one, or our own code, is left alone."""
        is_meant = self._target == (self._number, self._failures())
        if not is_meant or not self._since or not in_users_code(frame):
            return
        seconds = (time.monotonic_ns() - self._since) / 1e9
        raise StrategyOverrun(f"the handler has run for {seconds:.2f} s", code="overrun")


def in_users_code(frame: FrameType | None) -> bool:
    """Return whether a strategy's own code is running, and none of ours is inside of it.

    Commands are carried out after handlers, by compiled code that signals do not interrupt, so
    what runs here is a handler's own statements, or what they ask of Python. Ours ask it for
    something, too: an import, a line of the log.
    """
    is_users = False
    while frame is not None:
        if _is_ours(frame):
            return is_users
        is_users |= not _is_pythons(frame)
        frame = frame.f_back
    return False


def _is_pythons(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    is_installed = "site-packages" in name or "dist-packages" in name
    return name.startswith(PYTHON) and not is_installed


def _is_ours(frame: FrameType) -> bool:
    name = frame.f_code.co_filename
    return name.startswith(PACKAGE) and not name.startswith(STRATEGIES)
