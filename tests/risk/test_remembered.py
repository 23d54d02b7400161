"""What a gate remembers: sizes, orders and days, under new limits and after a restart."""

from __future__ import annotations

import json
from statistics import median
from typing import Any

import numpy as np
import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.risk.windows import RateWindow, SizeHistory
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code


def rig(**limits: Any) -> GateRig:
    return GateRig(RiskEngine(Limits(**limits)), symbols=("AAA", "BBB"), prices=100, strategies=2)


def change(made: GateRig, **limits: Any) -> None:
    made.gate.set_limits(Limits(**limits), "Ann", "other limits")


def restarted(made: GateRig, **limits: Any) -> GateRig:
    fresh = rig(**limits)
    fresh.gate.restore(json.loads(json.dumps(made.gate.save())))
    return fresh


@pytest.mark.parametrize("capacity", [1, 2, 5, 8])
def test_the_median_is_that_of_the_last_sizes(capacity: int) -> None:
    sizes = np.random.default_rng(7).integers(1, 6, 300).astype(float).tolist()
    sizes += [9.0, 1.0, 8.0, 2.0, 7.0, 3.0, 3.0, 9.0, 9.0, 1.0]
    window = SizeHistory(capacity)
    for end, size in enumerate(sizes, 1):
        assert window.push(size) == median(sizes[max(0, end - capacity) : end])


@pytest.mark.parametrize("capacity", [1, 3, 4])
def test_sizes_are_saved_oldest_first(capacity: int) -> None:
    window, sizes = SizeHistory(capacity), [5.0, 2.0, 9.0, 2.0, 7.0, 1.0, 4.0]
    assert window.save() == []
    for end, size in enumerate(sizes, 1):
        window.push(size)
        assert window.save() == sizes[max(0, end - capacity) : end]


@pytest.mark.parametrize(("more", "status"), [(10, "SENT"), (11, "DENIED")])
def test_a_change_of_an_earlier_run_counts_with_what_it_asked_for(more: int, status: str) -> None:
    rig = GateRig(RiskEngine(Limits(max_position_quantity=40)), prices=100)
    order = rig.order("buy", 10, limit_price=50)
    rig.answer("accept", order)
    rig.gate.expect_change(order, 1, "30", "", "")
    assert rig.order("buy", more, limit_price=50).status == status


def test_a_gate_that_was_given_nothing_knows_of_no_sessions() -> None:
    assert RiskEngine(Limits(max_order_quantity=1)).session_closes() is None


# -- rates -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", range(1, 6))
@pytest.mark.parametrize("after", [1, 2, 3, 4, 9])
@pytest.mark.parametrize("events", [0, 1, 2, 3, 4, 5, 6, 7])
def test_a_window_goes_on_from_the_last_events_of_another(
    before: int, after: int, events: int
) -> None:
    first, second = RateWindow(before, 100), RateWindow(after, 100)
    times = [t for t in range(0, 40 * events, 40) if first.admit(t)]
    second.refill(first)
    # What either has room for is remembered: the last of all that were admitted.
    known = times[-min(before, after) :]
    for now in range(40 * events, 40 * events + 200, 10):
        assert second.count(now) == sum(now - t < 100 for t in known)
        fits = sum(now - t < 100 for t in known) < after
        assert second.admit(now) is fits
        known += [now] * fits


def test_a_window_remembers_no_more_than_it_has_room_for() -> None:
    short, long = RateWindow(1, 10), RateWindow(3, 100)
    assert [short.admit(t) for t in (0, 20, 40)] == [True, True, True]
    long.refill(short)
    assert long.count(50) == 1


def test_a_history_that_is_full_is_taken_over_as_it_is() -> None:
    made = rig(max_orders_per_minute=3)
    for _ in range(2):
        made.wait("1h")
        for _ in range(3):
            assert code(made.order("buy", 1)) == ""
    change(made, max_orders_per_minute=5)
    assert [code(made.order("buy", 1)) for _ in range(3)] == ["", "", "max_orders_per_minute"]


def test_filled_orders_in_a_row_go_on_under_new_limits() -> None:
    made = rig(max_repeated_executions=3, repeated_execution_window="60s")
    made.hold(1)
    made.hold(1)
    change(made, max_repeated_executions=2, repeated_execution_window="60s")
    made.hold(-1)
    made.hold(1)
    made.hold(1)
    assert made.gate.state(strategy="A").name == "ACTIVE"
    change(made, max_repeated_executions=3, repeated_execution_window="60s")
    made.hold(1)
    assert made.gate.state(strategy="A").name == "ACTIVE"
    made.hold(1)
    assert made.gate.state(strategy="A").name == "HALTED"


def test_rates_that_are_limited_anew_count_from_then_on() -> None:
    made = rig(max_order_quantity=9)
    made.order("buy", 1)
    names = ("max_orders_per_second", "max_orders_per_minute", "max_messages_per_minute")
    for name in names:
        change(made, **{name: 1})
        assert [code(made.order("buy", 1)) for _ in range(2)] == ["", name]


# -- duplicates ------------------------------------------------------------------------------------

