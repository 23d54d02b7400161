"""Exits that are kept on our side: no limit keeps them from leaving what their entry opened."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import Limits, gate_for
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, Run, play

FLAT = (100, 100, 100, 100)
BARE = Capabilities(
    order_types={"market", "limit"}, groups=(), times_in_force={"day", "gtc"}, instructions=()
)
UP, DOWN = (100, 112, 100, 111), (100, 100, 88, 89)
ENOUGH = [
    {"max_position_quantity": 10}, {"max_position_notional": 1_000}, {"max_gross_exposure": 1_000},
    {"max_net_exposure": 1_000}, {"max_daily_orders": 1}, {"max_daily_quantity": 10},
    {"max_daily_notional": 1_000},
]  # fmt: skip


def run(side: str, bars: list[Any], **limits: Any) -> Run:
    """Enter with 10 at 100, exits at 90 and 110; the limits are enough for the entry alone."""
    take, stop = (110, 90) if side == "buy" else (90, 110)
    return play(
        [FLAT, FLAT, *bars, FLAT],
        {0: lambda s: getattr(s, side)(SYMBOL, 10, take_profit=take, stop_loss=stop)},
        emulate=BARE, account="margin", engine={"gate": gate_for(Limits(**limits))},
    )  # fmt: skip


@pytest.mark.parametrize("limits", ENOUGH, ids=lambda each: next(iter(each)))
@pytest.mark.parametrize(
    ("side", "sign", "bar", "price"),
    [("buy", 1, UP, 110), ("buy", 1, DOWN, 88), ("sell", -1, DOWN, 90), ("sell", -1, UP, 112)],
)
def test_exits_of_an_entry_leave_within_what_the_entry_was_let_go_for(
    side: str, sign: int, bar: Any, price: float, limits: dict[str, Any]
) -> None:
    after = [(price,) * 4] if price in (88, 112) else []
    made = run(side, [bar, *after], **limits)
    assert made.fills == [(1, 10 * sign, 100), (3, -10 * sign, price)]
    assert sorted(made.statuses) == ["CANCELED", "FILLED", "FILLED"]
    assert made.kernel.gate.claims.worst_case(0) == (0, 0, 0)
    assert made.kernel.gate.claims.totals() == (0, 0, 0)


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_exits_that_wait_count_no_other_position_than_the_one_they_leave(side: str) -> None:
    made = run(side, [FLAT], max_position_quantity=10)
    claims = made.kernel.gate.claims
    held, buys, sells = claims.worst_case(0)
    assert held == (10 if side == "buy" else -10) * 10**9
    # Both are counted where one is kept here.
    assert (buys, sells) == ((0, 20 * 10**9) if side == "buy" else (20 * 10**9, 0))
