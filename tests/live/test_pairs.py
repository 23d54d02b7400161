"""Exits that other orders bring to the broker: pairs and brackets, all of them or nothing."""

from __future__ import annotations

import json

import msgspec
import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.simulator.protocol.http import Response
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
    # The broker lists the stop under its limit: it is not missing.
    assert [code for code, _ in (*first.alarms, *second.alarms) if code == "missing_order"] == []
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
    assert by_type["limit"][0] == "DENIED"
    assert by_type["limit"][1].startswith("oco: the other order of the pair was denied")
    # Nothing of it counts any more.
    assert len(node.driver.gate.claims) == 0


class Quiet(Strategy):
    """Does what a test asks of it."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")


BRACKET = {"take_profit": 120, "stop_loss": 90}


def holding_ten(world, files) -> Node:
    made = Node(world, files, [Quiet()], run_id="one")
    made.start()
    made.run(3)
    act(made, lambda s: s.buy("SPY", 10))
    made.run(6)
    assert made.kernel.strategies[0].position("SPY").quantity == 10
    return made


def act(node, what):
    made = what(node.kernel.strategies[0])
    node.driver.core.inputs.settle()
    node.settle(node.world.now)
    return made


def refuse(request, send):
    if request.purpose == "submit":
        return Response(403, b'{"code":40310000,"message":"insufficient buying power"}')
    return send(request)


def silent(request, send):
    """A request that never arrives, and a broker who therefore does not know the order."""
    return Response(504, b"") if request.purpose == "submit" else send(request)


SENDS = {
    "bracket": lambda s: s.buy("SPY", 5, **BRACKET),
    "pair": lambda s: s.oco("SPY", 10, take_profit=120, stop_loss=90),
}


@pytest.mark.parametrize("kind", SENDS)
def test_exits_end_with_the_order_that_was_to_bring_them(kind):
    """They stayed open for ever: the symbol was never flat again, and limits counted them."""
    node = holding_ten(World([RISING]), MemoryFiles())
    node.on_request = refuse
    act(node, SENDS[kind])
    assert node.kernel.cache.orders_open() == []
    assert node.journal.state.orders == {}
    strategy = node.kernel.strategies[0]
    assert act(node, lambda s: s.orders("SPY")) == []
    node.on_request = None
    act(node, lambda s: s.close("SPY"))
    node.run(6)
    assert strategy.position("SPY").is_flat


@pytest.mark.parametrize("kind", SENDS)
def test_what_an_operator_gives_up_takes_what_it_was_to_bring(kind):
    node = holding_ten(World([RISING]), MemoryFiles())
    node.on_request = silent
    act(node, SENDS[kind])
    (lead,) = [o for o in node.kernel.cache.orders_open() if o.is_unknown]
    node.driver.resolve_lost(lead.client_order_id, "anna", "nowhere to be seen")
    assert node.kernel.cache.orders_open() == []


@pytest.mark.parametrize("kind", SENDS)
def test_after_a_crash_what_may_be_there_is_in_doubt_and_looked_for_by_its_own_name(kind):
    world, files = World([RISING]), MemoryFiles()
    first = holding_ten(world, files)
    first.on_request = silent
    act(first, SENDS[kind])
    second = Node(world, first.crash(), [Quiet()], run_id="two")
    asked = []
    second.on_request = lambda request, send: asked.append(request.path) or send(request)
    second.start()
    second.run(3)
    unknown = [o for o in second.kernel.cache.orders_open() if o.is_unknown]
    assert [o.client_order_id for o in unknown] == ["pyrt-one-2"]
    looked_for = {path.rpartition("=")[2] for path in asked if "by_client_order_id" in path}
    assert looked_for == {"pyrt-one-2"}
    # It counts in full, and nothing more of its side leaves.
    side = "buy" if kind == "bracket" else "sell"
    order = act(second, lambda s: getattr(s, side)("SPY", 1))
    assert order.reason.startswith("unknown_request")


def enters_either_way(strategy):
    """A dip that rests at the broker, and a break-out that only the node holds."""
    terms = {"side": "buy", "symbol": "SPY", "quantity": 4}
    return strategy.pair({**terms, "limit_price": 90}, {**terms, "stop_price": 105.5})


def at_broker(world):
    answer = world.simulator.request("GET", "/v2/orders?status=all", b"")
    return {o["client_order_id"]: o["status"] for o in msgspec.json.decode(answer.body)}


def test_of_a_pair_of_entries_one_is_at_the_broker_at_a_time():
    world = World([RISING])
    node = holding_ten(world, MemoryFiles())
    dip, break_out = act(node, enters_either_way)
    assert (dip.status, break_out.status) == ("ACCEPTED", "EMULATED")
    names = dip.client_order_id, break_out.client_order_id
    assert names[0] in at_broker(world)
    assert names[1] not in at_broker(world)
    node.run(20)
    assert (dip.status, break_out.status) == ("CANCELED", "FILLED")
    assert [at_broker(world)[name] for name in names] == ["canceled", "filled"]
    assert node.kernel.strategies[0].position("SPY").quantity == 14


def test_what_only_the_node_held_of_a_pair_dies_with_it_and_the_other_stays():
    world, files = World([RISING]), MemoryFiles()
    first = holding_ten(world, files)
    dip, _ = act(first, enters_either_way)
    second = Node(world, first.crash(), [Quiet()], run_id="two")
    second.start()
    second.run(3)
    assert "emulated_lost" in {code for code, _ in second.alarms}
    (left,) = second.kernel.cache.orders_open()
    assert left.client_order_id == dip.client_order_id
    act(second, lambda s: s.cancel(left))
    second.run(2)
    assert at_broker(world)[dip.client_order_id] == "canceled"
    assert second.kernel.cache.orders_open() == []


def test_one_of_a_pair_that_was_leaving_in_a_crash_is_in_doubt_by_its_own_name():
    world, files = World([RISING]), MemoryFiles()
    first = holding_ten(world, files)
    dip, break_out = act(first, enters_either_way)
    first.on_request = silent
    while break_out.status == "EMULATED":
        first.run(1)
    assert dip.status == "CANCELED"
    second = Node(world, first.crash(), [Quiet()], run_id="two")
    second.start()
    second.run(3)
    unknown = [o.client_order_id for o in second.kernel.cache.orders_open() if o.is_unknown]
    assert unknown == [break_out.client_order_id]
    # It counts in full, and nothing more of its side leaves.
    more = act(second, lambda s: s.buy("SPY", 1))
    assert more.reason.startswith("unknown_request")
