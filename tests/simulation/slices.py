"""Which schedules the two halves of the test run take: a file each, for a core of its own."""

from __future__ import annotations

import os

from tests.simulation.chances import (
    ACCEPTING_FROM,
    PATIENT_FROM,
    REPLACING_FROM,
    SHARING_FROM,
    SPENDING_FROM,
    STRICT_FROM,
)
from tests.simulation.run import COMPLETE_FROM, UNKNOWN_MAX, Report, run_chunk
from tests.simulation.strategy import VERSATILE_FROM

SCHEDULES = int(os.environ.get("PYRT_SCHEDULES", "2000"))
CHUNK = 50
JUDGED_BY_TRACES = "I14"
"""Schedules alone do not look at it: two processes are compared in `test_simulation.py`."""


class Half:
    """Half of the schedules, in chunks, and what all of them together have seen.

    Parameters
    ----------
    number : int
        0, or 1 for those whose strategies trade all kinds of orders; a tenth of these, at the end,
        are of the newest families, a sixth of each.
    """

    def __init__(self, number: int) -> None:
        count = (SCHEDULES + 1 - number) // 2
        newest = count // 10 if number else 0
        self.chunks = [
            *_chunks(VERSATILE_FROM if number else 0, count - newest),
            *_chunks(PATIENT_FROM, newest - 5 * (newest // 6)),
            *_chunks(SPENDING_FROM, newest // 6),
            *_chunks(STRICT_FROM, newest // 6),
            *_chunks(REPLACING_FROM, newest // 6),
            *_chunks(SHARING_FROM, newest // 6),
            *_chunks(ACCEPTING_FROM, newest // 6),
        ]
        self.report = Report()

    def run(self, first: int, count: int) -> dict[int, str]:
        """Run a chunk; return the seeds that fail, and why."""
        part = run_chunk(first, count)
        self.report.add(part)
        return part.failing

    @property
    def is_complete(self) -> bool:
        """Whether so many schedules have run that every fault has to have struck."""
        return self.report.tally.schedules >= COMPLETE_FROM

    def gaps(self) -> list[str]:
        """Return faults that never struck, and invariants that were never looked at."""
        return [name for name in self.report.missing() if name != JUDGED_BY_TRACES]

    @property
    def unknown_share(self) -> float:
        """Return which part of all orders ended with an unknown fate, over the part allowed."""
        tally = self.report.tally
        return tally.unknown_at_end / (UNKNOWN_MAX * max(tally.orders, 1))


def _chunks(first: int, count: int) -> list[tuple[int, int]]:
    """Return (first, count) of the chunks of a range of seeds."""
    end = first + count
    return [(at, min(CHUNK, end - at)) for at in range(first, end, CHUNK)]
