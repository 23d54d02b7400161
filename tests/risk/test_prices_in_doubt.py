"""Prices that jump: what one does before others confirm it, and what it does not."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code


def rig(**limits: Any) -> GateRig:
    return GateRig(
        RiskEngine(Limits(**limits)), cash=1_000_000, symbols=("AAA", "BBB"), prices=100,
        account="margin",
    )  # fmt: skip


@pytest.mark.parametrize("units", [10, -10])
def test_a_stop_waits_until_the_price_it_is_met_at_is_believed(units: int) -> None:
    made = rig(max_tick_jump_bps=100, max_position_loss=100)
    made.hold(units)
    met = 80 if units > 0 else 120
    for left in (0, 0, 1):
        made.price(met)
        assert len(made.venue.submitted) == 1 + left


def test_the_price_after_a_split_is_no_jump() -> None:
    made = rig(max_tick_jump_bps=100)
    made.price(130)
    assert code(made.order("buy", 1)) == "bad_tick"
    made.split(2)
    assert code(made.order("buy", 1)) == ""
    made.price(50)
    assert code(made.order("buy", 1)) == ""
    made.price(51)
    assert code(made.order("buy", 1)) == "bad_tick"


@pytest.mark.parametrize(("second", "third", "reason"), [
    ("131.3", "132.613", ""), ("131.3", "132.613000001", "bad_tick"),
    ("131.300000001", "131.3", "bad_tick"), ("128.7", "127.413", ""),
    ("128.699999999", "128.7", "bad_tick"),
])  # fmt: skip
def test_a_jump_is_confirmed_by_prices_no_further_from_each_other_than_one_may_move(
    second: str, third: str, reason: str
) -> None:
    made = rig(max_tick_jump_bps=100)
    for price in ("130", second, third):
        assert code(made.order("buy", 1)) == ("" if price == "130" else "bad_tick")
        made.price(float(price))
    assert code(made.order("buy", 1)) == reason


def test_the_least_price_there_is_can_be_confirmed_and_jumped_from() -> None:
    made = rig(max_tick_jump_bps=100)
    for reason in ("bad_tick", "bad_tick", ""):
        made.price(1e-9)
        assert code(made.order("buy", 1)) == reason
    made.price(2e-9)
    assert code(made.order("buy", 1)) == "bad_tick"


@pytest.mark.parametrize("worthless", [0.0, -1.0])
def test_a_price_of_nothing_counts_as_the_least_there_is_and_is_never_confirmed(
    worthless: float,
) -> None:
    made = rig(max_tick_jump_bps=100)
    for _ in range(5):
        made.price(worthless)
        assert code(made.order("buy", 1)) == "bad_tick"
    for reason in ("bad_tick", ""):
        made.price(1e-9)
        assert code(made.order("buy", 1)) == reason
