"""Throttles, duplicates, fat fingers, self-matches, day sums and repeated executions."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import Limits, RiskEngine, TradingState
from pyrt.risk.windows import RateWindow, RecentKeys, SizeHistory
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code

DAY = 86_400_000_000_000


def rig(**limits: Any) -> GateRig:
    return GateRig(RiskEngine(Limits(**limits)), symbols=("AAA", "BBB"), prices=100, strategies=2)


@pytest.mark.parametrize(
    ("name", "span"), [("max_orders_per_second", "1s"), ("max_orders_per_minute", "60s")]
)
def test_a_throttle_holds_in_every_window(name: str, span: str) -> None:
    made = rig(**{name: 2})
    assert code(made.order("buy", 1)) == ""
    made.wait(1)
    assert code(made.order("buy", 2)) == ""
    assert code(made.order("buy", 3)) == name
    made.wait(span)
    assert code(made.order("buy", 4)) == ""


def test_the_window_slides_and_an_event_of_its_length_is_outside() -> None:
    window = RateWindow(2, 100)
    assert [window.admit(t) for t in (0, 50, 99, 100, 149, 150)] == [
        True, True, False, True, False, True,
    ]  # fmt: skip
    assert window.count(150) == 2


def test_denied_orders_use_nothing_up() -> None:
    made = rig(max_orders_per_minute=1, max_order_quantity=10)
    assert code(made.order("buy", 11)) == "max_order_quantity"
    assert code(made.order("buy", 10)) == ""


def test_changes_and_cancels_are_messages_and_cancels_keep_their_reserve() -> None:
    made = rig(max_messages_per_minute=4, cancel_reserve=2)
    order = made.order("buy", 5, limit_price=99)
    made.answer("accept", order)
    assert made.modify(order, quantity=6)
    assert not made.modify(order, quantity=7)
    assert code(made.order("buy", 1)) == "max_messages_per_minute"
    assert made.cancel(order)
    assert code(made.order("buy", 1)) == "max_messages_per_minute"


def test_a_cancel_is_a_message_of_its_own_time_and_no_order() -> None:
    made = rig(max_messages_per_minute=3, max_orders_per_minute=3, max_orders_per_second=2)
    first = made.order("buy", 1)
    made.wait("59s")
    made.cancel(first)
    assert code(made.order("buy", 2)) == ""
    made.wait("1s")
    assert code(made.order("buy", 3)) == ""
    # The first has left the window; the cancel is in it until the minute after it is over.
    assert code(made.order("buy", 4)) == "max_messages_per_minute"
    made.wait("58s")
    assert code(made.order("buy", 4)) == "max_messages_per_minute"
    made.wait("1s")
    assert code(made.order("buy", 4)) == ""
    made = rig(max_orders_per_minute=2)
    made.cancel(made.order("buy", 1))
    assert code(made.order("buy", 1)) == ""
    assert code(made.order("buy", 1)) == "max_orders_per_minute"


@pytest.mark.parametrize("name", ["max_orders_per_second", "max_orders_per_minute"])
def test_a_change_is_no_order(name: str) -> None:
    made = rig(**{name: 2})
    order = made.order("buy", 5, limit_price=99)
    made.answer("accept", order)
    assert all(made.modify(order, quantity=units) for units in (6, 7, 8))
    assert code(made.order("buy", 1)) == ""
    # Nor is one denied for want of orders.
    assert made.modify(order, quantity=9)
    assert code(made.order("buy", 1)) == name


def test_cancels_leave_when_all_messages_are_used_up() -> None:
    made = rig(max_messages_per_minute=3)
    orders = [made.order("buy", n + 1) for n in range(3)]
    assert all(made.cancel(order) for order in orders)


def test_the_same_order_twice_within_the_window_is_a_duplicate() -> None:
    made = rig(duplicate_window="1s")
    assert code(made.order("buy", 5)) == ""
    assert code(made.order("buy", 5)) == "duplicate_order"
    assert code(made.order("buy", 5.5)) == ""
    assert code(made.order("buy", 5, "BBB")) == ""
    assert code(made.order("buy", 5, strategy=1)) == ""
    assert code(made.order("buy", 5, limit_price=99)) == ""
    made.wait("1s")
    assert code(made.order("buy", 5)) == ""


def test_keys_outside_the_window_are_dropped() -> None:
    recent = RecentKeys(10)
    for number in range(5_000):
        assert not recent.repeats((number,), number)
    assert len(recent) < 1_100
    assert recent.repeats((4_999,), 5_000)


def test_keys_in_the_window_stay_when_others_are_dropped() -> None:
    recent = RecentKeys(3_000)
    assert len(recent) == 0
    for number in range(5_000):
        assert not recent.repeats(number, number)
        # The oldest in the window is known, and the one before it is not.
        oldest = max(0, number - 2_999)
        assert recent.repeats(oldest, oldest)
    assert 3_000 <= len(recent) <= 5_000


def test_of_a_multiple_of_nothing_any_order_is_too_large() -> None:
    made = rig(fat_finger_multiple=0)
    for _ in range(10):
        assert code(made.order("buy", 10)) == ""
    assert code(made.order("buy", 0.001)) == "fat_finger"


def test_a_fat_finger_is_large_beside_the_strategys_own_orders() -> None:
    made = rig(fat_finger_multiple=10)
    assert code(made.order("buy", 1_000)) == ""
    for _ in range(9):
        assert code(made.order("buy", 10)) == ""
    assert code(made.order("buy", 100)) == ""
    assert code(made.order("buy", 100.1)) == "fat_finger"
    assert code(made.order("buy", 5_000, strategy=1)) == ""


def test_the_median_is_that_of_the_last_sizes() -> None:
    history = SizeHistory(3)
    assert [history.push(x) for x in (5.0, 1.0, 9.0, 9.0, 2.0)] == [5.0, 3.0, 5.0, 9.0, 9.0]


@pytest.mark.parametrize(
    "name", ["max_orders_per_second", "max_orders_per_minute", "max_messages_per_minute"]
)
def test_a_rate_of_nothing_lets_nothing_leave(name: str) -> None:
    assert code(rig(**{name: 0}).order("buy", 1)) == name


def test_own_orders_do_not_meet() -> None:
    made = rig(deny_self_match=True)
    resting = made.order("sell", 1, limit_price=101, strategy=1)
    made.answer("accept", resting)
    assert code(made.order("buy", 1, limit_price=100.99)) == ""
    assert code(made.order("buy", 1, limit_price=101)) == "self_match"
    assert code(made.order("buy", 1)) == "self_match"
    assert code(made.order("buy", 1, "BBB")) == ""
    made.answer("cancel", resting)
    assert code(made.order("buy", 1)) == ""


def test_a_stop_that_waits_for_its_price_meets_nothing_yet() -> None:
    made = rig(deny_self_match=True)
    made.answer("accept", made.order("sell", 1, limit_price=101))
    assert code(made.order("buy", 1, stop_price=102)) == ""
    assert code(made.order("buy", 1, stop_price=102, limit_price=103)) == "self_match"


def test_a_moved_order_is_met_where_it_rests_now() -> None:
    made = rig(deny_self_match=True)
    resting = made.order("buy", 1, limit_price=99)
    made.answer("accept", resting)
    assert made.modify(resting, limit_price=98)
    made.answer("modified", resting, limit_price=98)
    assert code(made.order("sell", 1, limit_price=98.5)) == ""
    assert code(made.order("sell", 1, limit_price=98)) == "self_match"


def test_sums_of_the_day_start_anew_at_the_reset() -> None:
    made = rig(max_daily_orders=2, daily_reset="13:30")
    made.order("buy", 1)
    made.order("buy", 1)
    made.wait("13h")
    assert code(made.order("buy", 1)) == "max_daily_orders"
    made.wait("30m")
    assert code(made.order("buy", 1)) == ""


def test_the_value_of_a_day_starts_anew_with_the_next() -> None:
    made = rig(max_daily_notional=1_000)
    assert code(made.order("buy", 10)) == ""
    assert code(made.order("buy", 0.01)) == "max_daily_notional"
    made.wait(DAY)
    assert code(made.order("buy", 10)) == ""


def test_the_daily_quantity_is_counted_by_symbol() -> None:
    made = rig(max_daily_quantity=10)
    made.order("buy", 10)
    assert code(made.order("buy", 1)) == "max_daily_quantity"
    assert code(made.order("buy", 10, "BBB")) == ""
    made.wait(DAY)
    assert code(made.order("buy", 10)) == ""


def test_filled_orders_in_one_direction_latch_the_strategy_off() -> None:
    made = rig(max_repeated_executions=2)
    for _ in range(3):
        made.hold(1)
    assert made.gate.state(strategy="A") == TradingState.HALTED
    assert code(made.order("buy", 1)) == "trading_state"
    assert code(made.order("buy", 1, strategy=1)) == ""
    assert made.gate.changes[-1].reason.startswith("max_repeated_executions")
    made.gate.set_state("active", "Ann", "looked at it", strategy="A")
    assert code(made.order("buy", 1)) == ""


def test_a_fill_the_other_way_starts_the_count_anew() -> None:
    made = rig(max_repeated_executions=2)
    for quantity in (1, 1, -1, 1, 1, -1):
        made.hold(quantity)
    assert made.gate.state(strategy="A") == TradingState.ACTIVE


def test_new_limits_go_on_with_what_was_counted() -> None:
    made = rig(max_orders_per_minute=5, max_daily_orders=100)
    for _ in range(3):
        made.order("buy", 1)
    made.gate.set_limits(Limits(max_orders_per_minute=3, max_daily_orders=3), "Ann", "calm down")
    assert code(made.order("buy", 1)) == "max_daily_orders"
    made.gate.set_limits(Limits(max_orders_per_minute=3), "Ann", "once more")
    assert code(made.order("buy", 1)) == "max_orders_per_minute"
