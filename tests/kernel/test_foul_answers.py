"""What a venue says of an order against the table of transitions is refused and changes nothing."""

from __future__ import annotations

import pytest

from pyrt.errors import InvalidTransition
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig


def test_an_order_that_has_filled_in_part_cannot_be_rejected() -> None:
    rig = GateRig(RiskEngine(Limits()), prices=100)
    order = rig.order("buy", 10)
    rig.answer("accept", order)
    rig.fill(order, 4)
    with pytest.raises(InvalidTransition, match="is PARTIALLY_FILLED and cannot take 'rejected'"):
        rig.answer("reject", order)
    assert (order.status, order.filled_quantity, order.is_open) == ("PARTIALLY_FILLED", 4, True)
    rig.fill(order, 6)
    assert order.status == "FILLED"
