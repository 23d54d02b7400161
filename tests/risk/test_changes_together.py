"""Changes that are on their way together, and what a change of an exit is judged to add."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.orders import Order
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig


def rig(**limits: Any) -> GateRig:
    return GateRig(
        RiskEngine(Limits(**limits)), cash=1_000_000, symbols=("AAA", "BBB"), prices=100,
        strategies=2, account="margin",
    )  # fmt: skip


def resting(made: GateRig, side: str = "buy", **terms: Any) -> Order:
    order = made.order(side, 10, **(terms or {"limit_price": 100}))
    made.answer("accept", order)
    return order


QUANTITY, PRICE = {"quantity": 20}, {"limit_price": 110}


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize(("first", "second"), [(QUANTITY, PRICE), (PRICE, QUANTITY)])
@pytest.mark.parametrize(
    ("name", "most", "leaves"),
    [
        ("max_gross_exposure", 2_199.99, False), ("max_gross_exposure", 2_200, True),
        ("max_order_notional", 2_199.99, False), ("max_order_notional", 2_200, True),
        # 1,000 of the order and 1,200 of both changes.
        ("max_daily_notional", 2_199.99, False), ("max_daily_notional", 2_200, True),
    ],
)  # fmt: skip
def test_what_two_changes_come_to_together_is_judged_with_the_second(
    side: str, first: Any, second: Any, name: str, most: float, leaves: bool
) -> None:
    made = rig(**{name: most})
    order = resting(made, side)
    assert made.modify(order, **first)
    assert made.modify(order, **second) is leaves
    counted = made.gate.claims.totals()[1 if side == "buy" else 2]
    assert counted == (2_200 if leaves else 2_000 if first is QUANTITY else 1_100)


def test_a_change_that_is_answered_is_no_part_of_the_next() -> None:
    made = rig(max_gross_exposure=2_100)
    order = resting(made)
    assert made.modify(order, limit_price=110)
    assert not made.modify(order, quantity=20)
    made.answer("modified", order, limit_price=105)
    assert not made.modify(order, quantity=20.01)
    assert made.modify(order, quantity=20)
    made.answer("modify_rejected", order)
    assert made.modify(order, limit_price=210)
    assert made.gate.claims.totals()[1] == 2_100


def test_what_has_filled_is_no_part_of_what_two_changes_come_to() -> None:
    made = rig(max_gross_exposure=2_160)
    order = resting(made)
    made.fill(order, 4)
    assert made.modify(order, quantity=20)
    # 4 held at 100, and 16 that may come at 110.
    assert not made.modify(order, limit_price=110.01)
    assert made.modify(order, limit_price=110)
    assert made.gate.claims.totals()[:2] == (2_160, 1_760)


def test_a_smaller_change_behind_a_larger_one_is_no_more_than_the_larger() -> None:
    made = rig(max_position_quantity=20, max_daily_quantity=20)
    order = resting(made)
    assert made.modify(order, quantity=20)
    for quantity in (15, 20, 12):
        assert made.modify(order, quantity=quantity)
    assert not made.modify(order, quantity=20.01)
    assert made.gate.claims.worst_case(0) == (0, 20 * 10**9, 0)


@pytest.mark.parametrize(("price", "leaves"), [(100, True), (101, False)])
def test_past_a_limit_no_change_leaves_for_the_room_that_others_take_in_the_count(
    price: float, leaves: bool
) -> None:
    """Twelve at 147 or twenty at 110 come to 2,200 and count as 2,940; twenty at 111 are more."""
    made = rig(max_gross_exposure=3_040)
    made.hold(1, "BBB")
    order = resting(made)
    assert made.modify(order, quantity=12, limit_price=147)
    assert made.modify(order, quantity=20, limit_price=110)
    made.price(price, "BBB")
    assert made.gate.claims.totals()[0] == 2_940 + price
    assert made.modify(order, limit_price=111) is leaves
    assert made.cancel(order)


# -- exits -----------------------------------------------------------------------------------------


def bracket(made: GateRig, side: str, filled: float) -> Order:
    far, near = (120, 80) if side == "buy" else (80, 120)
    entry = made.order(side, 10, limit_price=100, take_profit=far, stop_loss=near)
    made.answer("accept", entry)
    made.fill(entry, filled)
    for order in entry.legs:
        made.answer("accept", order)
    return entry


@pytest.mark.parametrize("side", ["buy", "sell"])
@pytest.mark.parametrize("state", ["reducing", "active"])
def test_exits_of_an_entry_that_has_filled_in_part_may_be_moved(side: str, state: str) -> None:
    made = rig(max_open_orders=9, max_position_quantity=10)
    sign = 1 if side == "buy" else -1
    entry = bracket(made, side, 4)
    counted = made.gate.claims.worst_case(0)
    made.gate.set_state(state, "Ann", "a test")
    assert made.modify(entry.stop_loss, stop_price=100 - 15 * sign)
    assert made.modify(entry.take_profit, limit_price=100 + 15 * sign)
    assert made.gate.claims.worst_case(0) == counted


@pytest.mark.parametrize("side", ["buy", "sell"])
def test_an_exit_that_a_change_makes_larger_than_its_entry_could_turn_the_position(
    side: str,
) -> None:
    made = rig(max_open_orders=9)
    entry = bracket(made, side, 10)
    made.gate.set_state("reducing", "Ann", "a test")
    assert not made.modify(entry.take_profit, quantity=10.01)
    made.answer("cancel", entry.stop_loss)
    assert made.modify(entry.take_profit, quantity=9)


def begun_pair(made: GateRig, first: int) -> list[Any]:
    """Guard a holding of 10 by a pair of exits of which one has filled 4."""
    made.hold(10)
    made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
    pair = made.venue.submitted[-2:]
    for order in pair:
        made.answer("accept", order)
    made.fill(pair[first], 4)
    return pair


@pytest.mark.parametrize("first", [0, 1])
def test_one_of_a_pair_may_be_moved_for_what_the_other_has_left(first: int) -> None:
    made = rig(max_open_orders=9)
    pair = begun_pair(made, first)
    made.gate.set_state("reducing", "Ann", "a test")
    terms = ({"limit_price": 115}, {"stop_price": 85})[1 - first]
    # Its own quantity says 10 still; the venue has taken 4 off it.
    assert made.modify(pair[1 - first], **terms)
    assert not made.modify(pair[1 - first], quantity=10.01)
    assert made.gate.claims.worst_case(0) == (6 * 10**9, 0, 6 * 10**9)


def test_a_total_that_is_in_force_counts_while_another_is_on_its_way() -> None:
    """It was taken for a change that asks for no total: 10 counted where 20 came into force."""
    made = rig(max_position_quantity=20)
    order = made.order("buy", 20, limit_price=90)
    made.answer("accept", order)
    assert made.modify(order, quantity=10)
    assert made.modify(order, quantity=20, limit_price=91)
    made.answer("modified", order, quantity=10)
    assert made.gate.claims.worst_case(0) == (0, 20 * 10**9, 0)
    assert made.order("buy", 1).status == "DENIED"
    made.answer("modified", order, quantity=20, limit_price=91)
    assert made.gate.claims.worst_case(0) == (0, 20 * 10**9, 0)


# -- which change an answer is about ---------------------------------------------------------------


def test_a_change_of_the_price_is_answered_before_one_for_the_total_in_force() -> None:
    """The answer to the price was taken for that to the third, as both are of 20 then."""
    made = rig(max_position_quantity=20)
    order = made.order("buy", 20, limit_price=90)
    made.answer("accept", order)
    for terms in ({"limit_price": 91}, {"quantity": 10}, {"quantity": 20}):
        assert made.modify(order, **terms)
    for terms in ({"limit_price": 91}, {"quantity": 10}):
        made.answer("modified", order, **terms)
        assert made.gate.claims.worst_case(0) == (0, 20 * 10**9, 0)
    made.answer("modified", order, quantity=20)
    assert made.modify(order, quantity=12)
    made.answer("modified", order, quantity=12)
    assert made.gate.claims.worst_case(0) == (0, 12 * 10**9, 0)


@pytest.mark.parametrize(
    ("terms", "asked", "other", "value"),
    [
        ({"limit_price": 100}, {"limit_price": 110}, {"limit_price": 105}, 1_100),
        ({"stop_price": 110}, {"stop_price": 130}, {"stop_price": 120}, 1_300),
    ],
)
def test_terms_told_once_more_do_not_answer_a_change_of_the_price(
    terms: Any, asked: Any, other: Any, value: int
) -> None:
    made = rig(max_gross_exposure=10_000)
    order = resting(made, **terms)
    assert made.modify(order, **asked)
    made.answer("modified", order)
    assert made.gate.claims.totals()[1] == value
    made.answer("modified", order, **asked)
    assert made.modify(order, **terms)
    assert made.gate.claims.totals()[1] == value
    # What a venue makes of it is an answer, be it another price than was asked for.
    made.answer("modified", order, **other)
    assert made.gate.claims.totals()[1] == 10 * next(iter(other.values()))


# -- a pair counts at the dearer price of both -----------------------------------------------------


@pytest.mark.parametrize(("limit", "leaves"), [(2_099.99, False), (2_100, True)])
def test_a_pair_that_moves_is_judged_at_the_price_that_it_counts_at(
    limit: float, leaves: bool
) -> None:
    """5 are short, 500; 10 come at 10 or on a stop that moves to 260."""
    made = rig(max_gross_exposure=limit)
    made.order("sell", 5)
    made.fill(made.venue.submitted[-1])
    made.order("buy", 10, oco=True, take_profit=10, stop_loss=200)
    pair = made.venue.submitted[-2:]
    for order in pair:
        made.answer("accept", order)
    assert made.modify(pair[1], stop_price=260) is leaves
    if leaves:
        assert made.gate.claims.totals()[0] == 2_100


# -- what one change counts for, and several -------------------------------------------------------


@pytest.mark.parametrize(
    ("terms", "value"),
    [
        ({"quantity": 20, "limit_price": 60}, 1_200),
        ({"quantity": 20, "limit_price": 40}, 1_000),
        ({"quantity": 5, "limit_price": 150}, 1_000),
        ({"quantity": 5, "limit_price": 300}, 1_500),
        ({"quantity": 12}, 1_200),
        ({"limit_price": 101}, 1_010),
    ],
)
def test_a_change_alone_comes_as_a_whole_or_not_at_all(terms: Any, value: int) -> None:
    made = rig(max_gross_exposure=value)
    order = resting(made)
    assert made.modify(order, **terms)
    assert made.gate.claims.totals()[:2] == (value, value)


def test_a_price_that_comes_back_behind_a_larger_quantity_is_judged_with_it() -> None:
    """20 at 50 or 10 at 100 are 1,000; 20 at 100 were let through as nothing new."""
    for limit, leaves in ((1_999.99, False), (2_000, True)):
        made = rig(max_gross_exposure=limit)
        order = resting(made)
        assert made.modify(order, quantity=20, limit_price=50)
        assert made.modify(order, limit_price=100) is leaves
        assert made.gate.claims.totals()[1] == (2_000 if leaves else 1_000)


def test_a_larger_quantity_is_judged_at_the_price_that_the_order_counts_at() -> None:
    """The last price was 146 as it was sent, and is 87 now."""
    for limit, leaves in ((2_919.99, False), (2_920, True)):
        made = rig(max_gross_exposure=limit)
        made.price(146)
        order = resting(made, "sell", stop_price=52)
        made.price(87)
        assert made.modify(order, quantity=20) is leaves
        assert made.gate.claims.totals()[2] == (2_920 if leaves else 870)


def test_what_the_other_of_a_pair_takes_off_is_no_answer_to_a_change_of_the_price() -> None:
    """The rest of 6 counted at 200, where the change to 260 might yet be granted."""
    made = rig(max_gross_exposure=10_000)
    made.hold(-10)
    made.order("buy", 10, oco=True, take_profit=10, stop_loss=200)
    target, stop = made.venue.submitted[-2:]
    for order in (target, stop):
        made.answer("accept", order)
    assert made.modify(stop, stop_price=260)
    made.fill(target, 4)
    made.answer("modified", stop, quantity=6)
    assert made.gate.claims.totals()[1] == 6 * 260
    made.answer("modified", stop, quantity=6, stop_price=250)
    assert made.gate.claims.totals()[1] == 6 * 250
