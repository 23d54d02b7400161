"""A pair of exits on the wire: one request, one pair at the broker, and all of it or nothing."""

from __future__ import annotations

import json

import msgspec

from pyrt import Strategy
from pyrt.risk import Limits
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

LIMITS = Limits(
    max_order_quantity=40,
    max_position_quantity=60,
    max_gross_exposure=100_000,
    max_daily_loss=50_000,
    max_open_orders=15,
    max_orders_per_minute=2,
    price_collar_bps=500,
    stale_data_after="10m",
)
RISING = bars([100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0, 107.0])


class Guarded(Strategy):
    """Buys ten, and lets a pair guard them."""

    profit: float = 104.5

    def on_start(self):
        self.subscribe_bars("SPY", "1m")
        self.ends = []

    def on_bar(self, bar):
        if self.position("SPY").is_flat and not self.ends:
            self.buy("SPY", 10)

    def on_fill(self, fill):
        if fill.order.order_type == "market":
            self.oco("SPY", 10, take_profit=self.profit, stop_loss=90)

    def on_order(self, event):
        if event.order.is_closed:
            self.ends.append((event.order.order_type, event.status, event.order.reason))


def start(world, files, run_id="one", limits=None, **parameters) -> Node:
    made = Node(world, files, [Guarded(**parameters)], run_id=run_id, limits=limits)
    made.start()
    return made


def pairs_of(world):
    answer = world.simulator.request("GET", "/v2/orders?status=all&nested=true", b"")
    return [order for order in msgspec.json.decode(answer.body) if order["order_class"] == "oco"]


def test_a_pair_is_one_request_and_one_of_it_ends_the_other():
    world = World([RISING])
    node = start(world, MemoryFiles())
    node.run(9)
    (sent,) = [body for body in map(json.loads, world.posted) if body.get("order_class") == "oco"]
    assert sent["type"] == "limit"
    assert (sent["take_profit"], sent["stop_loss"]) == (
        {"limit_price": "104.5"},
        {"stop_price": "90"},
    )
    (pair,) = pairs_of(world)
    assert [leg["type"] for leg in pair["legs"]] == ["stop"]
    assert {o.status for o in node.kernel.cache.orders_open()} == {"ACCEPTED"}
    node.run(12)
    strategy = node.kernel.strategies[0]
    assert ("limit", "FILLED", "") in strategy.ends
    assert [kind for kind, status, _ in strategy.ends if status == "CANCELED"] == ["stop"]


def test_a_pair_is_found_again_after_a_crash_and_not_sent_again():
    world, files = World([RISING]), MemoryFiles()
    first = start(world, files, profit=200)
    first.run(9)
    assert len(pairs_of(world)) == 1
    posted = len(world.posted)
    second = start(world, first.crash(), run_id="two", profit=200)
    second.run(6)
    assert len(world.posted) == posted
    assert {o.order_type for o in second.kernel.cache.orders_open()} == {"limit", "stop"}
    for order in second.kernel.cache.orders_open():
        second.kernel.strategies[0].cancel(order)
    second.driver.core.inputs.settle()
    second.run(3)
    assert [pair["status"] for pair in pairs_of(world)] == ["canceled"]
    assert second.kernel.cache.orders_open() == []


def test_half_of_a_pair_that_is_denied_takes_the_other_with_it():
    world = World([RISING])
    node = start(world, MemoryFiles(), limits=LIMITS)
    node.run(9)
    assert pairs_of(world) == []
    (limit, stop) = node.kernel.strategies[0].ends[-2:]
    assert {limit[0], stop[0]} == {"limit", "stop"}
    by_type = {kind: (status, reason) for kind, status, reason in (limit, stop)}
    assert by_type["stop"][0] == "DENIED"
    assert by_type["stop"][1].startswith("max_orders_per_minute")
    assert by_type["limit"][0] == "REJECTED"
    assert by_type["limit"][1].startswith("oco: the other order of the pair was denied")
    # Nothing of it counts any more.
    assert len(node.driver.gate.claims) == 0
