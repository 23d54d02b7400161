"""A fill that comes after the cancel is booked, and leaves no order working."""

from __future__ import annotations

import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code


def test_a_late_fill_leaves_nothing_working() -> None:
    rig = GateRig(RiskEngine(), prices=100)
    order = rig.order("buy", 10)
    rig.answer("cancel", order)
    rig.fill(order)
    position = rig.kernel.strategies[0].position("AAA")
    assert (position.quantity, position.working_quantity) == (10.0, 0.0)
    rig.hold(-10)
    assert position.is_flat


@pytest.mark.parametrize(("filled", "reason"), [(0, ""), (1, "max_open_positions")])
def test_a_late_fill_opens_a_position_for_the_limits_too(filled: float, reason: str) -> None:
    rig = GateRig(RiskEngine(Limits(max_open_positions=1)), symbols=("AAA", "BBB"), prices=100)
    order = rig.order("buy", 10)
    rig.answer("cancel", order)
    assert rig.gate.claims.open_symbols == 0
    if filled:
        rig.fill(order, filled)
    assert rig.gate.claims.open_symbols == filled
    assert code(rig.order("buy", 1, "BBB")) == reason


def test_a_late_fill_is_set_off_against_what_works_on_the_other_side() -> None:
    """A sale of 10 at 100 makes the worst case 1,000; with 5 held it is 500, either way."""
    rig = GateRig(
        RiskEngine(Limits(max_gross_exposure=5_000)), symbols=("AAA", "BBB"), prices=100,
        account="margin",
    )  # fmt: skip
    late = rig.order("buy", 5)
    rig.answer("cancel", late)
    rig.order("sell", 10, limit_price=100)
    assert rig.gate.claims.totals() == (1_000, 0, 1_000)
    rig.fill(late)
    assert rig.gate.claims.totals() == (500, 0, 1_000)
    assert code(rig.order("buy", 45.01, "BBB", limit_price=100)) == "max_gross_exposure"
    assert code(rig.order("buy", 45, "BBB", limit_price=100)) == ""
