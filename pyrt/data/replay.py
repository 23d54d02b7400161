"""Recorded data at the pace of a clock: as they came, ten or a hundred times as fast."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pyrt.errors import ConfigError

__all__ = ["Pace", "replay_speed"]

SECOND = 1_000_000_000


def replay_speed(value: Any) -> float | None:
    """Return how many seconds of data pass in one of the clock; None for as fast as it goes.

    Parameters
    ----------
    value : None, number or str
        ``1``, ``"10x"``, ``"0.5x"``; ``None`` or ``"max"`` do not wait.

    Raises
    ------
    ConfigError
        If the value is no speed.

    Examples
    --------
    >>> replay_speed("10x"), replay_speed(100), replay_speed("max")
    (10.0, 100.0, None)
    """
    if value is None or value == "max":
        return None
    text = str(value).strip().lower().removesuffix("x")
    try:
        speed = float(text)
    except ValueError:
        speed = 0.0
    if isinstance(value, bool) or not 0.0 < speed <= 1e9:
        raise ConfigError(
            f"speed is {value!r}", remedy='Write "1x", "10x", "100x", or "max" not to wait at all'
        )
    return speed


class Pace:
    """Waits until an instant of the data is due on the clock.

    The first instant is due at once and fixes where data time and clock meet; all others are due
    the same distance later, divided by the speed. What comes too late is not waited for and does
    not put off what follows.

    Parameters
    ----------
    speed : float
        Seconds of data in one of the clock.
    clock : callable
        Returns nanoseconds that only rise.
    sleep : callable
        Takes seconds.

    Attributes
    ----------
    late_ns : list of int
        How much after it was due each instant was let through.
    """

    def __init__(
        self,
        speed: float,
        *,
        clock: Callable[[], int] = time.monotonic_ns,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.speed = speed
        self.late_ns: list[int] = []
        self._clock = clock
        self._sleep = sleep
        self._first: int | None = None
        self._anchor = 0

    def __call__(self, ts: int) -> None:
        """Return when the instant `ts` (ns UTC) is due."""
        now = self._clock()
        if self._first is None:
            self._first, self._anchor = ts, now
        due = self._anchor + int((ts - self._first) / self.speed)
        while now < due:
            # A sleep may end early where a signal is handled; a long one is taken in pieces so
            # that an interrupt is noticed.
            self._sleep(min((due - now) / SECOND, 1.0))
            now = self._clock()
        self.late_ns.append(now - due)
