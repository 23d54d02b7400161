"""`pyrt live`: the signals by which it stops in order."""

from __future__ import annotations

import asyncio
import os
import signal
import threading

import pytest

from pyrt.cli import live

pytestmark = pytest.mark.skipif(
    threading.current_thread() is not threading.main_thread(),
    reason="signals do not reach this thread",
)


class Waits:
    """A node that runs until it is asked to stop, twice."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self.asked = asyncio.Event()

    def stop(self, reason: str) -> None:
        self.reasons.append(reason)
        self.asked.set()

    async def run_async(self) -> list[str]:
        for number in (signal.SIGHUP, signal.SIGTERM):
            os.kill(os.getpid(), number)
            await asyncio.sleep(0)
        await asyncio.wait_for(self.asked.wait(), 20)
        while self.reasons[-1] != "SIGTERM":
            await asyncio.sleep(0.001)
        return self.reasons


@pytest.mark.parametrize(
    ("before", "reasons"),
    [(signal.SIG_DFL, ["SIGHUP", "SIGTERM"]), (signal.SIG_IGN, ["SIGTERM"])],
)
def test_a_node_whose_terminal_is_closed_stops_in_order(before, reasons):
    """Unless it was started to outlive it, as `nohup` does."""
    old = signal.signal(signal.SIGHUP, before)
    # Where nothing takes it, the signal would end the tests.
    if before is signal.SIG_DFL:
        signal.signal(signal.SIGHUP, lambda number, frame: None)
    try:
        assert asyncio.run(live._until_interrupted(Waits())) == reasons
    finally:
        signal.signal(signal.SIGHUP, old)
