"""A fill that comes after the cancel is booked, and leaves no order working."""

from __future__ import annotations

from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig


def test_a_late_fill_leaves_nothing_working():
    rig = GateRig(RiskEngine(), prices=100)
    order = rig.order("buy", 10)
    rig.answer("cancel", order)
    rig.fill(order)
    position = rig.kernel.strategies[0].position("AAA")
    assert (position.quantity, position.working_quantity) == (10.0, 0.0)
    rig.hold(-10)
    assert position.is_flat
