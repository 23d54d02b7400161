"""A target that leaves something held, beside exits for which the venue keeps the units."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, Run, play

FLAT = (100, 100, 100, 100)
OPEN = 1_704_067_200_000_000_000 + (24 + 15) * 3600 * 10**9
"""Of 2024-01-02, 10:00 in New York."""


def rig(*stops: float, flips: bool = False) -> tuple[GateRig, list[Any]]:
    """Return a rig with ten held, and stops that the venue has taken."""
    made = GateRig(RiskEngine(), prices=100, capabilities=Capabilities(flips=flips))
    made.hold(10)
    exits = [made.order("sell", units, stop_price=90) for units in stops]
    for exit_ in exits:
        made.answer("accept", exit_)
    made.venue.submitted.clear()
    return made, exits


def target(made: GateRig, quantity: float) -> Any:
    order = made.kernel.strategies[0].target_position("AAA", quantity)
    made.settle()
    return order


def asked(made: GateRig) -> list[tuple[Any, float]]:
    return [(order, units / 1e9) for order, units, _ in made.venue.changed]


def test_an_exit_gives_up_what_is_to_be_sold_before_that_leaves() -> None:
    made, (stop,) = rig(10)
    order = target(made, 4)
    assert asked(made) == [(stop, 4)]
    assert (order.status, order.quantity) == ("INITIALIZED", 6)
    assert target(made, 4) is None
    made.answer("modified", stop, quantity=4)
    assert made.venue.submitted == [order]
    made.fill(order)
    assert stop.quantity == made.kernel.strategies[0].position("AAA").quantity == 4


@pytest.mark.parametrize(
    ("stops", "wanted", "changed", "canceled"),
    [
        ((4, 4), 8, [], []),
        ((4, 4), 7, [(1, 3)], []),
        ((4, 4), 4, [], [1]),
        ((4, 4), 1, [(0, 1)], [1]),
    ],
)
def test_of_several_exits_the_newest_gives_up_first(
    stops: Any, wanted: float, changed: Any, canceled: Any
) -> None:
    made, exits = rig(*stops)
    order = target(made, wanted)
    assert asked(made) == [(exits[number], units) for number, units in changed]
    assert made.venue.withdrawn == [exits[number] for number in canceled]
    assert (order in made.venue.submitted) == (not changed and not canceled)
    for number in canceled:
        made.answer("cancel", exits[number])
    for number, units in changed:
        assert order.status == "INITIALIZED"
        made.answer("modified", exits[number], quantity=units)
    assert (order.status, order.quantity) == ("SENT", 10 - wanted)


def test_what_an_exit_fills_meanwhile_is_not_sold_again() -> None:
    made, (stop,) = rig(10)
    order = target(made, 4)
    made.fill(stop, 3)
    made.answer("modify_rejected", stop)
    assert (order.status, order.quantity) == ("SENT", 3)


def test_an_exit_that_cannot_change_is_not_asked_again_and_again() -> None:
    made, (stop,) = rig(10)
    order = target(made, 4)
    made.answer("modify_rejected", stop)
    assert order.status == "SENT"
    assert len(made.venue.changed) == 1


def test_without_an_answer_the_wait_ends() -> None:
    made, _ = rig(10)
    order = target(made, 4)
    made.wait("9s")
    assert order.status == "INITIALIZED"
    made.wait("1s")
    assert order.status == "SENT"


def test_no_exit_gives_way_to_an_order_that_is_going_to_be_denied() -> None:
    made, _ = rig(10)
    made.gate.set_state("halted", "Ann", "odd prices")
    assert target(made, 4).status == "DENIED"
    assert not made.venue.changed


def test_two_exits_of_which_one_cancels_the_other_keep_their_quantity() -> None:
    made, _ = rig()
    made.kernel.strategies[0].oco("AAA", 10, take_profit=110, stop_loss=90)
    made.settle()
    for exit_ in made.kernel.cache.orders_open():
        made.answer("accept", exit_)
    order = target(made, 4)
    assert order.status == "SENT"
    assert not made.venue.changed
    assert not made.venue.withdrawn


def test_where_the_venue_keeps_nothing_for_exits_they_rest_as_they_are() -> None:
    made, _ = rig(10, flips=True)
    assert target(made, 4).status == "SENT"
    assert not made.venue.changed


def test_an_entry_that_rests_is_called_back_and_not_made_smaller() -> None:
    made, _ = rig()
    entry = made.order("buy", 10, limit_price=90)
    made.answer("accept", entry)
    order = target(made, 4)
    assert (order.status, made.venue.withdrawn) == ("INITIALIZED", [entry])
    made.answer("cancel", entry)
    assert (order.status, order.quantity) == ("SENT", 6)
    assert not made.venue.changed


def test_of_an_entry_that_ends_half_filled_the_exit_gives_up_what_it_cannot_sell_too() -> None:
    """It was asked for half of it, kept 15 of the 20 that were held, and the order was refused."""
    made = GateRig(RiskEngine(), prices=100, capabilities=Capabilities(flips=False))
    entry = made.order("buy", 30, stop_loss=90)
    made.answer("accept", entry)
    made.fill(entry, 20)
    made.answer("accept", entry.stop_loss)
    order = target(made, 5)
    made.answer("cancel", entry)
    assert asked(made) == [(entry.stop_loss, 5)]
    made.answer("modified", entry.stop_loss, quantity=5)
    assert (order.status, order.quantity) == ("SENT", 15)


def test_another_target_takes_the_place_of_one_that_waits_for_room() -> None:
    made, (stop,) = rig(10)
    first = target(made, 4)
    second = target(made, 2)
    made.answer("modified", stop, quantity=4)
    assert first.status == "DENIED"
    assert (stop, 2) in asked(made)
    made.answer("modified", stop, quantity=2)
    assert (second.status, second.quantity) == ("SENT", 8)


# -- in a backtest -------------------------------------------------------------------------------


def run(steps: Any, **options: Any) -> Run:
    return play([FLAT] * 12, steps, name="alpaca", start=OPEN, **options)


def to(quantity: float) -> Any:
    return lambda s: s.target_position(SYMBOL, quantity)


@pytest.mark.parametrize(
    "exit_",
    [{"stop_price": 90}, {"limit_price": 120}, {"trail_percent": 5}, {"stop_price": 90,
                                                                   "limit_price": 89}],
)  # fmt: skip
def test_a_backtest_under_alpacas_rules_sells_a_part_beside_an_exit(exit_: Any) -> None:
    """The sale was refused: the exit held the shares."""
    made = run({0: to(10), 2: lambda s: s.sell(SYMBOL, 10, **exit_), 4: to(4)})
    assert made.statuses[2] == "FILLED"
    assert made.strategies[0].made[1].quantity == 4
    assert sum(size for _, size, _ in made.fills) == 4


def test_one_exit_of_an_entry_gives_way_too() -> None:
    made = run({0: lambda s: s.buy(SYMBOL, 10, stop_loss=90), 4: to(4)})
    assert made.statuses == ["FILLED", "ACCEPTED", "FILLED"]
    assert made.strategies[0].made[0].stop_loss.quantity == 4


def test_the_take_profit_of_a_kept_stop_gives_way_and_the_stop_follows() -> None:
    exits = {"take_profit": 120, "stop_loss": {"trail_percent": 5}}
    made = run({0: lambda s: s.buy(SYMBOL, 10, **exits), 4: to(4)})
    assert made.statuses == ["FILLED", "ACCEPTED", "EMULATED", "FILLED"]
    assert [float(row["quantity"]) for row in made.table("orders")] == [10, 4, 4, 6]
