"""Orders that belong together: what a pair, a bracket and exits count, moved or canceled."""

from __future__ import annotations

from decimal import Decimal
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


LOW, HIGH = {"limit_price": 90}, {"stop_price": 110}


@pytest.mark.parametrize("terms", [(LOW, HIGH), (HIGH, LOW)])
def test_a_pair_of_entries_counts_once_at_the_dearer_price(terms: Any) -> None:
    made = rig(max_gross_exposure=1_000_000)
    entry = {"symbol": "AAA", "side": "buy", "quantity": 10}
    pair = made.kernel.strategies[0].pair(*({**entry, **each} for each in terms))
    made.settle()
    assert [code(order) for order in pair] == ["", ""]
    counted = (0, 10 * 10**9, 0)
    assert (made.gate.claims.worst_case(0), made.gate.claims.totals()[1]) == (counted, 1_100)
    for order in pair:
        made.answer("accept", order)
        assert (made.gate.claims.worst_case(0), made.gate.claims.totals()[1]) == (counted, 1_100)
    low, high = pair if terms[0] is LOW else pair[::-1]
    made.answer("cancel", high)
    # What is left of the pair counts by itself, at its own price.
    assert (made.gate.claims.worst_case(0), made.gate.claims.totals()[1]) == (counted, 900)
    made.answer("cancel", low)
    assert made.gate.claims.totals() == (0, 0, 0)
    assert len(made.gate.claims) == 0


@pytest.mark.parametrize("kind", ["oco", "bracket"])
@pytest.mark.parametrize(("side", "held", "signs"), [("sell", 10, 1), ("buy", -10, -1)])
def test_either_of_two_exits_may_be_moved_while_nothing_may_raise_exposure(
    side: str, held: float, signs: int, kind: str
) -> None:
    made = rig(max_position_quantity=10, max_gross_exposure=1_500)
    exits = {"take_profit": 100 + 20 * signs, "stop_loss": 100 - 20 * signs}
    if kind == "oco":
        made.hold(held)
        made.order(side, 10, oco=True, **exits)
        target, stop = made.venue.submitted[-2:]
    else:
        entry = made.order("buy" if held > 0 else "sell", 10, **exits)
        made.answer("accept", entry)
        made.fill(entry)
        target, stop = entry.take_profit, entry.stop_loss
    for order in (target, stop):
        made.answer("accept", order)
    made.gate.set_state("reducing", "Ann", "a test")
    counted = made.gate.claims.worst_case(0)
    for order, terms in (
        (stop, {"stop_price": 100 - 15 * signs}), (target, {"limit_price": 100 + 10 * signs}),
    ):  # fmt: skip
        assert made.modify(order, **terms)
        made.answer("modify_rejected", order)
        assert made.gate.claims.worst_case(0) == counted


@pytest.mark.parametrize("place", [0, 1])
def test_a_change_of_either_entry_of_a_pair_adds_what_it_adds_to_both(place: int) -> None:
    """The one at 110 stands for both: 10 are 1,100; at 144 they are all that is allowed."""
    made = rig(max_position_quantity=12, max_gross_exposure=1_440)
    entry = {"symbol": "AAA", "side": "buy", "quantity": 10}
    pair = made.kernel.strategies[0].pair({**entry, **LOW}, {**entry, **HIGH})
    made.settle()
    for order in pair:
        made.answer("accept", order)
    name = ("limit_price", "stop_price")[place]
    assert not made.modify(pair[place], **{name: 144.01})
    assert made.modify(pair[place], **{name: 144})
    assert made.gate.claims.worst_case(0) == (0, 10 * 10**9, 0)
    assert made.gate.claims.totals()[1] == 1_440


@pytest.mark.parametrize("kind", ["oco", "bracket"])
@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("quantity", [5, 10])
def test_the_quantity_of_one_of_a_pair_at_a_venue_cannot_change(
    place: int, quantity: float, kind: str
) -> None:
    """Of 10 in each, 8 of one filled and untold: any quantity of the other came on top of them."""
    made = rig(max_open_orders=9)
    if kind == "oco":
        made.hold(30)
        made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
        pair = made.venue.submitted[-2:]
    else:
        made.hold(20)
        entry = made.order("buy", 10, take_profit=120, stop_loss=80)
        made.answer("accept", entry)
        made.fill(entry)
        pair = list(entry.legs)
    for order in pair:
        made.answer("accept", order)
    assert not made.modify(pair[place], quantity=quantity)
    told = made.gate.report()["denials"]["reason"][-1]
    assert told.startswith("pair_quantity: ")
    assert "cancel both" in told
    assert made.gate.claims.worst_case(0) == (30 * 10**9, 0, 10 * 10**9)
    # What the other one filled is known once that has ended.
    made.answer("cancel", pair[1 - place])
    assert made.modify(pair[place], quantity=quantity)


def test_a_pair_of_which_both_have_filled_counts_what_is_left_after_a_restart() -> None:
    """3 of 10 by the stop, then 2 by the target: 5 are left, and 2 were counted."""
    made = rig(max_open_orders=9)
    made.hold(10)
    made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
    target, stop = pair = made.venue.submitted[-2:]
    for order in pair:
        made.answer("accept", order)
    for order, units, other, left in ((stop, 3, target, 7), (target, 2, stop, 8)):
        made.fill(order, units)
        made.answer("modified", other, quantity=left)
        assert made.gate.claims.worst_case(0)[2] == (left - other.filled_quantity) * 10**9
    assert [order.leaves_quantity for order in pair] == [5, 5]
    again, kernel = RiskEngine(Limits(max_open_orders=9)), made.kernel
    again.attach(
        account=kernel.account, cache=kernel.cache, clock=kernel.clock, desk=kernel.desk,
        records=kernel.records, strategies=kernel.strategies,
    )  # fmt: skip
    again.resync()
    assert again.claims.worst_case(0) == (5 * 10**9, 0, 5 * 10**9)


