"""Which schedules the two halves of the test run take: a file each, for a core of its own."""

from __future__ import annotations

import os

SCHEDULES = int(os.environ.get("PYRT_SCHEDULES", "2000"))
CHUNK = 50


def chunks_of(half: int) -> list[tuple[int, int]]:
    """Return (first seed, how many) of every other chunk."""
    firsts = range(half * CHUNK, SCHEDULES, 2 * CHUNK)
    return [(first, min(CHUNK, SCHEDULES - first)) for first in firsts]
