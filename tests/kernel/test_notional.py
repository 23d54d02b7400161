"""Orders by notional where the last price is none that anybody could trade at."""

from __future__ import annotations

import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig


@pytest.mark.parametrize("price", [1e-9, 1e-6, 9e9])
def test_a_wrong_price_breaks_no_handler_off(price: float) -> None:
    """Units at a billionth of a dollar left 64 bits; the order stayed, never sent and open."""
    made = GateRig(RiskEngine(Limits(max_order_quantity=100)), symbols=("AAA",), prices=price)
    order = made.order("buy", notional=700)
    assert order.status == ("SENT" if price > 1 else "DENIED")
    assert made.kernel.cache.orders_open() == ([order] if price > 1 else [])


def test_an_order_counts_at_the_price_there_is() -> None:
    made = GateRig(RiskEngine(), symbols=("AAA",), prices=100)
    made.order("buy", notional=700)
    assert made.kernel.strategies[0].position("AAA").working_quantity == 7
