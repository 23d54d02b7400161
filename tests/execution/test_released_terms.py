"""An order that is released carries no trigger, whatever was told of it at the same instant."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import Limits, gate_for
from pyrt.venues.capabilities import Capabilities
from tests.backtest.depths import SYMBOL, play, quotes

BARE = Capabilities(order_types={"market", "limit"}, groups=())


@pytest.mark.parametrize("terms", [{"trail_amount": 2}, {"trail_amount": 2, "limit_price": 110}])
def test_a_trail_that_moves_and_is_met_at_one_instant(terms: dict[str, Any]) -> None:
    rows = quotes(
        (0, 99, 5, 100, 5), (1, 98, 5, 99, 5),
        # Down, which moves the trigger to 98, and up beyond it, in one millisecond.
        (2, 95, 5, 96, 5), (2, 98, 50, 99, 50),
        (3, 98, 50, 99, 50),
    )  # fmt: skip
    run = play({"quotes": rows}, {0.5: lambda s: s.buy(SYMBOL, 3, **terms)}, emulate=BARE)
    (order,) = run.strategies[0].made  # type: ignore[attr-defined]
    kinds = [kind for _, kind in run.happened]
    assert kinds.index("modified") < kinds.index("released")
    assert order.stop_price is None
    assert run.filled == [(3, 3, 99)]


def test_alpaca_takes_a_trailing_stop_limit_that_was_met() -> None:
    """Alpaca refuses a limit order that has a stop price."""
    rows = quotes((0, 99, 5, 100, 5), (2, 95, 5, 96, 5), (2, 98, 50, 99, 50), (3, 98, 50, 99, 50))
    run = play(
        {"quotes": rows},
        {0.5: lambda s: s.buy(SYMBOL, 3, trail_amount=2, limit_price=110)},
        venue_name="alpaca",
    )
    assert run.statuses == ["FILLED"]


def test_what_is_released_takes_its_buying_power_once() -> None:
    """60 at about 100 are 6,000 of the 10,000: enough for them once, and not twice."""
    rows = quotes((0, 99, 500, 100, 500), (2, 101, 500, 102, 500), (3, 101, 500, 102, 500))
    run = play(
        {"quotes": rows},
        {0.5: lambda s: s.buy(SYMBOL, 60, stop_price=101)},
        emulate=BARE,
        cash=10_000,
        engine={"gate": gate_for(Limits(require_buying_power=True))},
    )
    assert run.statuses == ["FILLED"]
    assert run.kernel.gate.claims.power_taken() == 0
