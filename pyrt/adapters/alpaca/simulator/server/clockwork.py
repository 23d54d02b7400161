"""How the simulator's time moves on by itself: with the wall clock, or faster."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable

from pyrt.adapters.alpaca.simulator.core import SimulatorCore

SECOND = 1_000_000_000
TICK_S = 0.02


class Clockwork:
    """Steps a core and says when there is something to send.

    Parameters
    ----------
    core : SimulatorCore
    speed : float
        Simulated seconds a second.
    flush : callable
        Sends what is due; awaited after each batch of instants.
    """

    def __init__(
        self, core: SimulatorCore, speed: float, flush: Callable[[], Awaitable[None]]
    ) -> None:
        self._core = core
        self._speed = speed
        self._flush = flush
        self._began: float | None = None
        self._start = 0
        self.over = False

    async def run(self) -> None:
        """Move time on for ever, at the given speed."""
        self._began, self._start = time.monotonic(), self._core.now
        while not self.over:
            await asyncio.sleep(TICK_S)
            target = self._target(self._began)
            while self._core.run(target):
                await self._flush()
                await asyncio.sleep(0)
            await self._flush()
            self.over = self._core.next_instant() is None

    def catch_up(self) -> None:
        """Let time be what it is when a request comes, not what it was at the last tick.

        Requests of one tick would else have one time: lists of orders are paged by theirs.
        """
        if self._began is not None and not self.over:
            self._core.run(self._target(self._began))

    def _target(self, began: float) -> int:
        return self._start + int((time.monotonic() - began) * self._speed * SECOND)
