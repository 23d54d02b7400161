"""Where no order may meet another of its account, entries make way for what leaves a position."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, Run, Script, play
from tests.execution.test_reversals import FLAT, OPEN


def rig(held: float = 10, *, flips: bool = False, **limits: Any) -> tuple[GateRig, Any]:
    """Hold units for one strategy while an entry of another rests on the side of what is held."""
    made = GateRig(
        RiskEngine(Limits(**limits)), prices=100, account="margin", strategies=2,
        capabilities=Capabilities(flips=flips),
    )  # fmt: skip
    made.hold(held)
    entry = made.order("buy" if held > 0 else "sell", 5, strategy=1, limit_price=100 - held)
    made.answer("accept", entry)
    made.venue.submitted.clear()
    return made, entry


def target(made: GateRig, quantity: float) -> Any:
    order = made.kernel.strategies[0].target_position("AAA", quantity)
    made.settle()
    return order


@pytest.mark.parametrize("held", [10, -10])
@pytest.mark.parametrize("wanted", [0, 0.4, -0.5])
def test_an_entry_of_another_strategy_makes_way_for_a_target(held: float, wanted: float) -> None:
    """Exits were canceled for a close that was refused then, and what was held went without."""
    made, entry = rig(held)
    order = target(made, wanted * held)
    assert (made.venue.submitted, made.venue.withdrawn) == ([], [entry])
    made.answer("cancel", entry)
    assert made.venue.submitted == [order]
    assert order.quantity == 10 - 10 * max(wanted, 0)


def test_what_it_fills_all_the_same_changes_nothing() -> None:
    made, entry = rig()
    order = made.close()
    made.fill(entry)
    assert made.venue.submitted == [order]
    assert (order.quantity, made.kernel.strategies[1].position("AAA").quantity) == (10, 5)


def test_an_entry_that_is_sent_for_the_one_that_made_way_comes_behind() -> None:
    made, entry = rig()
    order = made.close()
    again = made.draft("buy", 5, strategy=1, limit_price=90)
    made.answer("cancel", entry)
    assert made.venue.submitted == [order, again]


def test_one_whose_cancel_is_refused_is_waited_for_ten_seconds() -> None:
    made, entry = rig()
    order = made.close()
    made.answer("cancel_rejected", entry)
    made.wait("9s")
    assert made.venue.submitted == []
    made.wait("2s")
    assert (made.venue.submitted, made.venue.withdrawn) == ([order], [entry])


@pytest.mark.parametrize("strategy", [0, 1])
@pytest.mark.parametrize("wanted", [4, 0, -3])
def test_one_that_does_not_answer_is_waited_for_ten_seconds_in_all(
    wanted: float, strategy: int
) -> None:
    """Beside one of the strategy's own it was twenty, and thirty on the way across zero."""
    made, entry = rig()
    if strategy == 0:
        made.answer("cancel", entry)
        entry = made.order("buy", 5, limit_price=90)
        made.answer("accept", entry)
        made.venue.submitted.clear()
    order = target(made, wanted)
    made.wait("9s")
    assert (made.venue.submitted, made.venue.withdrawn) == ([], [entry])
    made.wait("1s")
    assert made.venue.submitted == [order]
    assert order.quantity == 10 - max(wanted, 0)


@pytest.mark.parametrize("answer", [None, "cancel"])
def test_an_exit_that_keeps_its_units_is_asked_once_whoever_else_is_waited_for(
    answer: str | None,
) -> None:
    """It and the entry were asked in turn without end, and the order never left."""
    made, entry = rig()
    stop = made.order("sell", 10, stop_price=80)
    made.answer("accept", stop)
    made.venue.submitted.clear()
    order = target(made, 4)
    made.answer("modify_rejected", stop)
    assert (made.venue.submitted, made.venue.withdrawn) == ([], [entry])
    if answer is None:
        made.wait("10s")
    else:
        made.answer(answer, entry)
    assert (made.venue.submitted, len(made.venue.changed)) == ([order], 1)


def test_where_orders_cross_zero_it_is_left_alone() -> None:
    made, _ = rig(flips=True)
    order = made.close()
    assert (made.venue.submitted, made.venue.withdrawn) == ([order], [])


def test_no_entry_makes_way_for_an_order_that_is_denied() -> None:
    made, _ = rig()
    made.gate.set_state("halted", "Ann", "odd prices")
    assert target(made, 4).status == "DENIED"
    assert not made.venue.withdrawn


# -- in a backtest -------------------------------------------------------------------------------


def run(first: Any, second: Any) -> Run:
    return play(
        [FLAT] * 8, [Script(first), Script(second)], name="alpaca", account="alpaca", start=OPEN
    )


def close(strategy: Any) -> Any:
    return strategy.close(SYMBOL)


def buy(**terms: Any) -> Any:
    return lambda s: s.buy(SYMBOL, 5, **terms)


BRACKET = buy(take_profit=110, stop_loss=90)


@pytest.mark.parametrize("entry", [{1: buy(limit_price=95)}, {3: buy()}])
def test_under_alpacas_rules_a_close_leaves_beside_anothers_entry(entry: Any) -> None:
    made = run({0: BRACKET, 3: close}, entry)
    assert [size for _, size, _ in made.fills] == [5, -5]
    assert "REJECTED" not in made.statuses


def test_what_is_bought_behind_a_close_does_not_have_it_refused() -> None:
    """The close waited for exits to be canceled, was overtaken, and all was held without exits."""
    made = run({0: BRACKET, 3: lambda s: (s.close(SYMBOL), s.buy(SYMBOL, 3))}, {})
    assert [size for _, size, _ in made.fills] == [5, -5]
    assert made.statuses[-2:] == ["FILLED", "CANCELED"]
