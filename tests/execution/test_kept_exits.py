"""Exits that we hold take from what is held and never open anything, whoever sold it: by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from pyrt.core.instruments import Instrument, crypto
from pyrt.risk import RiskEngine
from pyrt.testing.gates import GateRig
from pyrt.venues.capabilities import Capabilities
from tests.backtest.harness import SYMBOL, Script, play
from tests.execution.brackets import held_in_part

FLAT = (100, 100, 100, 100)
BARE = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=()
)
LEFT = "exit: the position it guards has been left"
BRACKET = {"take_profit": 110, "stop_loss": 90}


def rig(**options: Any) -> Any:
    return GateRig(RiskEngine(), **{"prices": 100, "capabilities": BARE, **options})


def entered(made: GateRig, quantity: float = 10, **exits: Any) -> Any:
    """Return the exits of an entry that has filled; a profit is accepted."""
    entry = made.order("buy", quantity, **exits)
    made.fill(entry)
    if entry.take_profit is not None:
        made.answer("accept", entry.take_profit)
    return entry.legs


def position(made: GateRig) -> float:
    return float(made.kernel.strategies[0].position("AAA").quantity)


def asked(made: GateRig) -> list[tuple[Any, float]]:
    """Orders at the venue that are to have another quantity, and which."""
    return [(order, units / 10**9) for order, units, _ in made.venue.changed]


# -- an entry that it would trade against ----------------------------------------------------------

ONE_WAY = Capabilities(
    order_types={"market", "limit"}, times_in_force={"day", "gtc"}, groups=(), instructions=(),
    flips=False,
)  # fmt: skip
HOLDS_ONE = replace(ONE_WAY, groups={"oto"})
"""Takes an entry that brings its exit beside a way out."""


def met() -> tuple[GateRig, Any, Any]:
    """A kept stop whose price has come, and the entry of the other side that is in its way."""
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    entry = made.order("buy", 5, limit_price=80)
    made.answer("accept", entry)
    made.price(90)
    return made, stop, entry


def test_a_kept_stop_leaves_once_an_entry_of_the_other_side_has_ended() -> None:
    """It was refused as a wash trade as its price came, and lost: nothing guarded any more."""
    made, stop, entry = met()
    assert (stop.status, made.venue.withdrawn) == ("EMULATED", [entry])
    made.answer("cancel", entry)
    assert (stop.status, stop.quantity) == ("SENT", 10)


def test_so_does_it_where_the_entry_is_of_another_strategy() -> None:
    """Of two strategies in one coin each had the stop of the other refused."""
    made = rig(capabilities=ONE_WAY, strategies=2)
    (stop,) = entered(made, stop_loss=90)
    entry = made.order("buy", 5, strategy=1, limit_price=80)
    made.answer("accept", entry)
    made.price(90)
    assert (stop.status, made.venue.withdrawn) == ("EMULATED", [entry])
    again = made.draft("buy", 5, strategy=1, limit_price=80)
    made.answer("cancel", entry)
    assert made.venue.submitted[-2:] == [stop, again]


def test_what_fills_of_that_entry_meanwhile_does_not_keep_the_stop() -> None:
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    entry = made.order("buy", 5, limit_price=89)
    made.answer("accept", entry)
    made.price(88)
    made.fill(entry, price=89)
    assert (stop.status, stop.quantity) == ("SENT", 10)


def test_where_its_cancel_is_refused_a_price_asks_again_five_seconds_later() -> None:
    made, stop, entry = met()
    made.answer("cancel_rejected", entry)
    made.price(89)
    assert made.venue.withdrawn == [entry]
    made.wait("5s")
    made.price(89)
    assert (stop.status, made.venue.withdrawn) == ("EMULATED", [entry, entry])
    made.answer("cancel", entry)
    assert stop.status == "SENT"


def test_a_kept_limit_and_an_entry_that_cannot_meet_leave_each_other_alone() -> None:
    """Of a grid, an exit at its profit takes no entry away that rests further down."""
    made = rig(capabilities=ONE_WAY)
    entered(made)
    entry = made.order("buy", 5, limit_price=80)
    made.answer("accept", entry)
    profit = made.order("sell", 10, trigger_price=110, limit_price=109)
    made.price(110)
    assert (profit.status, made.venue.withdrawn) == ("SENT", [])


def test_a_stop_that_has_ended_its_profit_waits_for_that_alone() -> None:
    """The refused cancel of an entry took its mark away, and it ended with the profit."""
    made = rig(capabilities=HOLDS_ONE)
    profit, stop = entered(made, take_profit=110, stop_loss=90)
    made.price(90)
    assert made.venue.withdrawn == [profit]
    entry = made.order("buy", 5, limit_price=80, take_profit=85)
    made.answer("accept", entry)
    made.answer("hold", entry.take_profit)
    made.cancel(entry)
    made.answer("cancel_rejected", entry)
    made.answer("cancel", profit)
    made.answer("cancel", entry)
    assert (stop.status, stop.quantity) == ("SENT", 10)


def test_an_entry_that_ends_in_a_halt_takes_no_mark_from_a_stop_either() -> None:
    made = rig(capabilities=HOLDS_ONE)
    profit, stop = entered(made, take_profit=110, stop_loss=90)
    made.price(90)
    entry = made.order("buy", 5, limit_price=80, take_profit=85)
    made.answer("accept", entry)
    made.answer("hold", entry.take_profit)
    made.gate.set_state("halted", "me", "a test", strategy="A")
    made.cancel(entry)
    made.answer("cancel", entry)
    made.answer("cancel", profit)
    assert stop.status == "EMULATED"
    made.gate.set_state("active", "me", "a test", strategy="A")
    made.price(89)
    assert (stop.status, stop.quantity) == ("SENT", 10)


def test_a_way_out_leaves_before_an_entry_that_is_sent_as_the_other_is_canceled() -> None:
    """Who quotes again in `on_order` had the stop refused for the new quote."""
    made, stop, entry = met()
    again = made.draft("buy", 5, limit_price=80)
    made.answer("cancel", entry)
    assert made.venue.submitted[-2:] == [stop, again]


def test_a_profit_waits_here_where_an_entry_would_have_it_refused() -> None:
    made = rig(capabilities=ONE_WAY)
    entry = made.order("buy", 5, limit_price=112)
    made.answer("accept", entry)
    first = made.order("buy", 10, take_profit=110)
    made.fill(first)
    profit = first.take_profit
    assert (profit.status, made.venue.withdrawn) == ("EMULATED", [])
    made.fill(entry, price=100)
    made.price(110)
    assert (profit.status, profit.quantity) == ("SENT", 10)


def test_a_stop_limit_that_its_price_has_passed_by_the_fill_waits_here() -> None:
    """It was refused ("stop price must be less than current price"), and lost."""
    knows = Capabilities(
        order_types={"market", "limit", "stop_limit"}, times_in_force={"day", "gtc"}, groups=(),
        instructions=(), flips=False,
    )  # fmt: skip
    made = rig(capabilities=knows)
    entry = made.order("buy", 10, stop_loss={"stop_price": 90, "limit_price": 80})
    made.price(90)
    made.fill(entry, price=90)
    assert entry.stop_loss.status == "EMULATED"
    made.price(89)
    assert repr(entry.stop_loss) == "Order(bt-2 sell 10 AAA limit limit 80 gtc: SENT, filled 0)"


@pytest.mark.parametrize(("others", "status"), [(0, "SENT"), (10, "DENIED")])
def test_while_reducing_a_kept_stop_takes_back_what_is_held_whatever_else_works(
    others: float, status: str
) -> None:
    """It was denied, since the two together came to more, and lost; a venue's own would have left.

    Where another strategy's units make up for its own, the account would hold more without them.
    """
    made = rig(capabilities=ONE_WAY, account="margin", strategies=2)
    entry = made.order("sell", 10, stop_loss=110)
    made.fill(entry)
    if others:
        made.hold(others, strategy=1)
    resting = made.order("buy", 5, limit_price=80)
    made.answer("accept", resting)
    made.gate.set_state("reducing", "me", "a test")
    made.price(110)
    # What it keeps of the ten is given up first.
    made.answer("cancel", resting)
    assert entry.stop_loss.status == status


# -- somebody else takes from the position ---------------------------------------------------------


@pytest.mark.parametrize("exits", [{"stop_loss": 90}, {"stop_loss": {"trail_amount": 10}}])
def test_a_kept_exit_leaves_no_more_than_is_held(exits: Any) -> None:
    """It sold all that its entry had bought, which opened the other side."""
    made = rig()
    (stop,) = entered(made, **exits)
    made.hold(-3)
    made.price(90)
    assert (stop.status, stop.order_type, stop.quantity) == ("SENT", "market", 7)
    made.fill(stop)
    assert position(made) == 0


@pytest.mark.parametrize("exits", [{"stop_loss": 90}, BRACKET])
@pytest.mark.parametrize("sold", [10, 15])
def test_kept_exits_end_with_the_position(exits: Any, sold: float) -> None:
    made = rig()
    legs = entered(made, **exits)
    made.hold(-sold)
    stop = legs[-1]
    assert (stop.status, stop.reason) == ("CANCELED", LEFT)
    # The one that has left is at the venue, which is asked.
    assert made.venue.withdrawn == list(legs[:-1])
    made.price(80)
    assert [order.status for order in made.venue.submitted[-len(legs) :]].count("SENT") == 0


def test_both_of_a_pair_of_exits_are_cut_to_what_is_held() -> None:
    made = rig()
    profit, stop = entered(made, **BRACKET)
    made.hold(-3)
    assert asked(made) == [(profit, 7)]
    assert stop.quantity == 7
    made.answer("modified", profit, quantity=7)
    made.fill(profit, 4, price=110)
    # What the profit takes is taken from the stop once, and nothing is asked again.
    assert (stop.quantity, position(made)) == (3, 3)
    assert asked(made) == [(profit, 7)]
    made.fill(profit, 3, price=110)
    assert (stop.status, position(made)) == ("CANCELED", 0)


def test_a_cut_that_is_under_way_is_not_asked_for_again() -> None:
    made = rig(symbols=("AAA", "BBB"))
    profit, stop = entered(made, **BRACKET)
    made.hold(-3)
    made.hold(10, "BBB")
    # It fills while the venue has not answered: of seven in all three are left.
    made.fill(profit, 4, price=110)
    assert asked(made) == [(profit, 7)]
    assert (stop.quantity, position(made)) == (3, 3)


def test_of_an_exit_that_ended_with_the_other_nobody_asked_for_the_end() -> None:
    made = rig()
    profit, stop = entered(made, **BRACKET)
    made.fill(profit, price=110)
    assert stop.status == "CANCELED"
    assert stop.to_dict()["requests"][1:] == [0, 0]


def test_exits_follow_the_position_they_guard_and_no_other() -> None:
    made = rig(symbols=("AAA", "BBB"), strategies=2)
    (stop,) = entered(made, stop_loss=90)
    made.hold(10, "BBB")
    made.hold(-10, "BBB")
    made.hold(10, strategy=1)
    made.hold(-10, strategy=1)
    assert (stop.status, stop.quantity) == ("EMULATED", 10)


def test_what_is_bought_more_changes_no_exit() -> None:
    made = rig()
    profit, stop = entered(made, **BRACKET)
    made.hold(5)
    assert (profit.quantity, stop.quantity, made.venue.changed) == (10, 10, [])


def test_an_entry_that_closes_a_position_wakes_no_exits() -> None:
    """Bought back: nothing is long that they could leave."""
    made = rig()
    made.hold(-10)
    for leg in entered(made, stop_loss=90):
        assert (leg.status, leg.reason) == ("CANCELED", LEFT)


def test_an_entry_that_turns_a_position_is_guarded_by_what_is_held_then() -> None:
    made = rig()
    made.hold(-4)
    (stop,) = entered(made, stop_loss=90)
    assert (stop.status, stop.quantity, position(made)) == ("EMULATED", 6, 6)


@pytest.mark.parametrize(("sold", "second"), [(0, 10), (4, 6), (9, 1)])
def test_of_two_exits_that_one_price_meets_the_second_leaves_the_rest(
    sold: float, second: float
) -> None:
    made = rig()
    (one,) = entered(made, stop_loss=90)
    (other,) = entered(made, stop_loss=90)
    if sold:
        made.hold(-sold)
    made.price(90)
    assert (one.status, one.quantity) == ("SENT", 10)
    assert (other.status, other.quantity) == ("SENT", second)
    made.fill(one)
    made.fill(other)
    assert position(made) == 0


def test_an_exit_for_which_nothing_is_left_waits_for_what_becomes_of_the_others() -> None:
    made = rig()
    (one,) = entered(made, stop_loss=90)
    (other,) = entered(made, stop_loss=90)
    made.hold(-10)
    made.price(90)
    assert (one.status, other.status) == ("SENT", "EMULATED")
    made.answer("reject", one)
    made.price(89)
    assert (other.status, other.quantity) == ("SENT", 10)


def test_exits_of_a_short_position_are_cut_too() -> None:
    made = rig()
    entry = made.order("sell", 10, stop_loss=110)
    made.fill(entry)
    made.hold(4)
    made.price(110)
    assert (entry.stop_loss.status, entry.stop_loss.quantity) == ("SENT", 6)


def test_a_pair_of_exits_that_we_hold_ends_with_the_position() -> None:
    made = rig()
    made.hold(10)
    profit = made.order("sell", 10, oco=True, take_profit=110, stop_loss=90)
    stop = profit.sibling
    made.answer("accept", profit)
    made.hold(-4)
    assert (asked(made), stop.quantity) == ([(profit, 6)], 6)
    made.hold(-6)
    assert (made.venue.withdrawn, stop.status, stop.reason) == ([profit], "CANCELED", LEFT)


@pytest.mark.parametrize("sold", [4, 10])
def test_in_a_backtest_they_end_as_at_a_venue_that_holds_them(sold: float) -> None:
    bars = [FLAT, FLAT, FLAT, (90, 90, 90, 90), (90, 90, 90, 90)]
    steps = {
        0: lambda s: s.buy(SYMBOL, 10, stop_loss=90),
        1: lambda s: s.sell(SYMBOL, sold),
    }
    native, kept = (play(bars, steps, **options) for options in ({}, {"emulate": BARE}))
    assert kept.statuses == native.statuses
    assert [size for _, size, _ in kept.fills] == [size for _, size, _ in native.fills]
    assert kept.reasons == native.reasons


# -- late, refused, of no time ---------------------------------------------------------------------


@pytest.mark.parametrize(("sold", "left"), [(0, 6), (2, 4), (6, 0)])
def test_exits_wake_for_what_is_held_when_the_entry_ends(sold: float, left: float) -> None:
    made = rig()
    entry = made.order("buy", 10, limit_price=100, **BRACKET)
    made.answer("accept", entry)
    made.fill(entry, 6)
    if sold:
        made.hold(-sold)
    made.cancel(entry)
    made.answer("cancel", entry)
    statuses = ["SENT", "EMULATED"] if left else ["CANCELED", "CANCELED"]
    assert [leg.status for leg in entry.legs] == statuses
    if left:
        assert [leg.quantity for leg in entry.legs] == [left, left]
    else:
        assert {leg.reason for leg in entry.legs} == {LEFT}


def test_what_else_is_held_is_no_concern_of_an_exit() -> None:
    """Seven bought and four of them sold: three, beside twenty of another entry."""
    made = rig()
    made.hold(20)
    entry = held_in_part(made, **BRACKET)
    profit, stop = entry.legs
    made.answer("accept", profit)
    made.fill(profit, 4, price=110)
    made.fill(entry, 1)
    assert stop.quantity == 3
    assert asked(made) == [(profit, 7)]


def test_an_exit_that_was_made_smaller_by_hand_stays_so() -> None:
    made = rig()
    entry = held_in_part(made, **BRACKET)
    profit, stop = entry.legs
    made.answer("accept", profit)
    made.modify(profit, quantity=4)
    made.answer("modified", profit, quantity=4)
    made.modify(stop, quantity=5)
    made.answer("cancel_rejected", entry)
    assert asked(made) == [(profit, 4)]
    assert (profit.quantity, stop.quantity) == (4, 5)


@pytest.mark.parametrize("sold", [0, 4])
def test_a_late_fill_of_the_entry_is_left_by_the_exit_that_has_left_already(sold: float) -> None:
    """The profit stayed at six: its end took the stop along, and three were held without any."""
    made = rig()
    entry = held_in_part(made, **BRACKET)
    profit, stop = entry.legs
    made.answer("accept", profit)
    if sold:
        made.fill(profit, sold, price=110)
    made.fill(entry, 3)
    assert asked(made) == [(profit, 9)]
    assert stop.quantity == position(made) == 9 - sold
    made.answer("modified", profit, quantity=9)
    made.fill(profit, price=110)
    assert (profit.status, stop.status, position(made)) == ("FILLED", "CANCELED", 0)


def test_a_late_fill_undoes_a_cut_that_is_under_way() -> None:
    """Five are asked for, and six held by then: as many as the profit still shows."""
    made = rig()
    entry = held_in_part(made, **BRACKET)
    profit, stop = entry.legs
    made.answer("accept", profit)
    made.hold(-1)
    made.fill(entry, 1)
    assert asked(made) == [(profit, 5), (profit, 6)]
    assert stop.quantity == position(made) == 6


def test_what_a_fee_in_kind_takes_is_not_left_whatever_else_is_held() -> None:
    bars = [FLAT, FLAT, FLAT, (100, 112, 100, 111), FLAT]
    made = play(
        {"BTC/USD": bars},
        Script(
            {
                0: lambda s: s.buy("BTC/USD", 5),
                1: lambda s: s.buy("BTC/USD", 2, take_profit=110, stop_loss=90),
            },
            symbol="BTC/USD",
        ),
        instrument=crypto("BTC/USD"), name="alpaca", emulate="all", check=False,
    )  # fmt: skip
    assert [size for _, size, _ in made.fills] == [5, 2, -1.995]


def test_a_late_fill_is_left_by_a_stop_at_the_venue() -> None:
    made = rig(capabilities=Capabilities(groups=()))
    entry = held_in_part(made, stop_loss=90)
    made.answer("accept", entry.stop_loss)
    made.answer("cancel_rejected", entry)
    assert asked(made) == []
    made.fill(entry, 1)
    assert asked(made) == [(entry.stop_loss, 7)]


def test_a_stop_goes_on_when_the_profit_is_refused() -> None:
    """It ended with it: what the entry had bought was held without any exit."""
    made = rig()
    profit, stop = entered(made, **BRACKET)
    made.answer("reject", profit)
    assert (profit.status, stop.status) == ("REJECTED", "EMULATED")
    made.price(90)
    assert (stop.status, stop.quantity) == ("SENT", 10)


def test_a_pair_is_no_more_when_the_one_that_left_is_refused() -> None:
    """Of two entries, or of exits that are to come together, half is none."""
    made = rig()
    plan = {"side": "buy", "symbol": "AAA", "quantity": 10}
    limit, stop = made.kernel.strategies[0].pair(
        {**plan, "limit_price": 98}, {**plan, "stop_price": 102}
    )
    made.settle()
    made.answer("reject", limit)
    assert (stop.status, stop.reason) == ("CANCELED", "oco: the other order of the pair has ended")


@pytest.mark.parametrize("tif", ["ioc", "fok"])
@pytest.mark.parametrize("emulate", ["missing", BARE])
def test_exits_wait_also_where_their_entry_does_not(tif: str, emulate: Any) -> None:
    """They were as short-lived as the entry: the profit ended at once, and with it the stop."""
    bars = [FLAT, FLAT, FLAT, (90, 90, 90, 90), (90, 90, 90, 90)]
    made = play(
        bars,
        {0: lambda s: s.buy(SYMBOL, 10, time_in_force=tif, **BRACKET)},
        emulate=Capabilities(groups=(), instructions=()) if emulate is BARE else emulate,
    )
    assert [size for _, size, _ in made.fills] == [10, -10]
    assert made.statuses == ["FILLED", "CANCELED", "FILLED"]


# -- the smallest unit -----------------------------------------------------------------------------

NANO = 1e-9


def test_exits_work_for_a_single_unit() -> None:
    made = rig(symbols=[Instrument("AAA", step_size="0.000000001")])
    entry = made.order("buy", 10, limit_price=100, **BRACKET)
    made.answer("accept", entry)
    made.fill(entry, NANO)
    made.cancel(entry)
    made.answer("cancel", entry)
    profit, stop = entry.legs
    assert (profit.status, profit.quantity) == ("SENT", NANO)
    assert (stop.status, stop.quantity) == ("EMULATED", NANO)


def test_of_a_pair_a_single_unit_is_left() -> None:
    made = rig(symbols=[Instrument("AAA", step_size="0.000000001")])
    made.hold(10)
    profit = made.order("sell", 10, oco=True, take_profit=110, stop_loss=90)
    made.answer("accept", profit)
    made.fill(profit, 10 - NANO)
    assert (profit.sibling.status, profit.sibling.quantity) == ("EMULATED", NANO)
    made.price(90)
    made.answer("cancel", profit)
    assert (profit.sibling.status, profit.sibling.quantity) == ("SENT", NANO)


def test_a_single_unit_can_be_reduced() -> None:
    made = rig(symbols=[Instrument("AAA", step_size="0.000000001")])
    made.hold(10)
    order = made.order("sell", 10, limit_price=120, reduce_only=True)
    made.answer("accept", order)
    made.hold(-(10 - NANO))
    assert made.venue.withdrawn == []
    assert made.venue.changed == [(order, 1, made.venue.changed[0][2])]


@pytest.mark.parametrize("how", ["denied", "canceled"])
def test_exits_that_are_kept_end_with_an_entry_that_does_not_leave(how: str) -> None:
    """They could not be denied with it: an error took the place of its end."""
    made = rig()
    entry = made.order("buy", 10, stop_price=105, **BRACKET)
    assert {order.status for order in (entry, *entry.legs)} == {"EMULATED"}
    if how == "denied":
        made.gate.set_state("REDUCING", actor="test", reason="test")
    else:
        # Its release comes behind this cancel.
        made.kernel.strategies[0].cancel(entry)
    made.price(105)
    made.settle()
    assert entry.status in ("DENIED", "CANCELED")
    assert {order.status for order in entry.legs} == {"CANCELED"}
    assert {order.reason for order in entry.legs} == {"parent: the entry ended without a fill"}
    assert made.kernel.cache.orders_open() == []
