"""Lockstep: time moves on when every client has answered what was sent at an instant."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from pyrt.adapters.alpaca.simulator.core import SimulatorCore

PHASES = ("ends", "calendar", "happens")
TIMERS = "timers"
PATIENCE_S = 30.0
WAIT_S = 5.0
"""An answer is held back no longer than this: clients have read time-outs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What a client says when it has nothing more to do.

    Attributes
    ----------
    ts : int
        The time up to which it has answered, ns UTC.
    turn : int or None
        The turn it has answered; None from clients that do not count turns.
    received : mapping
        Path of a connection → frames received on it since it was opened.
    next_timer : int or None
        When it wants to be woken, ns UTC.
    """

    ts: int
    turn: int | None = None
    received: Mapping[str, int] = field(default_factory=dict)
    next_timer: int | None = None


class Lockstep:
    """Moves a core from instant to instant.

    An instant has turns: one for each of its phases in which something was sent, and one for
    timers where one is due or nothing was sent. A turn ends when all clients are quiet: they have
    received all that was sent, and have answered it.

    Parameters
    ----------
    core : SimulatorCore
    phases : iterator
        The core's instants; shared with whatever else moves its time.
    flush : callable
        Sends what is due.
    sent : callable
        Returns the path of each open connection → frames sent on it.
    """

    def __init__(
        self,
        core: SimulatorCore,
        phases: Iterator[int],
        flush: Callable[[], Awaitable[None]],
        sent: Callable[[], dict[str, int]],
    ) -> None:
        self._core = core
        self._phases = phases
        self._flush = flush
        self._sent = sent
        self._reports: dict[str, Report] = {}
        self._news = asyncio.Event()
        self._advancing = asyncio.Lock()
        self._turn = 0
        self._moving = False
        self._phase = TIMERS
        self.over = False

    @property
    def state(self) -> dict[str, Any]:
        """What a client is told: time, turn, phase, frames sent, clients, whether it is over."""
        return {
            "ts": self._core.now,
            "turn": self._turn,
            "phase": self._phase,
            "sent": self._sent(),
            "clients": sorted(self._reports),
            "done": self.over or self._core.next_instant() is None,
        }

    # -- the exchange's side -------------------------------------------------------------------

    async def advance(self, patience_s: float = PATIENCE_S) -> bool:
        """Move to the next instant; after each turn, wait for all clients.

        Returns
        -------
        bool
            False at the end of the data.

        Raises
        ------
        TimeoutError
            If a client is not quiet in time.
        """
        async with self._advancing:
            if self._core.next_instant() is None:
                self.over = True
                self.wake()
                return False
            answered = False
            for phase in PHASES:
                next(self._phases)
                before = self._sent()
                # Nobody is told of what is sent before the turn that it belongs to.
                self._moving = True
                try:
                    await self._flush()
                finally:
                    self._moving = False
                if self._sent() != before:
                    answered = True
                    await self._take_turn(phase, patience_s)
            if not answered or self._has_timers():
                await self._take_turn(TIMERS, patience_s)
            return True

    async def _take_turn(self, phase: str, patience_s: float) -> None:
        self._turn += 1
        self._phase = phase
        self.wake()
        async with asyncio.timeout(patience_s):
            while not all(self._is_quiet(report) for report in self._reports.values()):
                await self._news.wait()

    def _has_timers(self) -> bool:
        return any(due <= self._core.now for due in self._core.timers.values())

    def wake(self) -> None:
        """Look again at who is quiet: something was sent, said or forgotten."""
        news, self._news = self._news, asyncio.Event()
        news.set()

    # -- the clients' side ---------------------------------------------------------------------

    def quiet(self, client: str, report: Report) -> None:
        """Note what a client says; from now on time waits for it."""
        if report.next_timer is None:
            self._core.timers.pop(client, None)
        else:
            self._core.timers[client] = report.next_timer
        self._reports[client] = report
        self.wake()

    async def wait(self, report: Report, patience_s: float = WAIT_S) -> None:
        """Return when there is something to answer for the client that has said `report`."""
        try:
            async with asyncio.timeout(patience_s):
                while (self._is_quiet(report) or self._moving) and not self.over:
                    await self._news.wait()
        except TimeoutError:
            return

    def forget(self, client: str) -> None:
        """Wait for a client no longer."""
        self._reports.pop(client, None)
        self._core.timers.pop(client, None)
        self.wake()

    def _is_quiet(self, report: Report) -> bool:
        if report.ts < self._core.now or (report.turn is not None and report.turn < self._turn):
            return False
        sent = self._sent()
        return all(sent.get(path, 0) <= count for path, count in report.received.items())
