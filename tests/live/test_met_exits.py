"""Exits that are kept here and met while orders have to wait: nobody asks for them again."""

from __future__ import annotations

from types import SimpleNamespace as Stub
from typing import Any

import pytest

from pyrt.live.driver.driver import Driver
from pyrt.live.plan import SECOND, Policies
from pyrt.testing.files import MemoryFiles
from tests.live.looks import Quiet, sent
from tests.live.test_walking_skeleton import bars
from tests.live.whole import Node, World

PRICES = [100.0] * 8 + [112.0] * 20
AGE = 5 * SECOND
TRIGGER = 110.0


def holding() -> Node:
    """Return a node that holds ten, with the prices on their way to the trigger."""
    made = Node(
        World([bars(PRICES)]), MemoryFiles(), [Quiet()], run_id="one",
        policies=Policies(looks=1, warmup=0, order_age_ns=AGE),
    )  # fmt: skip
    made.start()
    made.run(3)
    sent(made)
    made.run(6)
    made.settle(made.world.now)
    assert made.kernel.strategies[0].position("SPY").quantity == 10
    return made


def met(made: Node, kept: Any) -> int:
    """Let prices come to a kept order while the stream of order news is down; return when."""
    assert kept.status == "EMULATED"
    made.client.trade_updates.closed(made.world.now)
    while kept.status == "EMULATED":
        made.run(1)
    return made.world.now


def wait(made: Node, since: int, seconds: int) -> int:
    """Let time pass without the stream; requests are answered. Return the time after it."""
    for second in range(1, seconds + 1):
        made.settle(since + second * SECOND)
    return since + seconds * SECOND


def kept_order(made: Node, side: str) -> Any:
    order = getattr(made.kernel.strategies[0], side)("SPY", 10, trigger_price=TRIGGER)
    made.driver.core.inputs.settle()
    made.settle(made.world.now)
    return order


def broken(request, answer):
    """Let no look at the account come to an end."""
    return None if request.purpose.startswith("snapshot") else answer(request)


def test_a_kept_exit_that_is_met_leaves_after_a_look_though_the_stream_is_down():
    made = holding()
    order = kept_order(made, "sell")
    assert order.is_exit
    met(made, order)
    assert order.status == "ACCEPTED"
    assert not made.client.trade_updates.is_active


def test_without_a_look_it_waits_for_the_stream_for_as_long_as_it_takes():
    made = holding()
    order = kept_order(made, "sell")
    made.on_request = broken
    now = wait(made, met(made, order), 12)
    assert order.status == "SENT"
    assert made.driver.held_back == 1
    # What waits without an end does not keep the loop going round.
    assert made.driver._gateway.next_due() is None
    made.on_request = None
    made.client.snapshots.is_busy = False
    made.connect(now)
    made.settle(now)
    assert order.status == "ACCEPTED"


def test_a_kept_entry_that_is_met_becomes_too_old_as_any_other():
    made = Node(
        World([bars([100.0] * 3 + [90.0] * 20)]), MemoryFiles(), [Quiet()], run_id="one",
        policies=Policies(looks=1, warmup=0, order_age_ns=AGE),
    )  # fmt: skip
    made.start()
    made.run(3)
    order = made.kernel.strategies[0].buy("SPY", 10, trigger_price=95.0)
    made.driver.core.inputs.settle()
    wait(made, met(made, order), 8)
    assert order.status == "REJECTED"
    assert "the stream of order news is down" in order.reason


@pytest.mark.parametrize("kind", ["close", "limit"])
def test_other_ways_out_are_asked_for_again_by_whoever_wants_them(kind):
    made = holding()
    made.client.trade_updates.closed(made.world.now)
    strategy = made.kernel.strategies[0]
    order = strategy.close("SPY") if kind == "close" else strategy.sell("SPY", 10, limit_price=90)
    made.driver.core.inputs.settle()
    wait(made, made.world.now, 8)
    assert order.status == "REJECTED"
    driver: Driver = made.driver
    assert not driver.scribe.is_met_exit(order.number)


def too_many(request, answer):
    """Let another program have used up what the broker grants for orders."""
    if request.method != "POST":
        return answer(request)
    return Stub(status=429, body=b'{"message":"too many requests."}')


def test_a_met_exit_is_asked_for_until_a_busy_broker_takes_it():
    made = holding()
    order = kept_order(made, "sell")
    made.on_request = too_many
    while order.status == "EMULATED":
        made.run(1)
    now = wait(made, made.world.now, 40)
    assert order.status == "SENT"
    made.on_request = None
    wait(made, now, 60)
    assert order.status == "ACCEPTED"
    assert made.alarms == []


def test_what_is_known_of_a_met_exit_is_forgotten_with_it():
    made = holding()
    order = kept_order(made, "sell")
    met(made, order)
    assert made.driver.scribe.is_met_exit(order.number)
    made.driver.scribe.forget(order.number)
    assert not made.driver.scribe.is_met_exit(order.number)
