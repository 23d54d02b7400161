"""Where no order may meet another of its account, entries make way for what leaves a position."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import Limits, RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, Run, Script, play
from tests.execution.test_kept_exits import ONE_WAY, entered
from tests.execution.test_kept_exits import rig as kept_rig
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


# -- entries that come back ------------------------------------------------------------------------


def put_again(made: GateRig, entry: Any) -> Any:
    """Cancel an entry, and let its strategy send it again as soon as it hears of that."""
    made.answer("cancel", entry)
    return made.order("buy", 1, strategy=1, limit_price=entry.limit_price)


def entries(made: GateRig, *prices: float) -> list[Any]:
    orders = [made.order("buy", 1, strategy=1, limit_price=price) for price in prices]
    for order in orders:
        made.answer("accept", order)
    return orders


def way_out(made: GateRig, kind: str) -> Any:
    """Return a kept stop whose price has come, or a close."""
    if kind == "close":
        return made.close()
    made.price(90)
    return made.kernel.strategies[0].stop


def holding(kind: str, **options: Any) -> GateRig:
    made = kept_rig(capabilities=ONE_WAY, strategies=2, **options)
    if kind == "close":
        made.hold(10)
    else:
        (made.kernel.strategies[0].stop,) = entered(made, stop_loss=90)
    return made


@pytest.mark.parametrize("kind", ["stop", "close"])
def test_entries_that_are_put_again_leave_behind_what_they_made_way_for(kind: str) -> None:
    """One of them worked at any time, and kept a stop from leaving while the price fell."""
    made = holding(kind)
    first, second = entries(made, 80, 79)
    order = way_out(made, kind)
    again = [put_again(made, first)]
    assert (again[0].status, order.status != "SENT") == ("INITIALIZED", True)
    again.append(put_again(made, second))
    assert made.venue.submitted[-3:] == [order, *again]
    assert made.venue.withdrawn == [first, second]


@pytest.mark.parametrize("kind", ["stop", "close"])
def test_an_entry_waits_ten_seconds_for_a_way_out(kind: str) -> None:
    made = holding(kind)
    first, _ = entries(made, 80, 79)
    way_out(made, kind)
    made.wait("5s")
    again = put_again(made, first)
    made.wait("4s")
    assert again.status == "INITIALIZED"
    made.wait("7s")
    # A close itself waits no longer than that.
    assert again.status == {"stop": "DENIED", "close": "SENT"}[kind]
    assert ("waits for entries to end" in again.reason) is (kind == "stop")


def reversal_behind_a_stop() -> tuple[GateRig, Any, Any]:
    """Let what opens the other side come behind a stop after 12 s, which waits for an entry."""
    made = holding("stop")
    made.hold(-5, strategy=1)
    leaving = made.kernel.strategies[1].target_position("AAA", 5)
    made.settle()
    made.answer("accept", leaving)
    (opening,) = [o for o in made.kernel.cache.orders_open() if o.status == "INITIALIZED"]
    made.wait("12s")
    entry = made.order("buy", 1, limit_price=80)
    made.answer("accept", entry)
    assert way_out(made, "stop").status == "EMULATED"
    made.fill(leaving)
    return made, opening, entry


def test_what_opens_the_other_side_waits_for_a_way_out_from_when_it_comes_behind() -> None:
    """Its ten seconds were over when what was held had been left, and it was denied at once."""
    made, opening, entry = reversal_behind_a_stop()
    made.wait("9s")
    assert opening.status == "INITIALIZED"
    made.answer("cancel", entry)
    assert made.venue.submitted[-2:] == [made.kernel.strategies[0].stop, opening]


def test_what_opens_the_other_side_has_its_ten_seconds_behind_a_way_out_once() -> None:
    made, opening, _ = reversal_behind_a_stop()
    made.wait("9s")
    assert opening.status == "INITIALIZED"
    made.wait("1s")
    assert opening.status == "DENIED"
    assert "waits for entries to end" in opening.reason


def test_an_entry_that_waits_can_be_canceled() -> None:
    made = holding("stop")
    first, second = entries(made, 80, 79)
    order = way_out(made, "stop")
    again = put_again(made, first)
    made.kernel.strategies[1].cancel(again)
    made.settle()
    assert (again.status, again.reason) == ("DENIED", "canceled: it had not left yet")
    made.answer("cancel", second)
    assert made.venue.submitted[-1] is order


@pytest.mark.parametrize(
    ("terms", "status"),
    [
        ({"side": "sell"}, "SENT"),
        ({"stop_price": 120}, "EMULATED"),
        ({"stop_loss": 70}, "INITIALIZED"),
        ({}, "INITIALIZED"),
    ],
)
def test_only_what_it_would_be_refused_for_stays_behind(terms: Any, status: str) -> None:
    made = holding("stop")
    entries(made, 80)
    way_out(made, "stop")
    order = made.order(terms.pop("side", "buy"), 1, strategy=1, **terms)
    assert order.status == status


@pytest.mark.parametrize(
    ("held", "wanted", "status"),
    [(0, 1, "INITIALIZED"), (2, 4, "INITIALIZED"), (-2, -1, "SENT")],
)
def test_of_anothers_targets_those_that_open_something_stay_behind(
    held: float, wanted: float, status: str
) -> None:
    """One that leaves what is held is a way out itself."""
    made = holding("stop")
    if held:
        made.hold(held, strategy=1)
    (entry,) = entries(made, 80)
    stop = way_out(made, "stop")
    order = made.kernel.strategies[1].target_position("AAA", wanted)
    made.settle()
    assert order.status == status
    made.answer("cancel", entry)
    assert (order.status, stop.status) == ("SENT", "SENT")


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
