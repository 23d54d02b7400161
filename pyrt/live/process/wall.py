"""A node's clock: the time of day, counted by a clock that nobody sets."""

from __future__ import annotations

import time
from collections.abc import Callable

JUMP_NS = 1_000_000_000
"""A difference from the machine's clock beyond this is a jump, and is told instead of followed."""
SLEW = 200
"""Smaller differences are made up for by at most one part in so many of the time that passes."""
SLEEPLESS = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))
"""The clock that goes on while the machine sleeps: on Linux the monotonic one stands still then."""


def steady_ns() -> int:
    """Return a time that nobody sets, in ns: it counts what the machine was suspended for, too."""
    return time.monotonic_ns() if SLEEPLESS is None else time.clock_gettime_ns(SLEEPLESS)


class WallClock:
    """Tells ns UTC; never steps back, whatever becomes of the machine's clock.

    Parameters
    ----------
    wall, steady : callable
        The machine's clock, ns UTC, and one that only goes forward, in ns.

    Examples
    --------
    >>> wall, steady = [1_000_000_000], [5]
    >>> clock = WallClock(lambda: wall[0], lambda: steady[0])
    >>> steady[0] += 100; wall[0] -= 3_600_000_000_000
    >>> clock.now()
    1000000100
    >>> clock.take_jump()
    -3600.0000001
    """

    def __init__(
        self,
        wall: Callable[[], int] = time.time_ns,
        steady: Callable[[], int] = steady_ns,
    ) -> None:
        self._wall = wall
        self._steady = steady
        self._at = steady()
        self._now = wall()
        self._jump_ns = self._told_ns = 0

    def now(self) -> int:
        """Return the time, ns UTC."""
        at = self._steady()
        passed = at - self._at
        self._at = at
        self._now += passed
        apart = self._wall() - self._now
        if abs(apart) > JUMP_NS:
            self._jump_ns = apart
        else:
            self._jump_ns = self._told_ns = 0
            most = passed // SLEW
            self._now += max(-most, min(most, apart))
        return self._now

    def take_jump(self) -> float | None:
        """Return, once for each, by how many seconds the machine's clock has jumped; else None.

        One that takes the clock back to ours is not told.
        """
        jump = self._jump_ns - self._told_ns
        if abs(jump) <= JUMP_NS:
            return None
        self._told_ns = self._jump_ns
        return jump / 1e9
