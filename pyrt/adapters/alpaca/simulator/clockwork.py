"""How the simulator's time moves on by itself: with the wall clock, or faster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator

from pyrt.adapters.alpaca.simulator.core import SimulatorCore

SECOND = 1_000_000_000
TICK_S = 0.02


class Clockwork:
    """Steps a core and says when there is something to send.

    Parameters
    ----------
    core : SimulatorCore
    phases : iterator
        The core's instants, phase by phase.
    speed : float
        Simulated seconds a second.
    flush : callable
        Sends what is due; awaited after each phase of an instant.
    """

    def __init__(
        self,
        core: SimulatorCore,
        phases: Iterator[int],
        speed: float,
        flush: Callable[[], Awaitable[None]],
    ) -> None:
        self._core = core
        self._speed = speed
        self._flush = flush
        self._phases = phases
        self.over = False

    async def run(self) -> None:
        """Move time on for ever, at the given speed."""
        began, start = time.monotonic(), self._core.now
        while not self.over:
            await asyncio.sleep(TICK_S)
            target = start + int((time.monotonic() - began) * self._speed * SECOND)
            while not self.over and self._is_due(target):
                await self._instant()
            if not self.over:
                self._core.move_to(target)

    def _is_due(self, target: int) -> bool:
        due = self._core.next_instant()
        self.over = due is None
        return due is not None and due <= target

    async def _instant(self) -> None:
        for _ in range(3):
            next(self._phases)
            await self._flush()
