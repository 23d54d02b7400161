"""A recorder beside a node: it gives way to orders, goes on after failures, and leaves nothing."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from pyrt.adapters.alpaca.node import recorder as module
from pyrt.adapters.alpaca.node.recorder import Recorder
from pyrt.live.process.market_log import MarketLog
from tests.live.test_market_log import DAY, START, quote


@pytest.mark.parametrize("leaves_after", [0.05, 60.0])
def test_a_write_lets_orders_leave_first_and_waits_for_none_that_does_not(
    tmp_path, monkeypatch, leaves_after
):
    """The second order never leaves: data are written all the same."""
    monkeypatch.setattr(module, "WRITE_ROWS", 3)
    at_write = []
    monkeypatch.setattr(MarketLog, "write", lambda self, columns: at_write.append(node.is_sending))
    kernel = SimpleNamespace(clock=SimpleNamespace(timestamp_ns=START))
    core = SimpleNamespace(kernel=kernel)
    node = SimpleNamespace(run_id="one", is_sending=True, driver=SimpleNamespace(listener=None))

    async def run() -> None:
        recorder = Recorder(tmp_path)
        await recorder.begin(node)
        for number in range(3):
            node.driver.listener(quote(number), core)
        leave = asyncio.get_running_loop().call_later(
            leaves_after, setattr, node, "is_sending", False
        )
        while not at_write:
            await asyncio.sleep(0.01)
        leave.cancel()
        await recorder.end()

    asyncio.run(asyncio.wait_for(run(), 20))
    assert at_write[0] is (leaves_after == 60.0)


@pytest.mark.parametrize("error", [OSError("the disk is full"), ValueError("odd")])
def test_a_write_that_fails_is_told_and_is_not_the_last(tmp_path, monkeypatch, error):
    monkeypatch.setattr(module, "WRITE_ROWS", 1)
    alarms, outcomes = [], [error, error, None]

    def write(self, columns):
        self.dropped += 1
        outcome = outcomes.pop(0) if outcomes else None
        if outcome is not None:
            raise outcome

    monkeypatch.setattr(MarketLog, "write", write)
    scribe = SimpleNamespace(alarm=lambda code, text, now: alarms.append((code, text)))
    driver = SimpleNamespace(listener=None, scribe=scribe)
    core = SimpleNamespace(kernel=SimpleNamespace(clock=SimpleNamespace(timestamp_ns=START)))
    node = SimpleNamespace(run_id="one", is_sending=False, driver=driver)

    async def run() -> None:
        recorder = Recorder(tmp_path)
        await recorder.begin(node)
        while outcomes:
            driver.listener(quote(0), core)
            await asyncio.sleep(0.001)
        await recorder.end()

    asyncio.run(asyncio.wait_for(run(), 20))
    failed = ("market_log", f"market data could not be written: {error}")
    assert alarms[:4] == [
        failed, ("market_log", "1 rows of market data were not kept"),
        failed, ("market_log", "2 rows of market data were not kept"),
    ]  # fmt: skip


def test_a_recorder_writes_as_often_as_rows_are_many_and_what_is_left_at_its_end(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(module, "WRITE_ROWS", 2)
    writes, compacted, heard, alarms = [], [], [], []
    really = MarketLog.write

    clock = [100_000.0]

    def write(self, columns):
        # Half a day between them: the third is a day after the first, and no more.
        clock[0] += 43_200
        writes.append(sum(len(times) // 2 for times, _ in columns.values()))
        return really(self, columns)

    monkeypatch.setattr(MarketLog, "write", write)
    monkeypatch.setattr(module, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(module, "compact", lambda folder, today: compacted.append(folder))
    driver = SimpleNamespace(
        listener=lambda event, core: heard.append(event),
        scribe=SimpleNamespace(alarm=lambda *given: alarms.append(given)),
    )
    core = SimpleNamespace(kernel=SimpleNamespace(clock=SimpleNamespace(timestamp_ns=START)))
    node = SimpleNamespace(run_id="one", is_sending=False, driver=driver)

    async def run() -> None:
        recorder = Recorder(tmp_path)
        await recorder.begin(node)
        for number in range(7):
            driver.listener(quote(number), core)
            # Time for a write that is not due, and as long as one takes that is.
            await asyncio.sleep(0.01)
            while number % 2 and len(writes) <= number // 2:
                await asyncio.sleep(0.001)
        await recorder.end()

    asyncio.run(asyncio.wait_for(run(), 20))
    assert writes == [2, 2, 2, 1]
    assert compacted == [tmp_path / "market"]
    assert [event.bid_price for event in heard] == [100.0 + number for number in range(7)]
    assert alarms == []
    found = [pq.read_table(path) for path in sorted((tmp_path / "market" / DAY).iterdir())]
    assert [table.num_rows for table in found] == [2, 2, 2, 1]
