"""What ended long ago leaves memory, and nothing else changes."""

from __future__ import annotations

import gc

import pytest

from pyrt.live.plan import MINUTE
from pyrt.live.process.memory import resident_bytes
from pyrt.testing.files import MemoryFiles
from tests.live.endless import Endless
from tests.live.strategies import walk
from tests.live.test_recovery import Rests, node
from tests.live.test_replay import SmaCross
from tests.live.whole import World

HOUR_S = 3_600


def grown(warm_s: int, run_s: int, every: int) -> float:
    """Return by how many MB a node's memory grows in a time, after some to warm up."""
    endless = Endless(every)
    endless.run(warm_s)
    gc.collect()
    before = resident_bytes()
    endless.run(run_s)
    gc.collect()
    # Its broker never lists an order: nothing else is to be found.
    assert [found.code for found in endless.driver.findings] == ["orders_incomplete"]
    assert endless.driver.core.kernel.cache.order_count >= (warm_s + run_s) // every - 1
    return (resident_bytes() - before) / 1e6


def test_orders_of_the_last_hour_are_known_and_older_ones_are_not():
    endless = Endless(every=60)
    endless.run(3 * HOUR_S)
    core = endless.driver.core
    count = core.kernel.cache.order_count
    assert count == 181
    kept = [number for number in range(count) if core.inputs.order(number) is not None]
    assert 58 <= len(kept) <= 63
    assert kept[-1] == count - 1
    assert endless.client.known == set(kept)
    # The records of the run have them all, and the journal knows them as ours.
    assert len(core.kernel.records.orders) == count - 1
    assert len(endless.driver.journal.state.closed) == count - 1


def test_an_open_order_is_never_forgotten_and_ends_as_ever():
    world, files = World([walk(3, "SPY", 200)]), MemoryFiles()
    first = node(world, files, Rests)
    first.run(3 * 150)
    order, *_ = first.kernel.cache.orders_open()
    assert first.world.now - order.ts_init > 61 * MINUTE
    assert first.client.ledger.get(order.number) is not None
    first.kernel.strategies[0].cancel(order)
    first.driver.core.inputs.settle()
    first.run(3 * 5)
    assert order.status == "CANCELED"


def test_a_client_forgets_with_its_node_and_the_account_still_agrees():
    world, files = World([walk(5, "SPY", 250)]), MemoryFiles()
    first = node(world, files, SmaCross)
    first.run()
    count = first.kernel.cache.order_count
    kept = {known.number for known in first.client.ledger}
    assert 0 < len(kept) < count
    assert kept == {n for n in range(count) if first.driver.core.inputs.order(n) is not None}
    first.driver.look(world.now)
    first.settle(world.now)
    assert first.driver.findings == ()
    assert first.kernel.account.equity_exact == world.venue.account.equity_exact


def test_memory_grows_little_in_two_market_hours():
    assert grown(HOUR_S, 2 * HOUR_S, 60) < 2


@pytest.mark.nightly
def test_memory_grows_less_than_five_megabytes_in_twenty_four_market_hours():
    assert grown(2 * HOUR_S, 24 * HOUR_S, 30) < 5
