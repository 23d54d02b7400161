"""Orders that only leave: nothing takes them for entries, whatever their type. By hand."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.execution import ExecutionAlgorithm
from pyrt.live.core.notes import cancel_entries
from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, play

FLAT = (100, 100, 100, 100)
BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)


def rig(**options: Any) -> Any:
    return GateRig(RiskEngine(), prices=100, account="margin", **options)


def side(quantity: float) -> str:
    return "buy" if quantity > 0 else "sell"


# -- what is one ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("held", "quantity", "terms", "leaves"),
    [
        (10, -10, {}, True),
        (10, -10, {"limit_price": 110}, True),
        (10, -10, {"stop_price": 90}, True),
        (10, -10.000000001, {}, False),
        (10, -10.000000001, {"stop_price": 90}, False),
        (10, 1, {}, False),
        (-10, 10, {}, True),
        (-10, 10, {"stop_price": 110}, True),
        (-10, 10.000000001, {}, False),
        (-10, -1, {}, False),
        (0, 10, {}, False),
        (0, -10, {}, False),
        # Nobody knows what a value comes to.
        (10, None, {"notional": 1}, False),
        # The venue sees to it.
        (10, -20, {"reduce_only": True}, True),
    ],
)
def test_an_order_leaves_that_can_take_back_what_is_held_and_no_more(
    held: float, quantity: Any, terms: Any, leaves: bool
) -> None:
    made = rig()
    if held:
        made.hold(held)
    units = None if quantity is None else abs(quantity)
    order = made.order("sell" if quantity is None else side(quantity), units, **terms)
    assert order.is_exit is leaves


def test_of_several_at_the_market_those_leave_that_find_something() -> None:
    """Each alone would do no more; of a strategy that floods all would have been left alone."""
    made = rig()
    made.hold(10)
    made.order("sell", 10, stop_price=90)
    made.order("buy", 3)
    orders = [made.order("sell", quantity) for quantity in (6, 4, 1)]
    assert [order.is_exit for order in orders] == [True, True, False]


def test_a_worked_order_takes_what_its_parts_do_once() -> None:
    made = rig()
    made.hold(10)
    order = made.order("sell", 6, algorithm=ByHand())
    order.algorithm.send(2)
    made.settle()
    assert [made.order("sell", quantity).is_exit for quantity in (4, 1)] == [True, False]


def test_what_has_filled_of_it_is_no_longer_held() -> None:
    made = rig()
    made.hold(10)
    first = made.order("sell", 6)
    made.fill(first, 2)
    assert [made.order("sell", quantity).is_exit for quantity in (4, 1)] == [True, False]


@pytest.mark.parametrize(("wanted", "leaves"), [(0, True), (4, True), (-1, False), (11, False)])
def test_so_does_an_order_to_a_target(wanted: float, leaves: bool) -> None:
    made = rig()
    made.hold(10)
    assert made.kernel.strategies[0].target_position(SYMBOL, wanted).is_exit is leaves


GUARD = {"side": "sell", "symbol": SYMBOL, "quantity": 10}


@pytest.mark.parametrize(
    "pair",
    [
        ({"limit_price": 110}, {"stop_price": 90}),
        ({"limit_price": 110}, {"trail_percent": 2}),
        ({"limit_price": 110}, {"stop_price": 90, "time_in_force": "day"}),
        ({"limit_price": 110}, {"stop_price": 90, "quantity": 6}),
        ({"limit_price": 110}, {"limit_price": 120}),
        ({"limit_price": 110, "reduce_only": True}, {"stop_price": 90, "reduce_only": True}),
    ],
)
def test_a_pair_that_guards_is_not_bought_back_by_a_target(pair: Any) -> None:
    """Of a pair that no exchange knows the guards counted as sold: a second ten was bought."""
    for able in (None, BARE):
        made = rig(capabilities=able)
        made.hold(10)
        strategy = made.kernel.strategies[0]
        guards = strategy.pair(*({**GUARD, **terms} for terms in pair))
        made.settle()
        assert [order.is_exit for order in guards] == [True, True]
        assert strategy.target_position(SYMBOL, 10) is None
        assert strategy.target_position(SYMBOL, 15).quantity == 5


def test_one_of_a_pair_that_could_open_is_no_way_out() -> None:
    made = rig()
    made.hold(10)
    strategy = made.kernel.strategies[0]
    first, second = strategy.pair(
        {**GUARD, "stop_price": 90}, {**GUARD, "side": "buy", "stop_price": 110}
    )
    assert (first.is_exit, second.is_exit) == (True, False)


# -- who leaves them alone -----------------------------------------------------------------------


def broken(step: Any) -> Any:
    def run(strategy: Any) -> None:
        step(strategy)
        raise ValueError("a mistake")

    return run


@pytest.mark.parametrize(
    "step", [lambda s: s.close(SYMBOL), lambda s: s.sell(SYMBOL, 10), lambda s: None]
)
def test_a_strategy_that_fails_as_it_leaves_has_left(step: Any) -> None:
    """Its stop was canceled for the close, and the close was canceled as an entry."""
    run = play(
        [FLAT, FLAT, FLAT, (100, 100, 80, 80), FLAT],
        {0: lambda s: s.buy(SYMBOL, 10, stop_loss=90), 2: broken(step)},
        engine={"on_error": "halt"},
    )
    assert sum(quantity for _, quantity, _ in run.fills) == 0


def test_a_strategy_that_fails_opens_nothing_more() -> None:
    run = play(
        [FLAT, FLAT, FLAT, FLAT],
        {0: lambda s: s.buy(SYMBOL, 10), 2: broken(lambda s: s.sell(SYMBOL, 11))},
        engine={"on_error": "halt"},
        account="margin",
    )
    assert [quantity for _, quantity, _ in run.fills] == [10]


def test_a_node_that_stops_takes_entries_back_and_lets_a_close_go_on() -> None:
    made = rig()
    made.hold(10)
    guard = made.order("sell", 10, stop_price=90)
    entry = made.order("buy", 5, limit_price=90)
    close: Any = made.close()
    assert cancel_entries(made.kernel) == 1
    made.settle()
    assert made.venue.withdrawn == [guard, entry]
    made.answer("cancel", guard)
    made.answer("cancel", entry)
    assert close.status == "SENT"


def test_an_open_breaker_takes_entries_back_and_no_way_out() -> None:
    made = GateRig(RiskEngine(Limits(max_drawdown=0.01)), prices=100, cash=10_000)
    made.hold(50)
    leaving = made.order("sell", 50)
    entry = made.order("buy", 1, limit_price=50)
    made.sample()
    made.price(90)
    made.sample()
    made.settle()
    assert made.venue.withdrawn == [entry]
    assert leaving.status == "SENT"


def test_an_order_at_the_market_that_nobody_works_any_more_is_taken_back() -> None:
    run = play(
        [FLAT, FLAT, FLAT, FLAT],
        {
            0: lambda s: s.buy(SYMBOL, 10),
            2: broken(lambda s: s.sell(SYMBOL, 10, algorithm=ByHand())),
        },
        engine={"on_error": "halt"},
    )
    assert run.statuses == ["FILLED", "CANCELED"]


# -- worked by an algorithm ----------------------------------------------------------------------


class ByHand(ExecutionAlgorithm):
    """Sends what it is told to."""


def test_a_part_of_a_worked_way_out_counts_whatever_its_type() -> None:
    """Ten are held, four leave through a limit order, six are still to be sent."""
    made = rig()
    made.hold(10)
    order = made.order("sell", 10, algorithm=ByHand(), reduce_only=True)
    part = order.algorithm.send(4, limit_price=99)
    made.settle()
    assert (order.is_exit, part.is_exit) == (True, True)
    strategy = made.kernel.strategies[0]
    assert strategy.position(SYMBOL).working_quantity == -10
    assert strategy.target_position(SYMBOL, 2).quantity == 2


@pytest.mark.parametrize("name", ["take_profit", "stop_loss", "algorithm", "notional", "oco"])
def test_a_part_takes_no_terms_that_it_would_drop(name: str) -> None:
    """A part with a stop went out without it."""
    made = rig()
    order = made.order("buy", 10, algorithm=ByHand())
    before = order.algorithm.remaining
    with pytest.raises(Exception, match=f"a part of an order takes no {name}"):
        order.algorithm.send(4, **{name: 90})
    assert order.algorithm.remaining == before
    assert order.algorithm.children == []
