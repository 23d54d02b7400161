"""A run that is broken off from outside, as Ctrl-C does to a script or a cell, stops in order."""

from __future__ import annotations

import asyncio

import pytest

from pyrt import LiveNode, NodeConfig, Strategy
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.live.driver.run import STOPPED
from pyrt.live.journal import records as r
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import read_records
from pyrt.live.process.heartbeat import NODE_BEAT, read_beat
from pyrt.live.process.lock import lock_state
from tests.live.strategies import walk
from tests.live.wire import Served

pytest.importorskip("uvicorn")


class Waits(Strategy):
    """Sends an order that no price comes by."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.buy("SPY", 1, limit_price=50)


async def broken_off(node: LiveNode, times: int) -> None:
    """Run a node as a cell does, and break it off once its order is at the broker."""
    cell = asyncio.create_task(node.run_async())
    while not cell.done():
        core = node.core
        if core and any(o.status == "ACCEPTED" for o in core.kernel.cache.orders_open()):
            break
        await asyncio.sleep(0.01)
    cell.cancel()
    while times == 2 and not node.driver.stop_reason and not cell.done():
        await asyncio.sleep(0)
    if times == 2:
        cell.cancel()
    with pytest.raises(asyncio.CancelledError):
        await cell


@pytest.mark.parametrize("times", [1, 2])
def test_a_run_that_is_broken_off_leaves_no_entry_working(tmp_path, times):
    core = make_core([walk(1, "SPY", 30)], fees="alpaca")
    with Served(core) as served:
        config = NodeConfig(
            symbols=("SPY",),
            trading_url=served.urls["rest_url"],
            data_url=served.urls["data_url"],
            stream_url=served.urls["trading_stream_url"],
            data_stream_url=served.urls["stock_stream_url"],
            state_dir=str(tmp_path / "state"),
            warmup=0,
            handler_timeout_s=0,
        )
        node = LiveNode(config, served.keys)
        node.add_strategy(Waits())
        asyncio.run(broken_off(node, times))
    (order,) = core.desk.orders.values()
    if times == 1:
        assert (order.status, node.driver.phase) == ("canceled", STOPPED)
        stops = [rec for _, rec in read_records(RealFiles(tmp_path / "state")) if is_stop(rec)]
        assert [stop.reason for stop in stops] == ["interrupted"]
    # What is left of a stop that did not come to its end is the watchdog's case.
    beat = read_beat(tmp_path / "state", NODE_BEAT)
    assert beat.phase == ("stopped" if times == 1 else "failed")
    # Who is broken off a second time gets the end at once, and lets go of all that was held.
    lock_state(tmp_path / "state").release()


def is_stop(record) -> bool:
    return isinstance(record, r.RunStop)
