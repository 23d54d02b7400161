"""Changes on their way: what they ask for counts until each is answered, and no longer."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code


def rig(**limits: Any) -> GateRig:
    return GateRig(
        RiskEngine(Limits(**limits)), cash=1_000_000, symbols=("AAA", "BBB"), prices=100,
        strategies=2, account="margin",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("asked", "worst"),
    [
        ((1, "", "110", ""), (10, 1_100)),
        ((1, "20", "110", ""), (20, 2_200)),
        ((1, "20", "", ""), (20, 2_000)),
        ((1, "", "", ""), (10, 1_000)),
        ((1, "", "90", ""), (10, 1_000)),
        ((3, "20", None, None), (20, 2_000)),
    ],
)
def test_changes_of_an_earlier_run_count_until_each_is_answered(
    asked: tuple[int, Any, Any, Any], worst: tuple[int, int]
) -> None:
    made = rig(max_gross_exposure=1_000_000)
    order = made.order("buy", 10, limit_price=100)
    made.answer("accept", order)
    made.gate.expect_change(order, *asked)
    for _ in range(asked[0]):
        units = made.gate.claims.worst_case(0)[1] // 10**9
        assert (units, made.gate.claims.totals()[1]) == worst
        made.answer("modify_rejected", order)
    assert made.gate.claims.worst_case(0) == (0, 10 * 10**9, 0)
    assert made.gate.claims.totals()[1] == 1_000


def test_a_change_of_an_earlier_run_that_asks_for_no_quantity_is_answered_by_its_price() -> None:
    made = rig(max_gross_exposure=1_000_000)
    order = made.order("buy", 10, limit_price=100)
    made.answer("accept", order)
    made.gate.expect_change(order, 1, "", "110", "")
    made.answer("modified", order, limit_price=105)
    assert made.gate.claims.totals()[1] == 1_050


@pytest.mark.parametrize(("filled", "left"), [(0, 10), (4, 6), (6, 4), ("9.999999999", 0)])
def test_what_is_left_of_an_order_counts_and_so_does_what_a_change_asks_for(
    filled: Any, left: int
) -> None:
    made = rig(max_position_quantity=1_000)
    order = made.order("buy", 10, limit_price=100)
    made.answer("accept", order)
    if filled:
        made.fill(order, filled)
    units = made.gate.claims.worst_case(0)[1]
    assert units == (left * 10**9 or 1)
    for more in (10, 5):
        assert made.modify(order, quantity=10 + more)
        assert made.gate.claims.worst_case(0)[1] == units + more * 10**9
        made.answer("modify_rejected", order)
        assert made.gate.claims.worst_case(0)[1] == units


def test_changes_that_were_refused_answer_none_that_comes_later() -> None:
    made = rig(max_position_quantity=1_000)
    order = made.order("buy", 10, limit_price=100)
    made.answer("accept", order)
    for _ in range(2):
        made.gate.expect_change(order, 1, "20", "", "")
        made.answer("modify_rejected", order)
    made.gate.expect_change(order, 2, "30", "", "")
    assert made.gate.claims.worst_case(0)[1] == 30 * 10**9
    made.answer("modified", order, limit_price=99)
    assert made.gate.claims.worst_case(0)[1] == 30 * 10**9
    made.answer("modified", order, quantity=30)
    assert made.gate.claims.worst_case(0)[1] == 30 * 10**9
    made.answer("modified", order, quantity=12)
    assert made.gate.claims.worst_case(0)[1] == 12 * 10**9


def test_a_pair_fills_no_more_together_than_the_most_either_was_of() -> None:
    made = rig(max_position_quantity=1_000)
    made.hold(10)
    made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
    target, stop = made.venue.submitted[-2:]
    for order in (target, stop):
        made.answer("accept", order)
    made.answer("modified", target, quantity=6)
    assert made.gate.claims.worst_case(0) == (10 * 10**9, 0, 10 * 10**9)
    made.fill(stop, 5)
    made.answer("cancel", stop)
    # All of its 6 may be left, of 10 that were to leave together and 5 that have.
    assert made.gate.claims.worst_case(0) == (5 * 10**9, 0, 5 * 10**9)


def test_terms_that_nobody_asked_for_count_beside_those_that_were_while_one_waits() -> None:
    made = rig(max_gross_exposure=1_000_000)
    order = made.order("buy", 10, limit_price=100)
    made.answer("accept", order)
    made.gate.expect_change(order, 2, "", "110", "")
    made.answer("modified", order, limit_price=130)
    assert made.gate.claims.totals()[1] == 1_300
    made.answer("modified", order, limit_price=105)
    assert made.gate.claims.totals()[1] == 1_050


def test_what_a_change_adds_is_part_of_the_value_of_the_day() -> None:
    made = rig(max_daily_notional=1_000)
    order = made.order("buy", 5, limit_price=90)
    made.answer("accept", order)
    # 450 of an order, and 450 that a change adds.
    assert made.modify(order, quantity=10)
    assert code(made.order("buy", 1, limit_price=100.01)) == "max_daily_notional"
    assert code(made.order("buy", 1, limit_price=100)) == ""


def test_a_change_is_a_message_of_its_minute() -> None:
    made = rig(max_messages_per_minute=2)
    order = made.order("buy", 5, limit_price=90)
    made.answer("accept", order)
    made.wait("30s")
    assert made.modify(order, limit_price=91)
    assert code(made.order("buy", 1)) == "max_messages_per_minute"
    made.wait("30s")
    # The order has left the window, the change has not.
    assert code(made.order("buy", 1)) == ""
    assert code(made.order("buy", 2)) == "max_messages_per_minute"
    made.wait("30s")
    assert code(made.order("buy", 2)) == ""
