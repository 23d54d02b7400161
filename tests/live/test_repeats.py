"""Orders that are sent again under their id, and what overtakes them before their bytes leave."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from pyrt import Strategy
from pyrt.adapters.alpaca.simulator.protocol.http import Response
from pyrt.live.journal import records as r
from pyrt.live.journal.journal import Journal, read_records
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import SECOND, Node, World

PRICES = bars([100.0] * 8)


class Idle(Strategy):
    """Does what a test tells it to."""

    symbol: str = "SPY"

    def on_start(self):
        self.subscribe_bars(self.symbol, "1m")


def begun() -> tuple[World, Node]:
    world = World([PRICES])
    node = Node(world, MemoryFiles(), [Idle()], run_id="one")
    node.start()
    node.run(3)
    return world, node


def command(node: Node, ts: int):
    """Let the strategy speak at `ts`; returns it."""
    node.driver.turn(ts)
    return node.kernel.strategies[0]


def in_doubt(world: World, node: Node):
    """An order whose submit went nowhere, and whose repeat waits for the stream of order news."""
    strategy = command(node, world.now)
    order = strategy.buy("SPY", 10, limit_price=90)
    node.on_request = lambda request, send: (
        Response(504, b"") if request.method == "POST" else send(request)
    )
    node.driver.core.inputs.settle()
    node.settle(world.now)
    assert order.is_unknown
    node.client.trade_updates.closed(world.now)
    node.settle(world.now + 3 * SECOND)
    assert node.driver.held_back == 1
    return order


def test_a_repeat_that_waits_is_dropped_in_silence_when_the_order_is_seen():
    world, node = begun()
    order = in_doubt(world, node)
    # The first one had arrived.
    world.request(node.driver._gateway._held[0].request)
    before = len(world.posted)
    node.on_request = None
    node.driver.look(world.now + 4 * SECOND)
    node.settle(world.now + 4 * SECOND)
    node.connect(world.now + 5 * SECOND)
    node.settle(world.now + 5 * SECOND)
    assert order.status == "ACCEPTED"
    assert not order.is_unknown
    assert len(world.posted) == before
    assert node.driver.held_back == 0
    assert "not_sent" not in {code for code, _ in node.alarms}


def test_a_repeat_that_a_halt_stops_leaves_its_order_in_doubt_also_after_a_restart():
    world, node = begun()
    order = in_doubt(world, node)
    node.driver.operate("halt", "anna", "something smells")
    node.connect(world.now + 4 * SECOND)
    node.settle(world.now + 4 * SECOND)
    assert node.driver.held_back == 0
    assert order.is_unknown
    again = Journal(node.crash())
    assert again.state.orders[order.client_order_id].unknown
    assert not [rec for _, rec in read_records(again.files) if isinstance(rec, r.NotSent)]


def test_a_replace_that_does_not_leave_says_nothing_of_its_order():
    world, node = begun()
    strategy = command(node, world.now)
    order = strategy.buy("SPY", 10, limit_price=90)
    node.driver.core.inputs.settle()
    node.settle(world.now)
    assert order.status == "ACCEPTED"
    node.client.trade_updates.closed(world.now)
    strategy.modify(order, limit_price=91)
    node.driver.core.inputs.settle()
    node.settle(world.now)
    assert node.driver.held_back == 1
    node.settle(world.now + 6 * SECOND)
    assert node.driver.held_back == 0
    assert (order.status, order.limit_price, order.is_pending) == ("ACCEPTED", 90.0, False)
    node.journal.commit()
    kept = Journal(node.crash()).state.orders[order.client_order_id]
    assert (kept.status, kept.unknown) == ("ACCEPTED", "")


def test_an_entry_that_waits_does_not_leave_once_only_reducing_is_allowed():
    world, node = begun()
    strategy = command(node, world.now)
    strategy.buy("SPY", 10)
    node.driver.core.inputs.settle()
    node.settle(world.now)
    node.run(6)
    assert strategy.position("SPY").quantity == 10
    posted = len(world.posted)
    now = world.now
    node.client.trade_updates.closed(now)
    entry = strategy.buy("SPY", 5)
    leaving = strategy.sell("SPY", 10)
    node.driver.core.inputs.settle()
    node.settle(now)
    assert node.driver.held_back == 2
    node.driver.operate("reduce", "anna", "slowly now")
    node.connect(now + 2 * SECOND)
    node.settle(now + 2 * SECOND)
    assert (entry.status, leaving.status) == ("REJECTED", "ACCEPTED")
    assert "REDUCING" in entry.reason
    assert len(world.posted) == posted + 1
    assert leaving.quantity_exact == Decimal(10)


def test_closing_leaves_though_the_cancel_of_what_protects_the_position_gets_lost():
    world, node = begun()
    strategy = command(node, world.now)
    strategy.buy("SPY", 10)
    node.driver.core.inputs.settle()
    node.settle(world.now)
    node.run(6)
    stop = strategy.sell("SPY", 10, stop_price=50)
    node.driver.core.inputs.settle()
    node.settle(world.now)
    assert stop.status == "ACCEPTED"
    now = world.now
    node.client.trade_updates.closed(now)
    # The cancel gets lost: both the stop and what closes are there for a while.
    node.on_request = lambda request, send: (
        Response(504, b"") if request.method == "DELETE" else send(request)
    )
    node.driver.operate("flatten", "anna", "home")
    node.settle(now)
    (closing,) = [o for o in node.kernel.cache.orders_open() if o is not stop]
    # The stop holds the shares until its cancel is confirmed; a way out does not wait for ever.
    assert closing.status == "INITIALIZED"
    node.run(6)
    assert node.driver.held_back == 0
    assert stop.status == "ACCEPTED"
    assert closing.status == "FILLED"


def test_an_id_that_an_answer_alone_has_shown_is_written_down():
    world, node = begun()
    strategy = command(node, world.now)
    order = strategy.buy("SPY", 10, limit_price=90)
    node.driver.core.inputs.settle()
    node.driver.turn(world.now)
    node.journal.commit()
    (request,) = node.driver.take_requests(world.now)
    shown = msgspec.json.decode(world.request(request).body)
    body = msgspec.json.encode({**shown, "status": "pending_new"})
    node.driver.take(world.now, node.client.receive_response(request, 200, body, world.now))
    node.driver.turn(world.now)
    # Nothing is known of the order but that the broker has it, and under which id.
    assert order.status == "SENT"
    node.journal.commit()
    kept = Journal(node.crash()).state.orders[order.client_order_id]
    assert kept.venue_order_id == shown["id"]


def test_flattening_what_is_halted_waits_for_news_and_ends_nothing():
    world, node = begun()
    strategy = command(node, world.now)
    strategy.buy("SPY", 10)
    node.driver.core.inputs.settle()
    node.settle(world.now)
    node.run(6)
    node.driver.operate("halt", "anna", "differs", symbol="SPY")
    node.driver.operate("flatten", "anna", "home")
    node.settle(world.now)
    denied = node.kernel.cache.order_count
    assert strategy.position("SPY").quantity == 10
    assert node.kernel.gate.state().name == "REDUCING"
    # Denied when it was asked for, and not again and again at one instant.
    assert denied <= 3
