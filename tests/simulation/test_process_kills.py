"""The same schedules, with processes that are killed and a machine that goes on.

Elsewhere in the simulation power fails, and with it most of the inputs' unsynced tail is lost. Here
everything that was written is there, so that a restart goes on with the run that was cut off.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from typing import Any
from unittest.mock import patch

import pytest

from pyrt.live.driver.comeback import Comeback
from pyrt.testing.files import MemoryFiles
from tests.simulation.run import quiet
from tests.simulation.strategy import VERSATILE_FROM
from tests.simulation.world import World

SEEDS = 400 if os.environ.get("PYRT_HYPOTHESIS") == "nightly" else 16
FIRSTS = [*range(0, SEEDS, 8), *range(VERSATILE_FROM, VERSATILE_FROM + SEEDS, 8)]
REGRESSIONS = (50038, 50061, 50085, 50098, 54074)
"""Seeds that have found a fault once."""


def all_is_there(files: MemoryFiles, *, keep_tail: bool = True) -> MemoryFiles:
    """Return a folder as a killed process leaves it."""
    after = MemoryFiles(files.faults)
    for name in files.names():
        after.put(name, files.read(name))
    return after


class Lives(World):
    """Keeps what each strategy knew when its node was killed, and compares what comes back."""

    def __init__(self, seed: int, counts: Counter[str]) -> None:
        super().__init__(seed)
        self.counts = counts
        self.known: dict[str, Any] = {}
        self.known_run = ""

    def kill(self, fault: str) -> None:
        node = self.node
        if node is not None and node.driver.is_running and node.journal.failure is None:
            # What the node has handed over, the system writes.
            node.driver.flush_tape()
            node.journal.commit()
            self.known = {s.name: (s.bars, list(s.seen)) for s in node.kernel.strategies}
            self.known_run = node.driver.plan.run_id
        super().kill(fault)

    def compare(self, run_id: str, core: Any, rehearsal: Any) -> None:
        """Hold that strategies are what they were, and came to the same commands."""
        assert rehearsal.difference == ""
        assert rehearsal.saves_differ == []
        self.counts["played"] += 1
        self.counts["commands"] += rehearsal.compared
        # A node that a supervisor has put away died otherwise, and nobody has looked at it.
        for strategy in core.kernel.strategies if run_id == self.known_run else ():
            self.counts["compared"] += 1
            assert (strategy.bars, strategy.seen) == self.known[strategy.name]


def counts_of(seeds: Iterable[int]) -> Counter[str]:
    """Run schedules; return how often something was played again and compared."""
    counts: Counter[str] = Counter()
    play = Comeback.play
    for seed in seeds:
        world = Lives(seed, counts)

        def playing(self: Comeback, now: int, world: Lives = world) -> Any:
            came = play(self, now)
            world.compare(self._past.start.run_id, *came[:2])
            return came

        with (
            quiet(),
            patch.object(MemoryFiles, "crash", all_is_there),
            patch.object(Comeback, "play", playing),
        ):
            world.run()
    return counts


@pytest.mark.parametrize("first", FIRSTS)
def test_a_killed_node_comes_back_as_it_was(first: int) -> None:
    counts = counts_of(range(first, first + 8))
    assert counts["played"] > 0
    assert counts["compared"] > 0


def test_what_was_found_once_stays_mended() -> None:
    assert counts_of(REGRESSIONS)["played"] > 0
