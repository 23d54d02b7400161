"""Wherever a record ends behind the last thing that left, nothing counts twice or is lost."""

from __future__ import annotations

import os
from typing import Any

import pytest

from pyrt.live.journal import records as r
from pyrt.live.journal.journal import read_records
from pyrt.testing.files import MemoryFiles
from tests.live.looks import told
from tests.live.test_starts import Quiet
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

PRICES = bars([100.0] * 20)
MAIN = "main-00000001.log"
LEAVES = (r.Intent, r.ChangeIntent, r.CancelIntent, r.RunStart)
"""What is on the disk before anything is sent because of it."""
STRIDE = 1 if os.environ.get("PYRT_HYPOTHESIS") == "nightly" else 4


class Busy(Quiet):
    """Fills in parts, changes, brings exits along, cancels and closes."""

    def on_start(self) -> None:
        super().on_start()
        self.bars = 0

    def on_bar(self, bar: Any) -> None:
        self.bars += 1
        if self.bars == 1:
            self.order = self.buy("SPY", 12, limit_price=100.5)
        elif self.bars == 3:
            self.modify(self.order, quantity=11)
        elif self.bars == 4:
            self.modify(self.order, limit_price=101)
            self.buy("SPY", 5, take_profit=110, stop_loss=90)
        elif self.bars == 6:
            self.cancel(self.order)
        elif self.bars == 8:
            self.close("SPY")


def crashed(steps: int) -> tuple[World, MemoryFiles, list[int]]:
    """Return a run that dies after so many steps, and where its record may end then."""
    world, files = World([PRICES], participation=3 / PRICES.volume[0]), MemoryFiles()
    node = Node(world, files, [Busy()], run_id="one")
    node.start()
    node.run(steps)
    node.journal.commit()
    ends: list[int] = []
    for frame, record in reversed(list(read_records(files))):
        if isinstance(record, LEAVES):
            break
        ends.append(frame.offset)
    node.journal.close()
    return world, files, ends


@pytest.mark.parametrize("steps", range(4, 44, 1 if STRIDE == 1 else 3))
def test_wherever_the_record_ends_a_start_knows_what_the_broker_has(steps: int) -> None:
    for number in range(0, len(crashed(steps)[2]), STRIDE):
        world, files, ends = crashed(steps)
        files.put(MAIN, files.read(MAIN)[: ends[number]])
        node = Node(world, files, [Busy()], run_id="two")
        node.start()
        for _ in range(2):
            assert told(node, "bad_event") == told(node, "replay_differs") == [], number
            assert node.driver.findings == (), number
            assert node.kernel.account.cash_exact == world.venue.account.cash_exact, number
            node.run(70)
        assert node.kernel.cache.orders_open() == [], number
