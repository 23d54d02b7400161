"""Orders that an outage of the broker's keeps from leaving: none leaves minutes later."""

from __future__ import annotations

from types import SimpleNamespace as Answer
from typing import Any

import pytest

from pyrt.live.journal import records as r
from pyrt.live.plan import SECOND
from tests.live.looks import begun, sent, told, written
from tests.live.whole import Node

AGE = 5 * SECOND
FAILURES = 5
"""In a row, after which no order leaves."""


def failing(request: Any, answer: Any) -> Any:
    return Answer(status=503, body=b"")


def outage(node: Node) -> None:
    """Let the broker fail until orders are kept back."""
    node.on_request = failing
    for _ in range(FAILURES):
        node.client.queue.breaker.failed()


def guarded() -> tuple[Node, Any, Any]:
    """A node that holds ten, its strategy, and the stop at the broker that guards them."""
    node = begun(order_age_ns=AGE)
    sent(node)
    node.run(6)
    node.settle(node.world.now)
    strategy = node.kernel.strategies[0]
    stop = strategy.sell("SPY", 10, stop_price=90, reduce_only=True)
    node.driver.core.inputs.settle()
    node.settle(node.world.now)
    return node, strategy, stop


def wait(node: Node, seconds: int) -> None:
    for second in range(1, seconds + 1):
        node.settle(node.world.now + second * SECOND)


def test_an_entry_is_dropped_in_time_and_told_as_rejected():
    node = begun(order_age_ns=AGE)
    outage(node)
    order = sent(node)
    wait(node, 4)
    assert order.status == "SENT"
    wait(node, 6)
    assert order.status == "REJECTED"
    assert "the broker does not answer" in order.reason
    (record,) = written(node, r.NotSent)
    assert record.client_order_id == order.client_order_id
    assert len(told(node, "not_sent")) == 1
    node.on_request = None
    wait(node, 30)
    assert node.world.posted == []
    assert node.client.queue.outstanding == 0


def test_a_way_out_leaves_when_the_broker_is_back():
    node = begun(order_age_ns=AGE)
    sent(node)
    node.run(6)
    node.settle(node.world.now)
    strategy = node.kernel.strategies[0]
    assert strategy.position("SPY").quantity == 10
    outage(node)
    order = strategy.close("SPY")
    node.driver.core.inputs.settle()
    wait(node, 30)
    assert order.status == "SENT"
    node.on_request = None
    wait(node, 40)
    assert order.status == "ACCEPTED"


def test_a_change_that_could_not_leave_is_refused_and_the_order_stays():
    node = begun(order_age_ns=AGE)
    order = sent(node, limit_price=50)
    outage(node)
    node.kernel.strategies[0].modify(order, limit_price=51)
    node.driver.core.inputs.settle()
    wait(node, 8)
    assert order.status == "ACCEPTED"
    assert order.limit_price == pytest.approx(50)
    assert told(node, "not_sent")
    assert not order.is_pending


def test_an_exit_gives_up_what_it_cannot_sell_though_the_broker_is_busy():
    """Asked again, the change was dropped: a stop for ten stayed where six were held."""
    node, strategy, stop = guarded()
    changes: list[Any] = []

    def busy(request: Any, answer: Any) -> Any:
        if request.purpose != "replace":
            return answer(request)
        changes.append(request)
        return Answer(status=429, body=b"{}") if len(changes) == 1 else answer(request)

    node.on_request = busy
    strategy.sell("SPY", 4)
    node.driver.core.inputs.settle()
    node.run(6)
    wait(node, 10)
    assert strategy.position("SPY").quantity == 6
    assert (stop.status, stop.quantity) == ("ACCEPTED", 6)
    assert [change.attempt for change in changes] == [1, 2]
    assert told(node, "not_sent") == []


def test_an_exit_gives_up_what_it_cannot_sell_though_the_account_is_not_seen():
    """As it stood it could turn the position, so the change that mended that was barred."""
    node, strategy, stop = guarded()
    strategy.sell("SPY", 4)
    node.driver.core.inputs.settle()
    node.settle(node.world.now)
    node.on_request = lambda request, answer: (
        None if request.purpose.startswith("snapshot") else answer(request)
    )
    node.driver._departure.is_blind = True
    node.run(6)
    node.settle(node.world.now)
    assert node.driver._departure.is_blind
    assert strategy.position("SPY").quantity == 6
    assert (stop.status, stop.quantity) == ("ACCEPTED", 6)


def swallowed(node: Node, seconds: int) -> Any:
    """Let a close leave into an outage: nothing of it arrives. Return it."""
    sent(node)
    node.run(6)
    node.settle(node.world.now)
    node.world.posted.clear()
    node.on_request = lambda request, answer: Answer(status=0, body=b"")
    order = node.kernel.strategies[0].close("SPY")
    node.driver.core.inputs.settle()
    wait(node, seconds)
    assert (order.status, order.is_unknown) == ("SENT", True)
    return order


@pytest.mark.parametrize("seconds", [5, 15, 60])
def test_a_close_that_an_outage_has_swallowed_is_sent_again_however_long_it_was(seconds):
    node = begun(order_age_ns=AGE)
    order = swallowed(node, seconds)
    node.on_request = None
    wait(node, seconds + 60)
    assert order.status == "ACCEPTED"
    assert len(node.world.posted) == 1


def test_it_is_not_once_there_is_nothing_to_leave_and_stays_in_doubt():
    node = begun(order_age_ns=AGE)
    order = swallowed(node, 15)
    node.driver._departure.reduces = lambda number: False
    node.driver._gateway._reduces = node.driver._departure.reduces
    node.on_request = None
    wait(node, 120)
    assert (order.status, order.is_unknown) == ("SENT", True)
    assert node.world.posted == []
    assert any("has been left meanwhile" in text for text in told(node, "not_sent"))


def test_nor_while_a_person_has_halted_everything():
    node = begun(order_age_ns=AGE)
    order = swallowed(node, 15)
    node.driver.operate("halt", "anna", "prices look odd")
    node.on_request = None
    wait(node, 120)
    assert order.is_unknown
    assert node.world.posted == []


def test_that_it_may_not_leave_is_told_once_for_each_reason():
    """An outage of two minutes halts the symbol: somebody was told twice a minute for the day."""
    node = begun(order_age_ns=AGE)
    order = swallowed(node, 150)
    node.on_request = None
    since = node.world.now
    for second in range(151, 900):
        node.settle(since + second * SECOND)
    assert told(node, "not_sent") == ["an order did not leave: SPY is HALTED"]
    node.driver.operate("halt", "anna", "as long as it takes", strategy="Quiet")
    node.driver.operate("resume", "anna", "looked", symbol="SPY")
    for second in range(900, 1000):
        node.settle(since + second * SECOND)
    assert told(node, "not_sent")[1:] == ["an order did not leave: Quiet is HALTED"]
    assert order.is_unknown
    node.driver.operate("resume", "anna", "looked", strategy="Quiet")
    for second in range(1000, 1100):
        node.settle(since + second * SECOND)
    assert order.status == "ACCEPTED"
    assert len(node.world.posted) == 1
