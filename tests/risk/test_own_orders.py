"""Own orders that are alike, or would meet: judged as a look at all of them would."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code


def rig(**limits: Any) -> GateRig:
    return GateRig(
        RiskEngine(Limits(**limits)), symbols=("AAA", "BBB"), prices=100, strategies=2,
        account="margin",
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_duplicates_are_those_that_a_look_at_every_order_finds(seed: int) -> None:
    rng = random.Random(seed)
    made = rig(duplicate_window="10s")
    sent: list[tuple[int, tuple[Any, ...]]] = []
    denied = 0
    for _ in range(600):
        made.wait(f"{rng.choice((0, 0, 1, 3, 11))}s")
        terms = (
            rng.choice(("buy", "sell")), rng.choice((1, 2, 2.5)), rng.choice(("AAA", "BBB")),
            rng.randrange(2), rng.choice((None, 99.0)), rng.choice((None, 98.0, 102.0)),
        )  # fmt: skip
        side, quantity, symbol, strategy, limit, stop = terms
        is_like = any(made.now - ts < 10**10 and other == terms for ts, other in sent)
        prices = {"limit_price": limit, "stop_price": stop}
        given = {name: price for name, price in prices.items() if price is not None}
        order = made.order(side, quantity, symbol, strategy, **given)
        assert code(order) == ("duplicate_order" if is_like else "")
        denied += is_like
        if not is_like:
            sent.append((made.now, terms))
    assert denied > 5


class Resting:
    """What rests where, by a list of all that ever did."""

    def __init__(self, made: GateRig, rng: random.Random) -> None:
        self.made = made
        self.rng = rng
        self.prices: dict[Any, float] = {}

    def would_meet(self, side: str, price: float | None, symbol: str) -> bool:
        others = [
            at for order, at in self.prices.items()
            if order.symbol == symbol and order.side.name.lower() != side
        ]  # fmt: skip
        if price is None:
            return bool(others)
        return any(price >= at if side == "buy" else price <= at for at in others)

    def place(self) -> bool:
        side, symbol = self.rng.choice(("buy", "sell")), self.rng.choice(("AAA", "BBB"))
        price = self.rng.choice((None, *range(90, 111)))
        meets = self.would_meet(side, price, symbol)
        terms = {} if price is None else {"limit_price": price}
        order = self.made.order(side, 1, symbol, **terms)
        assert code(order) == ("self_match" if meets else "")
        if not meets and price is None:
            self.made.answer("reject", order)
        elif not meets:
            self.made.answer("accept", order)
            self.prices[order] = price
        return meets

    def move(self, order: Any) -> bool:
        price = float(self.rng.randrange(90, 111))
        meets = self.would_meet(order.side.name.lower(), price, order.symbol)
        left = self.made.modify(order, limit_price=price)
        assert left is not meets or price == self.prices[order]
        if left:
            self.made.answer("modified", order, limit_price=price)
            self.prices[order] = price
        return not left

    def end(self, order: Any) -> None:
        self.made.answer(self.rng.choice(("cancel", "expire")), order)
        del self.prices[order]


@pytest.mark.parametrize("seed", range(4))
def test_own_orders_meet_where_a_look_at_all_that_rest_says_so(seed: int) -> None:
    rng = random.Random(seed)
    known = Resting(rig(deny_self_match=True), rng)
    denied = 0
    for _ in range(400):
        kind = rng.randrange(6) if known.prices else 0
        if kind < 3:
            denied += known.place()
        elif kind < 4:
            denied += known.move(rng.choice(list(known.prices)))
        else:
            known.end(rng.choice(list(known.prices)))
    assert denied > 20


def test_the_least_quantity_that_rests_is_met() -> None:
    made = GateRig(
        RiskEngine(Limits(deny_self_match=True)), prices=100, account="margin",
        symbols=(Instrument("AAA", decimals=0),),
    )  # fmt: skip
    made.answer("accept", made.order("sell", 1, limit_price=101))
    assert code(made.order("buy", 1, limit_price=101)) == "self_match"


def test_an_order_is_not_moved_onto_an_own_one() -> None:
    made = rig(deny_self_match=True)
    for side, price in (("sell", 101), ("buy", 99)):
        made.answer("accept", made.order(side, 1, limit_price=price))
    buy = made.venue.submitted[1]
    assert not made.modify(buy, limit_price=101)
    assert buy.limit_price == 99
    assert made.modify(buy, limit_price=100.99)


def test_while_a_change_waits_for_its_answer_an_order_may_rest_at_either_price() -> None:
    made = rig(deny_self_match=True)
    resting = made.order("sell", 1, limit_price=101)
    made.answer("accept", resting)
    assert made.modify(resting, limit_price=105)
    assert code(made.order("buy", 1, limit_price=101)) == "self_match"
    made.answer("modified", resting, limit_price=105)
    assert code(made.order("buy", 1, limit_price=101)) == ""
    assert made.modify(resting, limit_price=103)
    assert code(made.order("buy", 2, limit_price=103)) == "self_match"
    made.answer("modify_rejected", resting)
    assert code(made.order("buy", 2, limit_price=103)) == ""
    assert code(made.order("buy", 2, limit_price=105)) == "self_match"


@pytest.mark.parametrize(("side", "other", "sign"), [("buy", "sell", 1), ("sell", "buy", -1)])
def test_a_change_on_its_way_by_the_least_step_is_met_there(
    side: str, other: str, sign: int
) -> None:
    made = rig(deny_self_match=True)
    order = made.order(side, 1, limit_price=100)
    made.answer("accept", order)
    moved = 100 + sign * Decimal("0.000000001")
    assert made.modify(order, limit_price=moved)
    assert code(made.order(other, 1, limit_price=moved + sign * Decimal("0.000000001"))) == ""
    assert code(made.order(other, 1, limit_price=moved)) == "self_match"


def test_an_exit_rests_once_its_entry_has_filled() -> None:
    made = rig(deny_self_match=True)
    entry = made.order("buy", 1, limit_price=100, take_profit=110, stop_loss=90)
    made.answer("accept", entry)
    assert code(made.order("buy", 1, limit_price=111)) == ""
    made.fill(entry, price=100)
    made.answer("accept", entry.take_profit)
    made.answer("accept", entry.stop_loss)
    assert code(made.order("buy", 1, limit_price=109)) == ""
    assert code(made.order("buy", 1, limit_price=110)) == "self_match"
    assert code(made.order("buy", 1)) == "self_match"
    made.fill(entry.take_profit, price=110)
    assert code(made.order("buy", 1)) == ""


def test_a_stop_order_with_a_limit_rests_once_it_is_triggered() -> None:
    made = rig(deny_self_match=True)
    order = made.order("sell", 1, stop_price=98, limit_price=99)
    made.answer("accept", order)
    assert code(made.order("buy", 1, limit_price=99)) == ""
    made.answer("trigger", order)
    assert code(made.order("buy", 2, limit_price=99)) == "self_match"


def test_orders_that_rested_before_the_limit_was_set_are_met_as_well() -> None:
    made = rig(max_order_quantity=5)
    made.answer("accept", made.order("sell", 1, limit_price=101))
    assert code(made.order("buy", 1, limit_price=101, strategy=1)) == ""
    made.answer("cancel", made.venue.submitted[-1])
    made.gate.set_limits(Limits(deny_self_match=True), "Ann", "no washing")
    assert code(made.order("buy", 1, limit_price=101)) == "self_match"
    assert code(made.order("buy", 1, limit_price=100)) == ""


def test_what_waits_for_its_price_hides_nothing_that_rests() -> None:
    made = rig(max_order_quantity=5)
    for side, stop, limit in (("sell", 95, 101), ("buy", 105, 99)):
        made.answer("accept", made.order(side, 1, stop_price=stop))
        made.answer("accept", made.order(side, 1, limit_price=limit))
    made.gate.set_limits(Limits(deny_self_match=True), "Ann", "no washing")
    assert code(made.order("buy", 1, limit_price=101)) == "self_match"
    assert code(made.order("sell", 1, limit_price=99)) == "self_match"


def test_an_exit_may_be_moved_onto_an_own_order() -> None:
    made = rig(deny_self_match=True)
    made.hold(5)
    exit = made.order("sell", 5, limit_price=110)
    entry = made.order("buy", 1, limit_price=99)
    for order in (exit, entry):
        made.answer("accept", order)
    assert made.modify(exit, limit_price=99)


def test_where_own_orders_may_meet_an_entry_is_moved_onto_one() -> None:
    made = rig(deny_self_match=True)
    sell, buy = made.order("sell", 1, limit_price=101), made.order("buy", 1, limit_price=99)
    for order in (sell, buy):
        made.answer("accept", order)
    assert not made.modify(buy, limit_price=101)
    made.gate.set_limits(Limits(max_order_quantity=5), "Ann", "they may")
    assert made.modify(buy, limit_price=101)


def test_orders_that_rested_before_a_permissive_gate_was_restricted_are_met() -> None:
    made = GateRig(RiskEngine(), prices=100)
    made.answer("accept", made.order("sell", 1, limit_price=101))
    made.order("sell", 1, limit_price=95)
    made.gate.set_limits(Limits(deny_self_match=True), "Ann", "no washing")
    # One that the venue has not answered may rest already.
    assert code(made.order("buy", 1, limit_price=95)) == "self_match"
    made.answer("reject", made.venue.submitted[1])
    assert code(made.order("buy", 1, limit_price=100)) == ""
    assert code(made.order("buy", 1, limit_price=101)) == "self_match"


def test_an_order_accepted_late_may_rest_where_a_change_on_its_way_takes_it() -> None:
    made = rig(deny_self_match=True)
    resting = made.order("sell", 1, limit_price=105)
    assert made.modify(resting, limit_price=102)
    made.answer("accept", resting)
    assert code(made.order("buy", 1, limit_price=102)) == "self_match"
    made.answer("modify_rejected", resting)
    assert code(made.order("buy", 1, limit_price=102)) == ""
    assert code(made.order("buy", 2, limit_price=105)) == "self_match"


@pytest.mark.parametrize(("side", "other"), [("sell", "buy"), ("buy", "sell")])
def test_an_order_that_is_on_its_way_may_rest_already(side: str, other: str) -> None:
    made = rig(deny_self_match=True)
    resting = made.order(side, 1, limit_price=100)
    assert resting.status == "SENT"
    assert code(made.order(other, 1, limit_price=100)) == "self_match"
    made.answer("reject", resting)
    assert code(made.order(other, 1, limit_price=100)) == ""
