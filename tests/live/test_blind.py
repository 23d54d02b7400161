"""Looks that fail: told of, tried again less and less often, and nothing new leaves meanwhile."""

from __future__ import annotations

import pytest

from pyrt import Strategy
from pyrt.adapters.alpaca.core.events import NoLookEvent, UnseenEvent
from pyrt.adapters.alpaca.simulator.protocol.http import Response
from pyrt.live.driver.reconciliation import BLIND_AFTER, FAILED_NS
from pyrt.live.plan import MINUTE
from pyrt.testing.files import MemoryFiles
from tests.live.test_walking_skeleton import bars
from tests.live.whole import SECOND, Node, World

PRICES = bars([100.0, 101.0, 102.0, 103.0, 104.0, 105.0, 106.0])


class Quiet(Strategy):
    """Does what a test asks of it."""

    def on_start(self):
        self.subscribe_bars("SPY", "1m")


@pytest.fixture
def node() -> Node:
    made = Node(World([PRICES]), MemoryFiles(), [Quiet()], run_id="one")
    made.start()
    made.run(3)
    return made


def act(node, what):
    """Let the strategy do something; return the bodies of orders that left."""
    before = len(node.world.posted)
    order = what(node.kernel.strategies[0])
    node.driver.core.inputs.settle()
    node.settle(node.world.now)
    return order, node.world.posted[before:]


def codes(node):
    return [code for code, _ in node.alarms]


def test_looks_that_fail_come_less_and_less_often_and_each_is_told(node):
    now, waits = node.world.now, []
    for _ in range(6):
        node.driver.take(now, [NoLookEvent(now, "snapshot:all: HTTP 500")])
        waits.append(node.driver.look_at - now)
        now = node.driver.look_at
    assert waits == [FAILED_NS, 2 * FAILED_NS, 4 * FAILED_NS, 8 * FAILED_NS, MINUTE, MINUTE]
    assert codes(node).count("look_failed") == 6
    assert codes(node).count("blind") == 1


def test_a_blind_node_lets_exits_leave_and_nothing_that_could_raise_exposure(node):
    _, sent = act(node, lambda s: s.buy("SPY", 10))
    assert len(sent) == 1
    node.run(6)
    assert node.kernel.strategies[0].position("SPY").quantity == 10
    now = node.world.now
    for _ in range(BLIND_AFTER):
        node.driver.take(now, [NoLookEvent(now, "snapshot:all: HTTP 500")])
    entry, sent = act(node, lambda s: s.buy("SPY", 1))
    assert sent == []
    assert "cannot be looked at" in entry.reason
    _, sent = act(node, lambda s: s.sell("SPY", 10, stop_price=50))
    assert len(sent) == 1
    # One look that goes through ends it.
    node.driver.look(now)
    node.settle(now)
    _, sent = act(node, lambda s: s.buy("SPY", 1))
    assert len(sent) == 1


def test_while_the_bars_of_a_gap_do_not_come_exits_leave_and_no_entry_does(node):
    def no_history(request, send):
        return Response(503, b"") if request.host == "data" else send(request)

    _, sent = act(node, lambda s: s.buy("SPY", 10))
    assert len(sent) == 1
    node.run(6)
    stream, now = node.client.market_data, node.world.now
    node.on_request = no_history
    node.client.past.fill_gap("SPY", stream.stitcher.last_open("SPY"), now)
    for second in range(15):
        node.driver.turn(now + second * SECOND)
        node.settle(now + second * SECOND)
    assert codes(node).count("stale_bars") == 1
    entry, sent = act(node, lambda s: s.buy("SPY", 1))
    assert sent == []
    assert "SPY is stale" in entry.reason
    _, sent = act(node, lambda s: s.sell("SPY", 10, stop_price=50))
    assert len(sent) == 1
    # The history comes: nobody has to resume anything.
    node.on_request = None
    node.settle(now + 60 * SECOND)
    assert codes(node).count("bars_resumed") == 1
    _, sent = act(node, lambda s: s.buy("SPY", 1))
    assert len(sent) == 1


def test_a_broker_that_answers_no_look_is_asked_again_by_the_node_itself(node):
    def broken(request, send):
        down = request.purpose.startswith("snapshot:")
        return Response(500, b"") if down else send(request)

    node.on_request = broken
    now = node.world.now
    node.driver.look(now)
    for second in range(60):
        node.settle(now + second * SECOND)
    assert codes(node).count("look_failed") >= 3
    node.on_request = None
    later = node.driver.look_at
    node.settle(later)
    assert node.driver.last_look.ts == later


def test_a_symbol_whose_order_cannot_be_seen_is_halted(node):
    def silent(request, send):
        is_order = request.purpose in ("submit", "read_back")
        return Response(504, b"") if is_order else send(request)

    node.on_request = silent
    order, _ = act(node, lambda s: s.buy("SPY", 1))
    assert order.is_unknown
    for second in range(200):
        node.settle(node.world.now + second * SECOND)
    assert "read_back_failed" in codes(node)
    assert codes(node).count("unseen_order") == 1
    assert node.kernel.gate.state(symbol="SPY").name == "HALTED"
    assert order.is_unknown


def test_news_of_an_order_that_has_ended_halts_nothing(node):
    order, _ = act(node, lambda s: s.buy("SPY", 1))
    node.run(6)
    assert order.status == "FILLED"
    node.driver.take(node.world.now, [UnseenEvent(order.number, node.world.now, "late")])
    assert node.kernel.gate.state(symbol="SPY").name != "HALTED"


def test_a_look_from_before_a_reconnect_does_not_stand_for_what_the_stream_has_missed(node):
    waiting, answer = [], node.answer

    def slow(request, ts):
        if request.purpose.startswith("snapshot:"):
            waiting.append(request)
        else:
            answer(request, ts)

    node.answer = slow
    now = node.world.now
    node.driver.look(now)
    node.settle(now)
    node.client.trade_updates.closed(now)
    node.driver.turn(now)
    later = now + 30 * SECOND
    node.connect(later)
    node.driver.turn(later)
    assert "merged" in node.driver.orders_wait_for
    # The look that was under way comes to its end: it began before the stream came back.
    while waiting and "merged" in node.driver.orders_wait_for:
        began = waiting[0].purpose == "snapshot:clock" and node.driver.last_look.ts == later
        answer(waiting.pop(0), later)
        node.settle(later)
        if began:
            break
    assert "merged" in node.driver.orders_wait_for
    node.answer = answer
    for request in waiting:
        answer(request, later)
    node.settle(later)
    assert node.driver.orders_wait_for == ""
