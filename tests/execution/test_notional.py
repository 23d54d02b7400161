"""An order by notional, from its estimate to the quantity that the venue says it came to."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, play

FLAT = (100, 100, 100, 100)
BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)


def test_its_estimate_works_until_the_venue_says_what_it_comes_to():
    rig = GateRig(RiskEngine(Limits()), prices=100)
    position = rig.kernel.strategies[0].position("AAA")
    order = rig.order("buy", notional=250)
    assert (order.quantity, position.working_quantity) == (0, 2.5)
    rig.answer("accept", order)
    assert position.working_quantity == 2.5
    rig.answer("modified", order, quantity=2)
    assert (order.quantity, position.working_quantity) == (2, 2)


def test_it_is_filled_when_it_came_to_no_more_than_its_last_fill():
    rig = GateRig(RiskEngine(Limits()), prices=100)
    position = rig.kernel.strategies[0].position("AAA")
    order = rig.order("buy", notional=250)
    rig.answer("accept", order)
    rig.answer("modified", order, quantity=2.5)
    rig.fill(order, 2)
    assert (order.status, position.working_quantity) == ("PARTIALLY_FILLED", 0.5)
    rig.answer("modified", order, quantity=2)
    assert (order.status, position.working_quantity, position.quantity) == ("FILLED", 0, 2)


# -- exits of an order by value ------------------------------------------------------------------


@pytest.mark.parametrize("emulate", ["missing", BARE])
@pytest.mark.parametrize(("bar", "fill"), [((100, 111, 100, 111), 110), ((90, 90, 90, 90), 90)])
def test_the_exits_of_an_order_by_value_leave_what_it_bought(
    emulate: Any, bar: Any, fill: float
) -> None:
    """At the venue they stood there for nothing, and never left."""
    run = play(
        [FLAT, FLAT, bar, (fill, fill, fill, fill), FLAT],
        {0: lambda s: s.buy(SYMBOL, notional=1000, take_profit=110, stop_loss=90)},
        emulate=emulate,
    )
    assert [(quantity, price) for _, quantity, price in run.fills] == [(10, 100), (-10, fill)]


def test_an_exit_that_was_canceled_before_the_value_was_known_stays_so() -> None:
    def step(strategy: Any) -> Any:
        order = strategy.buy(SYMBOL, notional=1000, stop_loss=90)
        strategy.cancel(order.stop_loss)
        return order

    run = play([FLAT, FLAT, (80, 80, 80, 80), FLAT], {0: step})
    assert run.statuses == ["FILLED", "CANCELED"]


def test_without_a_price_nobody_knows_what_it_comes_to() -> None:
    rig = GateRig(RiskEngine(), prices=None)
    order = rig.order("buy", notional=250)
    assert order.status == "SENT"
    assert rig.kernel.strategies[0].position("AAA").working_quantity == 0
