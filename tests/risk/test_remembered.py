"""What a gate remembers: sizes of its own orders, and changes of an earlier run."""

from __future__ import annotations

from statistics import median

import numpy as np
import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.risk.windows import SizeHistory
from pyrt.testing.gates import GateRig


@pytest.mark.parametrize("capacity", [1, 2, 5, 8])
def test_the_median_is_that_of_the_last_sizes(capacity: int) -> None:
    sizes = np.random.default_rng(7).integers(1, 6, 300).astype(float).tolist()
    sizes += [9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 3.0, 9.0, 9.0, 1.0]
    window = SizeHistory(capacity)
    for end, size in enumerate(sizes, 1):
        assert window.push(size) == median(sizes[max(0, end - capacity) : end])


@pytest.mark.parametrize(("more", "status"), [(10, "SENT"), (11, "DENIED")])
def test_a_change_of_an_earlier_run_counts_with_what_it_asked_for(more: int, status: str) -> None:
    rig = GateRig(RiskEngine(Limits(max_position_quantity=40)), prices=100)
    order = rig.order("buy", 10, limit_price=50)
    rig.answer("accept", order)
    rig.gate.expect_change(order, 1, "30", "", "")
    assert rig.order("buy", more, limit_price=50).status == status


def test_a_gate_that_was_given_nothing_knows_of_no_sessions() -> None:
    assert RiskEngine(Limits(max_order_quantity=1)).session_closes() is None
