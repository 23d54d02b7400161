"""Other limits, and other runs: what a gate hears, holds, goes on with and forgets."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from pyrt.errors import OrderError
from pyrt.risk import Limits, RiskEngine, TradingState
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code

WHO = ("Ann", "a test")


def rig(limits: Limits | None = None) -> GateRig:
    return GateRig(RiskEngine(limits), symbols=("AAA", "BBB"), prices=100, strategies=2)


@pytest.mark.parametrize(
    ("limits", "hears"),
    [
        ({}, ""),
        ({"max_order_quantity": 1}, "orders"),
        ({"max_gross_exposure": 1}, "orders marks"),
        ({"max_position_loss": 1}, "orders marks"),
        ({"max_tick_jump_bps": 1}, "orders marks"),
        ({"max_tick_jump_bps": 0}, "orders marks"),
        ({"stale_data_after": "1s"}, "orders marks"),
        ({"max_order_age": "1s"}, "orders marks"),
        ({"max_slippage_bps": 1}, "orders quotes"),
        ({"market_protection_bps": 1}, "orders quotes"),
        ({"symbols": {"AAA": {"max_slippage_bps": 1}}}, "orders quotes"),
        ({"symbols": {"AAA": {"market_protection_bps": 1}}}, "orders quotes"),
        ({"symbols": {"AAA": {"max_order_quantity": 1}}}, "orders"),
        ({"max_daily_loss": 1}, "orders equity"),
        ({"max_volatility": 1}, "orders equity"),
    ],
)
def test_a_gate_hears_what_its_limits_need_before_a_run_and_in_it(
    limits: dict[str, Any], hears: str
) -> None:
    gate = RiskEngine(Limits(**limits))
    for _ in range(2):
        heard = [
            name for name in ("orders", "marks", "quotes", "equity")
            if getattr(gate, f"watches_{name}")
        ]  # fmt: skip
        assert " ".join(heard) == hears
        GateRig(gate, symbols=("AAA", "BBB"))


# Limits that replace others, what happens then, and the code of what is denied.
REPLACED: list[tuple[dict[str, Any], float, str]] = [
    ({"max_daily_loss": 100}, 89, "max_daily_loss"),
    ({"max_daily_loss": 100}, 90, ""),
    ({"max_drawdown": "0.1"}, 100, ""),
    ({"max_order_quantity": "0.5"}, 100, "max_order_quantity"),
    ({"max_position_notional": 1_050}, 100, "max_position_notional"),
    ({"max_position_notional": 1_100}, 100, ""),
    ({"max_tick_jump_bps": 100}, 120, "bad_tick"),
    ({"stale_data_after": "1s"}, 100, ""),
    ({"deny_limit_state": True}, 100, ""),
]


@pytest.mark.parametrize(("limits", "price", "denied"), REPLACED)
@pytest.mark.parametrize("before", [{}, {"max_order_quantity": 100}])
def test_limits_that_replace_others_hold_from_then_on(
    before: dict[str, Any], limits: dict[str, Any], price: float, denied: str
) -> None:
    made = rig(Limits(**before))
    made.hold(10)
    made.gate.set_limits(Limits(**limits), *WHO)
    made.sample()
    made.price(100)
    made.price(price)
    made.sample()
    assert code(made.order("buy", 1)) == denied


def test_a_kill_ends_with_its_run() -> None:
    gate = RiskEngine(Limits(max_orders_per_minute=1))
    made = GateRig(gate, prices=100)
    made.hold(10)
    made.gate.kill(*WHO, flatten=True)
    made.settle()
    again = GateRig(gate, prices=100)
    again.hold(10)
    again.wait("70s")
    again.price(100)
    assert (len(again.venue.submitted), again.gate.state()) == (1, TradingState.ACTIVE)


def test_a_margin_call_ends_with_its_run() -> None:
    gate = RiskEngine(Limits(max_order_quantity=1_000_000))
    made = GateRig(gate, cash=100_000, prices=100, account="margin")
    made.hold(2_000)
    made.price(60)
    made.sample()
    assert code(made.order("buy", 1)) == "margin_call"
    again = GateRig(gate, cash=100_000, prices=100)
    assert code(again.order("buy", 1)) == ""


LIMITS = Limits(
    max_order_quantity=100, max_daily_orders=50, duplicate_window="1s", max_duplicates=5,
    max_daily_loss=100, ramp_start="0.5", ramp_days=5, max_position_drawdown="0.1",
    warn_at="0.1", max_open_orders=100, max_order_age="1s", fat_finger_multiple=100,
)  # fmt: skip


def test_a_reset_forgets_all_but_the_limits_and_what_was_stated() -> None:
    made = GateRig(RiskEngine(LIMITS), symbols=("AAA", "BBB"), prices=100, account="margin")
    gate = made.gate
    gate.set_atr("AAA", 2.0)
    made.hold(10)
    for _ in range(2):
        made.order("buy", 1, limit_price=90)
    made.wait("61s")
    made.price(80)
    made.sample()
    gate.set_halted("BBB", True)
    gate.set_ramp("0.75", *WHO)
    gate.set_state("halted", *WHO, symbol="BBB")
    judged = made.draft("sell", 1)
    assert made.judge(judged) is None
    assert gate.breaker.trips
    gate.reset()
    fresh = RiskEngine(LIMITS)
    fresh.set_atr("AAA", 2.0)
    assert gate.save() == fresh.save()
    assert (gate.changes, gate.halted_symbols, gate.limited_symbols) == ([], [], [])
    assert (gate.claims, gate.limits) == (None, LIMITS)
    assert gate.state() == gate.state(symbol="BBB") == TradingState.ACTIVE
    assert len(gate.report()["denials"]["control"]) == 0
    # An order that was judged before has no verdict any more.
    with pytest.raises(OrderError, match="no verdict"):
        made.approve(judged)


@pytest.mark.parametrize("share", [0, "0.25", 1])
def test_a_ramp_that_is_set_is_on_record(share: Any) -> None:
    made = rig(Limits(max_order_quantity=100, ramp_start="0.5"))
    made.wait("1s")
    made.gate.set_ramp(share, *WHO)
    (change,) = made.gate.changes
    assert (change.ts_event, change.scope, change.before, change.after) == (
        made.now, "ramp", "0.5", str(share),
    )  # fmt: skip
    assert (change.actor, change.reason) == WHO
    assert code(made.order("buy", 100 * Decimal(share) + 1)) == "max_order_quantity"


@pytest.mark.parametrize(
    ("bps", "prices", "denied"),
    [
        (10_000, [1e-9], ""),
        (10_000, [200], ""),
        (10_000, [200.01], "bad_tick"),
        (10_000, [200.01, 200.02], "bad_tick"),
        (10_000, [200.01, 200.02, 200.03], ""),
        (100, [101], ""),
        (100, [99], ""),
        (100, [101.01], "bad_tick"),
        (100, [98.99], "bad_tick"),
        (100, [103, 103, 103], ""),
        # One that is not near the others begins anew.
        (100, [103, 106, 103], "bad_tick"),
        (100, [103, 106, 106], "bad_tick"),
        (100, [103, 106, 106, 106], ""),
        # Within one per cent of the one before, each.
        (100, [103, 104, 105], ""),
        # Back where it was, nothing was the matter.
        (100, [103, 100], ""),
        (100, [103, 103, 100, 103], "bad_tick"),
        # What is no price is none, however often it comes.
        (20_000, [0, 0, 0, 0], "bad_tick"),
        (20_000, [-1, -1, -1, -1], "bad_tick"),
        (20_000, [0, 0, 0, 150], ""),
        (0, [100.01], "bad_tick"),
        (0, [100], ""),
    ],
)
def test_a_price_that_jumps_needs_two_others_near_it(
    bps: float, prices: list[float], denied: str
) -> None:
    made = rig(Limits(max_tick_jump_bps=bps))
    for price in prices:
        made.price(price)
    assert code(made.order("buy", 1)) == denied


RAMP = {"max_order_quantity": 100, "ramp_start": "0.1", "ramp_days": 9}


@pytest.mark.parametrize(
    "before",
    [{}, {"max_order_quantity": 1}, {**RAMP, "ramp_start": "0.5"}, {**RAMP, "ramp_days": 2}],
)
def test_the_ramp_of_other_limits_begins_with_them(before: dict[str, Any]) -> None:
    made = rig(Limits(**before))
    for _ in range(4):
        made.order("buy", "0.1")
        made.wait("1d")
    made.gate.set_limits(Limits(**RAMP), *WHO)
    for day in range(3):
        assert code(made.order("buy", 10 * (day + 1) + 1)) == "max_order_quantity"
        assert code(made.order("buy", 10 * (day + 1))) == ""
        made.wait("1d")