@pytest.mark.parametrize(("side", "held"), [("sell", 10), ("buy", -10)])
def test_exits_leave_room_for_others_once_both_of_a_pair_are_canceled(
    side: str, held: float
) -> None:
    made = rig(max_open_orders=9)
    made.hold(held)
    high, low = (120, 80) if held > 0 else (80, 120)
    made.order(side, 10, oco=True, take_profit=high, stop_loss=low)
    target, stop = made.venue.submitted[-2:]
    for order in (target, stop):
        made.answer("accept", order)
    made.gate.set_state("reducing", "Ann", "a test")
    made.cancel(target)
    if stop not in made.venue.withdrawn:
        assert code(made.order(side, 10)) == "trading_state"
        made.cancel(stop)
    assert code(made.order(side, 10)) == ""


@pytest.mark.parametrize(("side", "held"), [("sell", 10), ("buy", -10)])
def test_exits_leave_room_while_their_cancel_is_under_way_and_no_longer(
    side: str, held: float
) -> None:
    made = rig(max_open_orders=9)
    made.hold(held)
    exit = made.order(side, 10, limit_price=120 if held > 0 else 80)
    made.answer("accept", exit)
    made.gate.set_state("reducing", "Ann", "a test")
    assert code(made.order(side, 1)) == "trading_state"
    assert made.cancel(exit)
    assert made.gate.could_raise(exit) is False
    made.answer("cancel_rejected", exit)
    assert code(made.order(side, 1)) == "trading_state"
    assert made.cancel(exit)
    first = made.order(side, 6)
    assert code(first) == ""
    assert code(made.order(side, 5)) == "trading_state"
    assert code(made.order(side, 4)) == ""
    made.answer("cancel", exit)
    assert code(made.order(side, "0.000000001")) == "trading_state"


@pytest.mark.parametrize(
    "exits", [{"stop_loss": 80}, {"take_profit": 120}, {"take_profit": 120, "stop_loss": 80}]
)
def test_exits_count_from_what_their_entry_has_filled(exits: dict[str, float]) -> None:
    made = rig(max_open_orders=9)
    entry = made.order("buy", 10, limit_price=100, **exits)
    made.answer("accept", entry)
    assert made.gate.claims.worst_case(0) == (0, 10 * 10**9, 0)
    made.fill(entry, "0.000000001")
    assert made.gate.claims.worst_case(0) == (1, 10 * 10**9 - 1, 1)
    for filled, price in ((4, 120), (10, 120)):
        units = filled * 10**9
        made.fill(entry, Decimal(units - made.gate.claims.worst_case(0)[0]).scaleb(-9))
        assert made.gate.claims.worst_case(0) == (units, 10 * 10**9 - units, units)
        worst = price if "take_profit" in exits else 100
        assert made.gate.claims.totals()[2] == filled * worst


def test_the_dearer_of_a_pair_is_the_one_that_is_dearer_now() -> None:
    made = rig(max_gross_exposure=1_000_000)
    terms = {"symbol": "AAA", "side": "sell", "quantity": 10}
    pair = made.kernel.strategies[0].pair(
        {**terms, "limit_price": 120}, {**terms, "limit_price": 130}
    )
    made.settle()
    for order in pair:
        made.answer("accept", order)
    assert made.gate.claims.totals()[2] == 1_300
    for price, worst in ((140, 1_400), (125, 1_300), (135, 1_350), (130, 1_300), (110, 1_300)):
        made.answer("modified", pair[0], limit_price=price)
        assert made.gate.claims.totals()[2] == worst
        assert made.gate.claims.worst_case(0) == (0, 0, 10 * 10**9)


def test_what_the_venue_makes_of_one_of_a_pair_is_what_the_pair_may_fill() -> None:
    made = rig(max_gross_exposure=1_000_000)
    made.hold(20)
    made.order("sell", 10, oco=True, take_profit=120, stop_loss=80)
    target, stop = made.venue.submitted[-2:]
    for order in (target, stop):
        made.answer("accept", order)
    made.answer("modified", stop, quantity=14)
    assert made.gate.claims.worst_case(0)[2] == 14 * 10**9
    made.fill(target, 10)
    # Four of its fourteen are left, whatever the other was of.
    assert made.gate.claims.worst_case(0)[2] == 4 * 10**9


def test_each_of_a_pair_of_opposite_sides_stands_for_itself_and_what_one_fills_both_have() -> None:
    made = rig(max_open_orders=9)
    made.hold(10)
    terms = {"symbol": "AAA", "quantity": 10}
    pair = made.kernel.strategies[0].pair(
        {**terms, "side": "sell", "limit_price": 120}, {**terms, "side": "buy", "limit_price": 80}
    )
    made.settle()
    for order in pair:
        made.answer("accept", order)
    assert made.gate.claims.worst_case(0) == (10 * 10**9, 10 * 10**9, 10 * 10**9)
    made.gate.set_state("reducing", "Ann", "a test")
    # Neither is on its way out.
    assert code(made.order("sell", 1)) == "trading_state"
    made.fill(pair[1], 4)
    assert made.gate.claims.worst_case(0) == (14 * 10**9, 6 * 10**9, 6 * 10**9)
