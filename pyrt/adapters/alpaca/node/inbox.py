"""What has come in and was not taken yet; how long taking it has lasted."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import AbstractContextManager

from pyrt.adapters.alpaca.core.events import Event
from pyrt.live.driver.driver import Driver
from pyrt.live.observe.latency import LatencyHistogram
from pyrt.live.observe.traces import TraceIds, trace

Take = Callable[[int], list[Event]]
TIMED = 200
SAMPLED = 1 << 28
ANSWERS = 3
"""Rank of answers to requests, after the frames of trade updates (0) and market data."""


class Inbox:
    """Messages in their order of arrival; each decodes itself when it is taken.

    Parameters
    ----------
    traces : TraceIds
        Every message gets an id.

    Attributes
    ----------
    stages : dict, optional
        Name of a stage → histogram of how long it took; without it nothing is timed.
    timed : int
        So many messages more are timed, and of what follows one in 16, drawn.
    """

    def __init__(self, traces: TraceIds) -> None:
        self._traces = traces
        self._waiting: list[tuple[int, Take]] = []
        self.stages: dict[str, LatencyHistogram] | None = None
        self.timed = TIMED
        self._draw = 0

    def __len__(self) -> int:
        return len(self._waiting)

    def put(self, take: Take, rank: int) -> None:
        """Add a message."""
        self._waiting.append((rank, take))

    def take(self, *, by_rank: bool = False) -> list[Take]:
        """Return what has come in; `by_rank` puts the broker's answers first."""
        received, self._waiting = self._waiting, []
        if by_rank:
            received.sort(key=lambda item: item[0])
        return [take for _, take in received]

    def hand_over(
        self,
        driver: Driver,
        now: int,
        after: Callable[[], bool],
    ) -> None:
        """Give what has come in to a driver; `after` follows each message.

        Where it returns True, the rest waits for the next time.
        """
        taken, self._waiting = self._waiting, []
        # One at a time: what a strategy does about one message precedes the next.
        for number, (_, take) in enumerate(taken, 1):
            with self.traced():
                if self.stages is not None and self._is_timed():
                    self._take_timed(driver, now, take, self.stages)
                else:
                    driver.take(now, take(now))
            if after():
                # What has come meanwhile is behind them.
                self._waiting[:0] = taken[number:]
                return

    def traced(self) -> AbstractContextManager[str]:
        """Let a block be about one thing that came in, with an id of its own."""
        return trace(self._traces.next())

    def _is_timed(self) -> bool:
        if self.timed:
            self.timed -= 1
            return True
        # Drawn: each n-th message could always be of one stream.
        self._draw = (self._draw * 1664525 + 1013904223) & 0xFFFFFFFF
        return self._draw < SAMPLED

    def _take_timed(
        self, driver: Driver, now: int, take: Take, stages: dict[str, LatencyHistogram]
    ) -> None:
        """Take one message, and note how long decoding took; the kernel's probe has the rest."""
        began = time.perf_counter_ns()
        events = take(now)
        stages["decode"].observe(time.perf_counter_ns() - began)
        driver.take(now, events)
