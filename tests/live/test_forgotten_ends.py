"""Orders that ended so long ago that the journal has dropped them are no lost intents."""

from __future__ import annotations

import pytest

from pyrt.live.journal import state as known
from pyrt.live.plan import MINUTE, Policies
from pyrt.testing.files import MemoryFiles
from tests.live.looks import Quiet, sent, told
from tests.live.test_walking_skeleton import bars
from tests.live.whole import PHASES, Node, World

KEPT = 20


def busy(monkeypatch: pytest.MonkeyPatch, orders: int) -> Node:
    """Return a node with an order that rests, and others, one a minute, that ended after it."""
    monkeypatch.setattr(known, "CLOSED_MAX", KEPT)
    world = World([bars([100.0] * (orders + 10))])
    made = Node(
        world, MemoryFiles(), [Quiet()], run_id="one", policies=Policies(looks=1, warmup=0)
    )  # fmt: skip
    made.start()
    made.run(PHASES)
    sent(made, 1, limit_price=50)
    for _ in range(orders):
        made.run(PHASES)
        order = sent(made, 1, limit_price=51)
        made.kernel.strategies[0].cancel(order)
        made.driver.core.inputs.settle()
        made.settle(made.world.now)
        assert order.status == "CANCELED"
    return made


@pytest.mark.parametrize("orders", [KEPT - 1, KEPT, KEPT + 10])
def test_more_orders_than_the_journal_keeps_halt_nothing(monkeypatch, orders):
    made = busy(monkeypatch, orders)
    assert len(made.journal.state.closed) == min(orders, KEPT)
    made.driver.look(made.world.now)
    made.settle(made.world.now)
    assert told(made, "lost_intent") == []
    assert made.driver.gate.state(symbol="SPY").name == "ACTIVE"


def test_looks_go_back_to_the_oldest_end_that_is_known_and_never_to_all(monkeypatch):
    made, asked = busy(monkeypatch, KEPT + 10), []
    monkeypatch.setattr(made.client, "look", lambda age, after: asked.append(age) or True)
    since, now = made.journal.state.closed_since, made.world.now
    assert since == next(iter(made.journal.state.closed.values())).ts
    for later in (0, 10 * MINUTE):
        made.driver.look(since + later)
    # An age of 0 would list all there are.
    assert asked == [MINUTE, 9 * MINUTE]
    monkeypatch.setattr(known, "CLOSED_MAX", KEPT + 1)
    assert made.journal.state.closed_since == 0
    made.driver.look(now)
    assert asked[2] > 24 * 60 * MINUTE