# One order, and those that differ from it in one thing.
TERMS: dict[str, Any] = {"side": "buy", "quantity": 5, "stop_price": 102, "limit_price": 103}
OTHERS: list[dict[str, Any]] = [
    {"side": "sell"}, {"quantity": 6}, {"stop_price": 101}, {"limit_price": 104},
    {"symbol": "BBB"}, {"strategy": 1},
]  # fmt: skip


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: next(iter(other)))
def test_an_order_that_differs_in_one_thing_is_no_duplicate(other: dict[str, Any]) -> None:
    made = rig(duplicate_window="10s")
    assert code(made.order(**TERMS)) == ""
    # Under new limits every order is looked up, whatever it is marked by.
    change(made, duplicate_window="10s", max_order_quantity=9)
    assert code(made.order(**{**TERMS, **other})) == ""
    assert code(made.order(**{**TERMS, **other})) == "duplicate_order"
    assert code(made.order(**TERMS)) == "duplicate_order"


def test_an_order_of_another_value_is_no_duplicate() -> None:
    made = rig(duplicate_window="10s")
    made.order("buy", notional=100)
    change(made, duplicate_window="10s", max_order_quantity=9)
    assert code(made.order("buy", notional=101)) == ""
    assert code(made.order("buy", notional=100)) == "duplicate_order"


def test_an_order_of_another_type_is_no_duplicate() -> None:
    made = rig(duplicate_window="10s")
    assert code(made.order("buy", 5, trail_amount=2)) == ""
    assert code(made.order("buy", 5)) == ""
    assert code(made.order("buy", 5)) == "duplicate_order"
    assert code(made.order("buy", 5, trail_amount=2)) == "duplicate_order"


def test_an_order_that_trails_at_another_distance_is_no_duplicate() -> None:
    made = rig(duplicate_window="10s")
    for terms in ({"trail_amount": 2}, {"trail_amount": 3}, {"trail_percent": 2}):
        assert code(made.order("buy", 5, **terms)) == ""
        assert code(made.order("buy", 5, **terms)) == "duplicate_order"


def test_what_left_before_is_a_duplicate_under_new_limits() -> None:
    made = rig(duplicate_window="10s")
    made.order("buy", 5)
    made.order("buy", 6)
    made.wait("4s")
    change(made, duplicate_window="5s")
    assert code(made.order("buy", 5)) == "duplicate_order"
    assert code(made.order("buy", 7)) == ""
    made.wait("1s")
    assert code(made.order("buy", 6)) == ""
    assert code(made.order("buy", 7)) == "duplicate_order"


def test_every_order_that_left_before_is_known_under_new_limits() -> None:
    made = rig(duplicate_window="10s")
    quantities = [1 + number / 8 for number in range(300)]
    for quantity in quantities:
        assert code(made.order("buy", quantity)) == ""
    change(made, duplicate_window="20s")
    assert {code(made.order("buy", quantity)) for quantity in quantities} == {"duplicate_order"}


def test_without_a_window_between_nothing_is_a_duplicate_of_what_left_before() -> None:
    made = rig(duplicate_window="10s")
    made.order("buy", 5)
    change(made, max_order_quantity=9)
    assert code(made.order("buy", 5)) == ""
    change(made, duplicate_window="10s")
    assert code(made.order("buy", 5)) == ""
    assert code(made.order("buy", 5)) == "duplicate_order"


# -- own orders that rest --------------------------------------------------------------------------


def test_own_orders_are_met_under_new_limits_too() -> None:
    made = rig(deny_self_match=True)
    made.answer("accept", made.order("sell", 1, limit_price=101))
    made.answer("accept", made.order("buy", 1, limit_price=99))
    change(made, deny_self_match=True, max_order_quantity=9)
    assert code(made.order("buy", 1, limit_price=101)) == "self_match"
    assert code(made.order("sell", 1, limit_price=99)) == "self_match"
    assert code(made.order("buy", 1, limit_price=100)) == ""


# -- days ------------------------------------------------------------------------------------------


def test_the_day_goes_on_after_new_limits_and_a_restart() -> None:
    made = rig(max_daily_orders=2)
    made.order("buy", 1)
    change(made, max_daily_orders=2, max_order_quantity=9)
    again = restarted(made, max_daily_orders=2, max_order_quantity=9)
    assert code(again.order("buy", 1)) == ""
    assert code(again.order("buy", 1)) == "max_daily_orders"


# -- sizes -----------------------------------------------------------------------------------------


def test_sizes_are_those_of_each_strategy_after_a_restart() -> None:
    made = rig(fat_finger_multiple=2, fat_finger_orders=10)
    for _ in range(10):
        made.order("buy", 10, strategy=1)
    again = restarted(made, fat_finger_multiple=2, fat_finger_orders=10)
    assert code(again.order("buy", 21)) == ""
    assert code(again.order("buy", 20, strategy=1)) == ""
    assert code(again.order("buy", 21, strategy=1)) == "fat_finger"
    # What is restored takes the place of what was there.
    again.gate.restore(rig(fat_finger_multiple=2, fat_finger_orders=10).gate.save())
    assert code(again.order("buy", 21, strategy=1)) == ""
    # Limits that ask for no sizes keep none.
    assert restarted(made, max_order_quantity=9).gate.save()["sizes"] == {}


# -- versions of limits ----------------------------------------------------------------------------


def test_verdicts_name_the_limits_they_were_given_under_when_old_ones_return() -> None:
    made = rig(max_order_quantity=5)
    first, second = Limits(max_order_quantity=5), Limits(max_order_quantity=6)
    made.order("buy", 1)
    for limits in (second, second, first):
        made.gate.set_limits(limits, "Ann", "to and fro")
        made.order("buy", 1)
    named = made.gate.report()["verdicts"]["limits_version"].tolist()
    assert named == [first.version, second.version, second.version, first.version]
