"""An order by notional, from its estimate to the quantity that the venue says it came to."""

from __future__ import annotations

from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig


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
