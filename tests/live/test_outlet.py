"""What leaves the kernel reaches the client once, in the words of a ticket."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt import Strategy
from pyrt.live.core.node import NodeCore
from pyrt.risk.gate import BasicGate
from tests.live.cores import COIN, NOW, SECOND, Wire, core_of, trade


class Idle(Strategy):
    """Does what the test does for it."""


@pytest.fixture
def made() -> tuple[NodeCore, Wire, Any]:
    core, wire = core_of(BasicGate(), [Idle()])
    trade(core, 0, "buy", "SPY", 10, 100)
    wire.take()
    return core, wire, core.kernel.strategies[0]


def left(core: NodeCore, wire: Wire) -> list[tuple[Any, ...]]:
    core.inputs.settle()
    return wire.take()


def test_a_pair_leaves_as_one_request_and_an_entry_with_its_exits_too(made):
    core, wire, strategy = made
    strategy.oco("SPY", 10, take_profit=120, stop_loss=90)
    pair = [order.number for order in core.kernel.cache.orders_open()]
    assert left(core, wire) == [("submit", pair[0])]
    assert len(pair) == 2
    strategy.buy("QQQ", 1, limit_price=50, take_profit=60, stop_loss=40)
    (entry, *exits) = [o.number for o in core.kernel.cache.orders_open() if o.symbol == "QQQ"]
    assert len(exits) == 2
    assert left(core, wire) == [("submit", entry)]


@pytest.mark.parametrize(
    ("symbol", "terms", "changes", "told"),
    [
        ("SPY", {}, {"quantity": 7}, {"quantity": "7"}),
        ("SPY", {}, {"limit_price": "99.25"}, {"limit_price": "99.25"}),
        (
            "SPY", {"stop_price": 110}, {"quantity": 2, "stop_price": 111.5, "limit_price": 112},
            {"quantity": "2", "stop_price": "111.5", "limit_price": "112"},
        ),
        (COIN, {}, {"quantity": "0.000000001"}, {"quantity": "0.000000001"}),
    ],
)  # fmt: skip
def test_a_change_names_what_changes_and_nothing_else(made, symbol, terms, changes, told):
    core, wire, strategy = made
    order = strategy.buy(symbol, 3, limit_price=120 if terms else 80, **terms)
    core.inputs.settle()
    core.inputs.order_event("accepted", order.number, NOW)
    assert left(core, wire) == [("submit", order.number)]
    strategy.modify(order, **changes)
    ((what, number, found),) = left(core, wire)
    assert (what, number) == ("change", order.number)
    assert {name: Decimal(text) for name, text in found.items()} == {
        name: Decimal(text) for name, text in told.items()
    }
    assert all("E" not in text and "." not in text[-1] for text in found.values())


def test_a_trail_is_changed_by_its_name(made):
    core, wire, strategy = made
    order = strategy.sell("SPY", 3, trail_amount="2.5")
    core.inputs.settle()
    core.inputs.order_event("accepted", order.number, NOW)
    wire.take()
    strategy.modify(order, trail_amount="3.25")
    ((_, _, found),) = left(core, wire)
    assert {name: Decimal(text) for name, text in found.items()} == {"trail": Decimal("3.25")}


def test_a_cancel_leaves_once_and_another_client_hears_what_follows(made):
    core, wire, strategy = made
    order = strategy.buy("SPY", 3, limit_price=80)
    core.inputs.settle()
    core.inputs.order_event("accepted", order.number, NOW)
    wire.take()
    strategy.cancel(order)
    strategy.cancel(order)
    assert left(core, wire) == [("withdraw", order.number)]
    other = Wire()
    core.speak_to(other)
    second = strategy.buy("SPY", 1, limit_price=80)
    strategy.subscribe_quotes("QQQ")
    assert left(core, wire) == []
    assert other.take() == [("subscribe", "quotes", "QQQ"), ("submit", second.number)]


def test_time_that_passes_sends_nothing_again(made):
    core, wire, strategy = made
    strategy.buy("SPY", 3, limit_price=80)
    assert len(left(core, wire)) == 1
    for seconds in range(1, 4):
        core.take(NOW + seconds * SECOND, [])
        core.fire_timers()
    assert left(core, wire) == []
