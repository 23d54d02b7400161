"""Over sockets: an order is made ready while its record is written, and leaves after it alone."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

pytest.importorskip("uvicorn")

from scripts.node_goals import Bench
from scripts.stub_broker import SYMBOL


class Disk:
    """Lets a node's journal be committed, or not."""

    def __init__(self, journal: Any) -> None:
        self.works = threading.Event()
        self.works.set()
        self._commit = journal.commit
        journal.commit = self.commit

    def commit(self) -> Any:
        self.works.wait(20)
        return self._commit()


def run(folder: Any, what: Callable[[Bench, Disk], Awaitable[None]]) -> None:
    async def work() -> None:
        async with Bench(folder, delay_s=0.0) as bench:
            disk = Disk(bench.node.driver.journal)
            try:
                await what(bench, disk)
            finally:
                disk.works.set()

    asyncio.run(work())


def ready(bench: Bench) -> int:
    """How many orders have all but the word."""
    return len(bench.node._turns.sender._ready)


def test_an_order_is_ready_before_its_record_is_durable_and_leaves_after_it(tmp_path):
    async def what(bench, disk):
        disk.works.clear()
        bench.act(lambda s: s.buy(SYMBOL, 1))
        await bench.until(lambda: ready(bench) == 1)
        await asyncio.sleep(0.2)
        assert not bench.stub.orders
        disk.works.set()
        await bench.until(lambda: bench.strategy.position(SYMBOL).quantity == 1)
        assert len(bench.stub.orders) == 1
        assert ready(bench) == 0

    run(tmp_path, what)


def test_an_order_that_was_ready_when_the_switch_fell_never_leaves(tmp_path):
    async def what(bench, disk):
        disk.works.clear()
        order = bench.act(lambda s: s.buy(SYMBOL, 1))
        await bench.until(lambda: ready(bench) == 1)
        bench.node.driver.latch.set("test")
        bench.node.wake()
        await bench.until(lambda: ready(bench) == 0)
        disk.works.set()
        await bench.until(lambda: not order.is_open)
        await asyncio.sleep(0.1)
        assert not bench.stub.orders

    run(tmp_path, what)
