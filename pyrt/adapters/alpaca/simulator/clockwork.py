"""How the simulator's time moves on: with the wall clock, faster, or step by step on request."""

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
        Simulated seconds a second; 0 is lockstep: time stands still until `advance`.
    flush : callable
        Sends what is due; awaited after each phase of an instant.
    """

    def __init__(
        self, core: SimulatorCore, speed: float, flush: Callable[[], Awaitable[None]]
    ) -> None:
        self._core = core
        self._speed = speed
        self._flush = flush
        self._phases = core.instants()
        self._quiet: dict[str, bool] = {}
        self._settled = asyncio.Event()
        self._settled.set()
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

    # -- lockstep ------------------------------------------------------------------------------

    async def advance(self, timeout_s: float = 30.0) -> bool:
        """Move to the next instant; after each phase, wait for all lockstep clients.

        Returns
        -------
        bool
            False at the end of the data.

        Raises
        ------
        TimeoutError
            If a client is not quiet in time.
        """
        if self._core.next_instant() is None:
            self.over = True
            return False
        for _ in range(3):
            next(self._phases)
            self._quiet = dict.fromkeys(self._quiet, False)
            self._settle()
            await self._flush()
            await asyncio.wait_for(self._settled.wait(), timeout_s)
        return True

    def quiet(self, client: str, ts: int, next_timer: int | None) -> None:
        """Note that a client has answered everything up to `ts`, and its next timer (ns)."""
        if next_timer is None:
            self._core.timers.pop(client, None)
        else:
            self._core.timers[client] = next_timer
        self._quiet[client] = ts >= self._core.now
        self._settle()

    def forget(self, client: str) -> None:
        """Wait for a client no longer."""
        self._quiet.pop(client, None)
        self._core.timers.pop(client, None)
        self._settle()

    def _settle(self) -> None:
        if all(self._quiet.values()):
            self._settled.set()
        else:
            self._settled.clear()
