"""Leaving positions: exits that come to nothing, kills that are not over, several strategies."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pyrt.core.account_rules import account_rules
from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine, TradingState
from pyrt.testing.gates import GateRig
from tests.risk.test_checks import code


def rig(**limits: Any) -> GateRig:
    return GateRig(
        RiskEngine(Limits(**limits)), symbols=("AAA", "BBB"), prices=100, strategies=2,
        account="margin",
    )  # fmt: skip


def held(made: GateRig, symbol: str = "AAA") -> list[float]:
    return [strategy.position(symbol).quantity for strategy in made.kernel.strategies]


def scopes(made: GateRig) -> list[tuple[str, str]]:
    return [(change.scope, change.after) for change in made.gate.changes]


# -- exits that come to nothing --------------------------------------------------------------------


@pytest.mark.parametrize("scope", [{"symbol": "AAA"}, {"strategy": "A"}])
def test_an_exit_that_may_not_leave_is_told_of_once_and_not_sent(scope: dict[str, str]) -> None:
    made = rig(max_position_loss=50)
    made.hold(10)
    made.gate.set_state("halted", "Ann", "odd prices", **scope)
    for cents in range(200):
        made.wait("1s")
        made.price(90 - cents / 100)
    assert scopes(made)[1:] == [("position AAA", "barred")]
    assert len(made.venue.submitted) == 1
    assert made.kernel.records.orders.count == 1
    made.gate.set_state("active", "Ann", "prices are fine", **scope)
    made.price(88)
    assert made.venue.submitted[-1].quantity == 10


def test_an_exit_that_is_refused_is_sent_again_ever_later_and_told_of_once() -> None:
    made = rig(max_position_loss=50)
    made.hold(10)
    sent: list[int] = []
    for second in range(50):
        made.price(90)
        if len(made.venue.submitted) > 1 + len(sent):
            made.answer("reject", made.venue.submitted[-1])
            sent.append(second)
        made.wait("1s")
    assert sent == [0, 1, 3, 7, 15, 25, 35, 45]
    assert scopes(made) == [("position AAA", "leaving")]


def test_a_position_that_was_left_and_opened_again_is_left_at_once() -> None:
    made = rig(max_position_loss=50)
    made.hold(10)
    made.price(90)
    made.answer("reject", made.venue.submitted[-1])
    made.wait("1s")
    made.price(89)
    made.fill(made.venue.submitted[-1])
    made.price(100)
    made.hold(10)
    made.price(94)
    assert (made.venue.submitted[-1].side.name, made.venue.submitted[-1].status) == ("SELL", "SENT")


def test_an_exit_that_is_barred_again_is_told_of_again() -> None:
    made = rig(max_position_loss=50)
    made.hold(10)
    for _ in range(2):
        made.gate.set_state("halted", "Ann", "odd prices", symbol="AAA")
        for price in (90, 89):
            made.wait("11s")
            made.price(price)
        made.gate.set_state("active", "Ann", "prices are fine", symbol="AAA")
        made.price(90)
        made.answer("expire", made.venue.submitted[-1])
    told = [after for scope, after in scopes(made) if scope == "position AAA"]
    assert told == ["barred", "leaving", "barred"]


# -- a kill that is not over -----------------------------------------------------------------------


def test_a_kill_waits_for_entries_that_may_still_fill() -> None:
    made = rig(max_order_quantity=100)
    entry = made.order("buy", 10, limit_price=100)
    made.answer("accept", entry)
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    assert made.gate.state() == TradingState.REDUCING
    # The cancel is on its way, and too late for a part.
    made.fill(entry, 4)
    assert held(made) == [4, 0]
    made.answer("cancel", entry)
    exit = made.venue.submitted[-1]
    assert (exit.side.name, exit.quantity) == ("SELL", 4)
    made.fill(exit)
    assert made.gate.state() == TradingState.HALTED


def test_a_kill_with_nothing_held_and_nothing_working_halts_at_once() -> None:
    made = rig(max_order_quantity=100)
    made.gate.kill("Ann", "enough", flatten=True)
    assert made.gate.state() == TradingState.HALTED


def test_a_kill_leaves_what_a_bracket_has_filled_in_part() -> None:
    made = rig(max_order_quantity=100)
    entry = made.order("buy", 10, limit_price=100, take_profit=120, stop_loss=80)
    made.answer("accept", entry)
    made.fill(entry, 4)
    for leg in entry.legs:
        made.answer("accept", leg)
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    assert set(made.venue.withdrawn) == {entry, *entry.legs}
    made.fill(entry, 1)
    for order in (entry, *entry.legs):
        made.answer("cancel", order)
    assert code(made.order("buy", 1)) == "trading_state"
    # What filled after the exit was made leaves after it.
    for quantity in (4, 1):
        exit = made.venue.submitted[-1]
        assert (exit.side.name, exit.quantity, exit.status) == ("SELL", quantity, "SENT")
        made.fill(exit)
    assert (held(made), made.gate.state()) == ([0, 0], TradingState.HALTED)


def test_a_kill_whose_exits_are_throttled_tries_again_with_the_prices() -> None:
    made = rig(max_orders_per_minute=2)
    made.hold(10)
    made.hold(10, "BBB")
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    assert len(made.venue.submitted) == 2
    for _ in range(69):
        made.wait("1s")
        made.price(100)
    exits = made.venue.submitted[2:]
    assert [(o.symbol, o.side.name) for o in exits] == [("AAA", "SELL"), ("BBB", "SELL")]
    for order in exits:
        made.fill(order)
    assert made.gate.state() == TradingState.HALTED


@pytest.mark.parametrize("end", ["reject", "cancel", "expire"])
def test_a_kill_does_not_send_an_exit_again_in_the_same_breath(end: str) -> None:
    made = rig(max_order_quantity=100)
    made.hold(10)
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    made.answer(end, made.venue.submitted[-1])
    made.price(100)
    assert len(made.venue.submitted) == 2
    made.wait("1s")
    made.price(100)
    exit = made.venue.submitted[2]
    made.fill(exit, 4)
    made.answer("cancel", exit)
    made.wait("2s")
    made.price(100)
    assert made.venue.submitted[3].quantity == 6
    made.fill(made.venue.submitted[3])
    assert made.gate.state() == TradingState.HALTED


@pytest.mark.parametrize("state", ["active", "halted", "reducing"])
def test_whoever_sets_the_state_of_everything_ends_a_kill(state: str) -> None:
    made = rig(max_orders_per_minute=1)
    made.hold(10)
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    made.gate.set_state(state, "Bob", "no, wait")
    for _ in range(70):
        made.wait("1s")
        made.price(100)
    assert len(made.venue.submitted) == 1
    assert made.gate.state() == TradingState[state.upper()]


@pytest.mark.parametrize("scope", [{"strategy": "B"}, {"symbol": "BBB"}])
def test_a_state_of_one_alone_ends_no_kill(scope: dict[str, str]) -> None:
    made = rig(max_orders_per_minute=1)
    made.hold(10)
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    made.gate.set_state("active", "Bob", "about something else", **scope)
    made.wait("70s")
    made.price(100)
    exit = made.venue.submitted[-1]
    assert (exit.side.name, exit.quantity) == ("SELL", 10)


def test_a_kill_goes_on_after_a_restart() -> None:
    made = rig(max_orders_per_minute=1)
    made.hold(10)
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    again = rig(max_orders_per_minute=1)
    again.hold(10)
    again.gate.restore(json.loads(json.dumps(made.gate.save())))
    again.wait("1m")
    again.price(100)
    exit = again.venue.submitted[-1]
    assert (exit.side.name, exit.quantity, exit.status) == ("SELL", 10, "SENT")
    again.fill(exit)
    assert again.gate.state() == TradingState.HALTED


def test_an_exit_that_fills_in_parts_is_the_one_exit() -> None:
    made = rig(max_order_quantity=100)
    made.hold(10)
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    exit = made.venue.submitted[-1]
    for part in (4, 5, 1):
        assert (len(made.venue.submitted), made.venue.withdrawn) == (2, [])
        assert [after for _, after in scopes(made)] == ["REDUCING", "leaving"]
        made.fill(exit, part)
    assert [after for _, after in scopes(made)] == ["REDUCING", "leaving", "HALTED"]


def test_a_kill_leaves_the_least_that_can_be_held() -> None:
    made = rig(max_order_quantity=100)
    made.hold(1e-9)
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    assert [order.side.name for order in made.venue.submitted] == ["BUY", "SELL"]


def test_a_second_kill_does_not_wait_for_the_first_to_try_again() -> None:
    made = rig(max_order_quantity=100)
    made.hold(10)
    for actor in ("Ann", "Bob"):
        made.gate.kill(actor, "enough", flatten=True)
        made.settle()
        made.answer("reject", made.venue.submitted[-1])
    assert len(made.venue.submitted) == 3
    killed = [change for change in made.gate.changes if change.scope == "all"]
    assert [(c.actor, c.reason) for c in killed] == [("Ann", "enough"), ("Bob", "enough")]


@pytest.mark.parametrize("again", [10, -10])
def test_every_kill_is_on_record_for_what_it_leaves(again: float) -> None:
    made = rig()
    for quantity in (10, again):
        made.hold(quantity)
        made.gate.kill("Ann", "enough", flatten=True)
        made.settle()
        exit = made.venue.submitted[-1]
        assert exit.quantity == 10
        made.fill(exit)
        assert made.gate.state() == TradingState.HALTED
        made.gate.set_state("active", "Ann", "go on")
    assert [after for _, after in scopes(made)] == ["REDUCING", "leaving", "HALTED", "ACTIVE"] * 2


# -- what leaves by itself -------------------------------------------------------------------------


def test_a_daily_loss_leaves_nothing_where_a_person_has_halted_all() -> None:
    made = rig(halt_daily_loss=100, halt_flattens=True)
    made.hold(10)
    made.sample()
    made.gate.set_state("halted", "Ann", "odd prices")
    made.price(50)
    made.sample()
    assert (made.gate.state(), len(made.venue.submitted)) == (TradingState.HALTED, 1)
    assert made.gate.changes[-1].reason.startswith("halt_daily_loss: loss 500.00")
    assert [after for _, after in scopes(made)] == ["HALTED", "HALTED"]


CALLED = account_rules("margin").replace(on_call="liquidate")


def test_a_margin_call_leaves_what_is_worth_most_in_base_currency() -> None:
    yen = Instrument("JJJ", currency="JPY")
    made = GateRig(RiskEngine(), cash=100_000, symbols=("AAA", yen), account=CALLED)
    made.kernel.account.set_rate("JPY", "0.01")
    for symbol, quantity in (("AAA", 1_990), ("JJJ", 3_000)):
        made.price(100, symbol)
        made.hold(quantity, symbol)
    made.price(66)
    made.sample()
    # 131,340 dollars against 300,000 yen, which are 3,000 dollars.
    assert [order.symbol for order in made.venue.submitted[2:]] == ["AAA"]


def test_of_positions_worth_the_same_a_margin_call_leaves_the_first() -> None:
    made = GateRig(
        RiskEngine(), cash=100_000, symbols=("AAA", "BBB"), prices=100, account=CALLED
    )  # fmt: skip
    for symbol in ("AAA", "BBB"):
        made.hold(1_000, symbol)
    for symbol in ("AAA", "BBB"):
        made.price(66, symbol)
    made.sample()
    assert [order.symbol for order in made.venue.submitted[2:]] == ["AAA"]


def test_an_exit_of_a_margin_call_that_is_refused_is_sent_again() -> None:
    made = GateRig(RiskEngine(), cash=100_000, prices=100, account=CALLED)
    made.hold(2_000)
    made.price(66)
    for sent in (2, 3):
        made.sample()
        assert len(made.venue.submitted) == sent
        made.answer("reject", made.venue.submitted[-1])
        made.sample()
        assert len(made.venue.submitted) == sent
        made.wait("2s")


@pytest.mark.parametrize(
    ("cash", "denied"), [("101000", ""), ("100999.999999999999999999", "margin_call")]
)
def test_the_least_that_equity_lacks_is_a_margin_call(cash: str, denied: str) -> None:
    made = GateRig(
        RiskEngine(),
        cash=cash,
        prices=100,
        account=account_rules("margin").replace(on_call="block"),
    )
    made.hold(2_000)
    # A quarter of 132,000 is 33,000: all that is left of 101,000 after a loss of 68,000.
    made.price(66)
    made.sample()
    assert code(made.order("buy", 1)) == denied


def test_a_margin_call_passes_over_what_may_not_leave() -> None:
    made = GateRig(
        RiskEngine(), cash=100_000, symbols=("AAA", "BBB"), prices=100, strategies=2,
        account=CALLED,
    )  # fmt: skip
    made.hold(1_500)
    made.hold(500, "BBB", strategy=1)
    made.gate.set_state("halted", "Ann", "it repeats itself", strategy="A")
    for symbol in ("AAA", "BBB"):
        made.price(66, symbol)
    made.sample()
    assert [order.symbol for order in made.venue.submitted[2:]] == ["BBB"]
    assert scopes(made)[-2:] == [("position AAA", "barred"), ("position BBB", "leaving")]
    # With all that could leave on its way out, the rest is told of once.
    made.sample()
    made.fill(made.venue.submitted[-1])
    made.sample()
    assert scopes(made).count(("position AAA", "barred")) == 1


# -- several strategies in one symbol --------------------------------------------------------------


def test_what_reduces_the_account_may_not_open_a_position_of_its_strategy() -> None:
    made = rig(max_order_quantity=1_000)
    made.hold(100)
    assert code(made.order("sell", 5, strategy=1, limit_price=200)) == ""
    made.gate.set_state("reducing", "Ann", "no new positions")
    assert code(made.order("sell", 5, strategy=1)) == "trading_state"
    assert code(made.order("sell", 5)) == ""


@pytest.mark.parametrize(
    ("quantities", "rest"),
    [
        ((100, -40), [0, 0]),
        ((-100, 40), [0, 0]),
        ((40, -100), [0, 0]),
        # As large on the other side is not larger.
        ((40, -20), [0, 0]),
        # Leaving 50 of 20 would make the account's position larger: 30 stay, of either.
        ((-30, 50), [-30, 30]),
        ((50, -30), [30, -30]),
        # The account holds nothing.
        ((70, -70), [70, -70]),
    ],
)
def test_a_kill_leaves_what_the_account_holds_and_makes_it_no_larger(
    quantities: tuple[int, int], rest: list[int]
) -> None:
    made = rig(max_order_quantity=1_000)
    for strategy, quantity in enumerate(quantities):
        made.hold(quantity, strategy=strategy)
    size = abs(sum(quantities))
    made.gate.kill("Ann", "enough", flatten=True)
    made.settle()
    for _ in range(2):
        for order in [order for order in made.venue.submitted if order.status == "SENT"]:
            made.fill(order)
            assert abs(sum(held(made))) <= size
    assert (sum(held(made)), made.gate.state()) == (0, TradingState.HALTED)
    assert held(made) == rest


# -- what is remembered when limits change ---------------------------------------------------------


def test_an_order_is_a_duplicate_of_one_sent_under_other_limits() -> None:
    made = rig(duplicate_window="10s")
    made.order("buy", 1)
    made.wait("5s")
    made.gate.set_limits(Limits(duplicate_window="20s"), "Ann", "longer")
    assert code(made.order("buy", 1)) == "duplicate_order"
    assert code(made.order("buy", 2)) == ""
    made.wait("14s")
    assert code(made.order("buy", 1)) == "duplicate_order"
    made.wait("1s")
    assert code(made.order("buy", 1)) == ""
    made.gate.set_limits(Limits(duplicate_window="1s"), "Ann", "shorter")
    made.wait("1s")
    assert code(made.order("buy", 1)) == ""


def test_a_longer_window_reaches_back_past_a_pause() -> None:
    made = rig(duplicate_window="10s")
    for quantity in range(1, 9):
        made.order("buy", quantity)
    made.wait("11s")
    made.order("buy", 9)
    made.gate.set_limits(Limits(duplicate_window="40s"), "Ann", "longer")
    made.wait("28s")
    found = [code(made.order("buy", quantity)) for quantity in range(1, 11)]
    assert found == ["duplicate_order"] * 9 + [""]
    made.wait("1s")
    assert code(made.order("buy", 1)) == ""


def test_fills_in_a_row_are_held_to_the_limit_of_now() -> None:
    made = rig(max_repeated_executions=10)
    for _ in range(4):
        made.fill(made.order("buy", 1))
    made.gate.set_limits(Limits(max_repeated_executions=4), "Ann", "fewer")
    order = made.order("buy", 1)
    assert order.status == "SENT"
    made.fill(order)
    assert code(made.order("buy", 1)) == "trading_state"


def sized(made: GateRig, count: int) -> GateRig:
    for _ in range(count):
        made.fill(made.order("buy", 1))
    return made


def test_sizes_are_remembered_over_restarts_and_other_limits() -> None:
    limits = {"fat_finger_multiple": 3, "fat_finger_orders": 12}
    first = sized(rig(**limits), 10)
    assert code(first.order("buy", 4)) == "fat_finger"
    second = rig(**limits)
    second.gate.restore(json.loads(json.dumps(first.gate.save())))
    assert second.gate.save()["sizes"] == {"A": [100.0] * 10}
    assert code(second.order("buy", 4)) == "fat_finger"
    assert code(second.order("buy", 4, strategy=1)) == ""
    second.gate.set_limits(Limits(fat_finger_multiple=2, fat_finger_orders=10), "Ann", "tighter")
    assert code(second.order("buy", 3)) == "fat_finger"
    # Eleven of two take the place of those of one.
    for _ in range(11):
        second.fill(second.order("buy", 2, limit_price=100))
    assert second.gate.save()["sizes"]["A"] == [200.0] * 10
    assert code(second.order("buy", 4)) == ""
    second.gate.set_limits(Limits(max_order_quantity=100), "Ann", "no history")
    assert second.gate.save()["sizes"] == {}
