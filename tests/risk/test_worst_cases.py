"""Worst cases at their edges: huge quantities, triggers that trail, splits, rates, days."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code


def rig(account: str = "margin", prices: float = 100.0, **limits: Any) -> GateRig:
    return GateRig(
        RiskEngine(Limits(**limits)), cash=1_000_000, symbols=("AAA", "BBB"), prices=prices,
        strategies=2, account=account,
    )  # fmt: skip


# -- quantities near the end of what 64 bits hold: 9.22e9 units of nine decimals -------------------


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_a_sum_that_no_longer_fits_is_denied_and_not_taken_for_a_small_one(side: str) -> None:
    made = rig(prices=0.00001, max_position_quantity=9e9)
    assert code(made.order(side, 5e9)) == ""
    # Together 10e9, which 64 bits would show as 8.4e9 on the other side.
    assert code(made.order(side, 5e9, limit_price=0.00002)) == "overflow"
    assert code(made.order(side, 4e9)) == ""
    assert code(made.order(side, 1)) == "max_position_quantity"


def test_units_of_a_day_that_no_longer_fit_are_denied() -> None:
    made = rig(prices=0.00001, max_daily_quantity=9e9)
    order = made.order("buy", 5e9)
    made.answer("reject", order)
    assert code(made.order("buy", 5e9)) == "overflow"
    assert code(made.order("buy", 4e9)) == ""


# -- triggers that trail ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "worst"),
    [
        ({"trail_amount": 50}, 150),
        ({"trail_percent": 50}, 150),
        ({"trail_percent": 0.001}, 100.001),
        ({"stop_price": 150}, 150),
        ({"trail_amount": 50, "limit_price": 160}, 160),
    ],
)
def test_a_buy_that_trails_counts_at_the_trigger_it_would_have_now(
    terms: dict[str, float], worst: float
) -> None:
    made = rig(max_order_notional=10 * worst)
    assert code(made.order("buy", 10, **terms)) == ""
    assert code(made.order("buy", 10.001, **terms)) == "max_order_notional"
    assert made.gate.claims.totals()[1] == pytest.approx(10 * worst)


def test_a_sale_that_trails_counts_at_the_last_price() -> None:
    made = rig(max_order_notional=1_000)
    assert code(made.order("sell", 10, trail_amount=50)) == ""
    assert code(made.order("sell", 10.001, trail_amount=50)) == "max_order_notional"


def test_what_the_venue_tells_of_a_trigger_is_what_counts() -> None:
    made = rig(max_gross_exposure=10_000)
    order = made.order("buy", 10, trail_amount=50)
    made.answer("accept", order)
    assert made.gate.claims.totals()[1] == 1_500
    made.price(80)
    made.answer("modified", order)
    assert made.gate.claims.totals()[1] == 1_300


def test_a_wider_distance_is_judged_at_the_trigger_it_leads_to() -> None:
    made = rig(max_order_notional=2_000)
    order = made.order("buy", 10, trail_amount=50)
    made.answer("accept", order)
    assert made.modify(order, trail_amount=100)
    assert made.gate.claims.totals()[1] == 2_000
    assert not made.modify(order, trail_amount=100.01)


def test_a_trigger_that_trails_meets_no_order_that_rests() -> None:
    made = rig(deny_self_match=True)
    made.answer("accept", made.order("sell", 1, limit_price=120))
    assert code(made.order("buy", 1, trail_amount=5)) == ""
    assert code(made.order("buy", 1)) == "self_match"


# -- prices that are not believed yet --------------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "value"),
    [
        ({}, 1_000), ({"trail_amount": 20}, 1_200), ({"trail_percent": 50}, 1_500),
        ({"side": "sell"}, 1_000), ({"side": "sell", "limit_price": 90}, 1_000),
        ({"side": "sell", "limit_price": 110}, 1_100), ({"stop_price": 130}, 1_300),
    ],
)  # fmt: skip
def test_an_order_is_valued_at_the_last_price_that_was_believed(
    terms: dict[str, Any], value: float
) -> None:
    made = rig(max_tick_jump_bps=100, max_gross_exposure=1e6)
    made.price(150)
    assert code(made.order(**{"side": "buy", "quantity": 10, **terms})) == "bad_tick"
    assert made.gate.report()["verdicts"]["value"].tolist() == [value]
    made.price(100)
    assert code(made.order(**{"side": "buy", "quantity": 10, **terms})) == ""
    assert made.gate.report()["verdicts"]["value"].tolist() == [value, value]


def test_a_market_order_is_protected_from_the_last_price_that_was_believed() -> None:
    made = rig(max_tick_jump_bps=100, market_protection_bps=50)
    made.price(150)
    order = made.order("buy", 10)
    assert (code(order), order.limit_price) == ("bad_tick", 100.5)
    # Without the control that judges prices the last one counts.
    made = rig(market_protection_bps=50)
    made.price(150)
    assert made.order("buy", 10).limit_price == 150.75


# -- splits ----------------------------------------------------------------------------------------


def test_a_pair_of_exits_counts_in_new_shares_after_a_split() -> None:
    made = rig(require_shortable=True, max_position_quantity=100)
    made.hold(10)
    made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
    pair = made.venue.submitted[-2:]
    for order in pair:
        made.answer("accept", order)
    made.split(2)
    for order in pair:
        made.answer("modified", order, quantity=20)
    assert made.gate.claims.worst_case(0) == (20 * 10**9, 0, 20 * 10**9)
    made.gate.set_state("reducing", "Ann", "nothing may turn the position")
    assert code(made.order("sell", 10)) == "trading_state"


def test_exits_of_an_entry_count_in_new_shares_after_a_split() -> None:
    made = rig(max_position_quantity=100)
    entry = made.order("buy", 10, take_profit=120, stop_loss=80)
    made.answer("accept", entry)
    made.fill(entry)
    for order in entry.legs:
        made.answer("accept", order)
    assert made.gate.claims.worst_case(0) == (10 * 10**9, 0, 10 * 10**9)
    made.split(3)
    for order in entry.legs:
        made.answer("modified", order, quantity=30)
    assert made.gate.claims.worst_case(0) == (30 * 10**9, 0, 30 * 10**9)
    made.fill(entry.take_profit, 12)
    assert made.gate.claims.worst_case(0)[0] == 18 * 10**9
    assert made.gate.claims.worst_case(0)[2] >= 18 * 10**9


def test_exits_that_wait_for_their_entry_count_nothing_after_a_split_either() -> None:
    made = rig(max_position_quantity=100)
    entry = made.order("buy", 10, limit_price=90, take_profit=120, stop_loss=80)
    made.answer("accept", entry)
    made.split(2)
    assert made.gate.claims.worst_case(0) == (0, 10 * 10**9, 0)


# -- pairs -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("first", ["take_profit", "stop_loss"])
def test_of_a_pair_the_dearer_member_stands_for_what_both_may_still_fill(first: str) -> None:
    made = rig(max_gross_exposure=1_000_000)
    made.hold(10)
    made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
    target, stop = pair = made.venue.submitted[-2:]
    assert target.limit_price == 120
    for order in pair if first == "take_profit" else pair[::-1]:
        made.answer("accept", order)
        assert made.gate.claims.totals()[2] == 1_200
    # Whoever fills a part, the rest of both is counted at the higher price.
    made.fill(stop if first == "stop_loss" else target, 4)
    assert made.gate.claims.totals()[2] == 720
    assert made.gate.claims.worst_case(0) == (6 * 10**9, 0, 6 * 10**9)
    made.fill(stop if first == "stop_loss" else target, 5)
    assert made.gate.claims.totals()[2] == 120


# -- values that move with prices ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ({"max_position_notional": 2_400}, 2),
        ({"max_concentration": "0.0024"}, 2.01),
        ({"max_gross_exposure": 2_400}, 2),
        ({"max_sector_concentration": "0.0024"}, 2.01),
    ],
)
def test_what_is_held_counts_at_the_last_price(limits: dict[str, Any], most: float) -> None:
    """Ten of 100 are worth 2,000 at 200; the account has 1,001,000 then, and 0.24 % is 2,402.4."""
    for quantity, reason in ((most + 0.01, next(iter(limits))), (most, "")):
        made = rig(**limits)
        made.hold(10)
        made.price(200)
        assert code(made.order("buy", quantity)) == reason


# -- rates -----------------------------------------------------------------------------------------


def test_a_change_of_rate_moves_the_worst_case_before_any_price_comes() -> None:
    euro = Instrument("EEE", currency="EUR", sector="abroad")
    home = Instrument("USA", sector="home")
    made = GateRig(
        RiskEngine(Limits(max_gross_exposure=3_000, max_sector_concentration=1)),
        cash=1_000_000, symbols=(euro, home), account="margin",
    )  # fmt: skip
    account = made.kernel.account
    account.set_rate("EUR", 1)
    for symbol in ("EEE", "USA"):
        made.price(100, symbol)
    assert code(made.order("buy", 10, "EEE", limit_price=100)) == ""
    assert made.gate.claims.totals()[0] == 1_000
    account.set_rate("EUR", 2)
    # 10 at 100 and twice the rate are 2,000 now: there is room for 1,000 and no more.
    assert code(made.order("buy", 10.01, "USA", limit_price=100)) == "max_gross_exposure"
    assert code(made.order("buy", 10, "USA", limit_price=100)) == ""
    assert made.gate.claims.totals()[0] == 3_000


# -- prices of what is turned into a limit order ---------------------------------------------------


@pytest.mark.parametrize("bps", [9_999, 10_000, 20_000])
def test_a_protected_sale_has_a_price_above_nothing(bps: int) -> None:
    made = GateRig(
        RiskEngine(Limits(market_protection_bps=bps)), prices=100, account="margin",
        symbols=(Instrument("AAA", tick_size="0.01"),),
    )  # fmt: skip
    order = made.order("sell", 1)
    assert (order.order_type, order.limit_price) == ("limit", 0.01)


# -- days ------------------------------------------------------------------------------------------


def test_what_a_change_adds_is_the_first_thing_counted_on_a_new_day() -> None:
    made = rig(max_daily_quantity=10)
    order = made.order("buy", 5, limit_price=90)
    made.answer("accept", order)
    made.wait("1d")
    assert made.modify(order, quantity=12)
    made.answer("modified", order, quantity=12)
    # 7 of 10 are used up.
    assert code(made.order("buy", 3.1)) == "max_daily_quantity"
    assert code(made.order("buy", 3)) == ""
