"""A kept exit that is met while other orders leave the same position, or are in its way."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from tests.backtest.harness import SYMBOL, play
from tests.execution.test_kept_exits import BARE, FLAT, ONE_WAY, asked, entered, position, rig


@pytest.mark.parametrize("capabilities", [BARE, ONE_WAY])
def test_what_is_being_sold_already_is_not_left_again(capabilities: Any) -> None:
    """Where no order crosses zero the exit was refused and lost; elsewhere it opened a short."""
    made = rig(capabilities=capabilities)
    (stop,) = entered(made, stop_loss=90)
    half = made.kernel.strategies[0].target_position("AAA", 4)
    made.settle()
    made.answer("accept", half)
    made.fill(half, 1)
    made.price(90)
    assert (stop.status, stop.quantity) == ("SENT", 4)
    made.fill(half)
    made.fill(stop)
    assert position(made) == 0


def test_where_all_is_being_sold_a_stop_stays_until_it_is_known_what_is_left() -> None:
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    order = made.order("sell", 10)
    made.answer("accept", order)
    made.price(90)
    assert stop.status == "EMULATED"
    made.fill(order, 7)
    made.answer("cancel", order)
    made.price(89)
    assert (stop.status, stop.quantity) == ("SENT", 3)


def test_a_stop_in_a_coin_leaves_what_a_target_does_not() -> None:
    coin = Instrument(SYMBOL, kind="crypto", decimals=9)
    thin = (97, 97, 97, 97, 40)
    made = play(
        [FLAT, FLAT, FLAT, (100, 100, 97, 97, 40), *[thin] * 8],
        {
            0: lambda s: s.buy(SYMBOL, 10, stop_loss=98),
            2: lambda s: s.target_position(SYMBOL, 4),
        },
        instrument=coin, name="alpaca", emulate="all", participation=0.1,
    )  # fmt: skip
    assert made.statuses == ["FILLED"] * 3
    assert made.strategies[0].position(SYMBOL).quantity == 0


def met_beside_two_entries() -> tuple[Any, Any, list[Any]]:
    """Return a stop whose price has come, and the entries that it would trade against."""
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    entries = [made.order("buy", 5, limit_price=price) for price in (81, 80)]
    for entry in entries:
        made.answer("accept", entry)
    made.price(90)
    return made, stop, entries


def test_a_stop_leaves_when_the_last_of_several_entries_has_made_way() -> None:
    """It had forgotten by then that its price had come."""
    made, stop, entries = met_beside_two_entries()
    made.answer("cancel", entries[0])
    assert (stop.status, made.venue.withdrawn) == ("EMULATED", entries)
    made.answer("cancel", entries[1])
    assert stop.status == "SENT"


def test_where_one_of_them_does_not_end_a_later_price_asks_again() -> None:
    made, stop, entries = met_beside_two_entries()
    made.answer("cancel_rejected", entries[0])
    made.answer("cancel", entries[1])
    made.wait("5s")
    made.price(89)
    assert made.venue.withdrawn == [*entries, entries[0]]
    made.answer("cancel", entries[0])
    assert stop.status == "SENT"


# -- units that others keep ------------------------------------------------------------------------


def resting(made: Any, quantity: float, **terms: Any) -> Any:
    order = made.order("sell", quantity, **terms)
    made.answer("accept", order)
    return order


def test_a_stop_has_what_rests_give_up_what_it_needs() -> None:
    """It was refused for units that the strategy's own limit order kept, and lost."""
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    limit = resting(made, 10, limit_price=120)
    made.price(90)
    assert (stop.status, made.venue.withdrawn) == ("EMULATED", [limit])
    made.answer("cancel", limit)
    assert (stop.status, stop.quantity) == ("SENT", 10)


def test_of_one_that_keeps_more_a_part_is_taken_off() -> None:
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90, quantity=4)
    made.hold(6)
    limit = resting(made, 10, limit_price=120)
    made.price(90)
    assert (stop.status, asked(made)) == ("EMULATED", [(limit, 6)])
    made.answer("modified", limit, quantity=6)
    assert (stop.status, stop.quantity) == ("SENT", 4)


def test_what_is_not_given_up_is_asked_for_again_at_a_later_price() -> None:
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    limit = resting(made, 10, limit_price=120)
    made.price(90)
    made.answer("cancel_rejected", limit)
    made.price(89)
    assert (stop.status, made.venue.withdrawn) == ("EMULATED", [limit])
    made.wait("5s")
    made.price(89)
    assert made.venue.withdrawn == [limit, limit]
    # What it sells meanwhile is not sold again.
    made.fill(limit, 7)
    made.answer("cancel", limit)
    assert (stop.status, stop.quantity) == ("SENT", 3)


def test_a_stop_leaves_when_the_last_of_several_has_given_up_its_units() -> None:
    """Both were canceled for it, and it had forgotten that its price had come."""
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    one, two = (resting(made, 5, limit_price=price) for price in (120, 130))
    made.price(90)
    assert made.venue.withdrawn == [two, one]
    made.price(95)
    made.answer("cancel", two)
    assert stop.status == "EMULATED"
    made.answer("cancel", one)
    assert (stop.status, stop.quantity) == ("SENT", 10)


def test_where_one_of_several_keeps_them_a_later_price_asks_it_again() -> None:
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    one, two = (resting(made, 5, limit_price=price) for price in (120, 130))
    made.price(90)
    made.answer("cancel_rejected", two)
    made.answer("cancel", one)
    assert (stop.status, made.venue.withdrawn) == ("EMULATED", [two, one])
    made.wait("5s")
    made.price(89)
    assert made.venue.withdrawn == [two, one, two]
    made.answer("cancel", two)
    assert (stop.status, stop.quantity) == ("SENT", 10)


def test_units_are_asked_for_as_soon_as_an_entry_has_made_way() -> None:
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    limit = resting(made, 10, limit_price=120)
    entry = made.order("buy", 5, limit_price=80)
    made.answer("accept", entry)
    made.price(90)
    made.answer("cancel", entry)
    assert made.venue.withdrawn == [entry, limit]
    made.answer("cancel", limit)
    assert (stop.status, stop.quantity) == ("SENT", 10)


@pytest.mark.parametrize("answer", ["modified", "modify_rejected"])
def test_of_several_none_is_asked_before_a_change_on_its_way_has_been_answered(answer: str) -> None:
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    limits = [resting(made, 5, limit_price=price) for price in (130, 120)]
    made.modify(limits[0], limit_price=125)
    made.price(90)
    assert made.venue.withdrawn == []
    made.answer(answer, limits[0], **({"limit_price": 125} if answer == "modified" else {}))
    assert made.venue.withdrawn == limits[::-1]
    for limit in limits:
        made.answer("cancel", limit)
    assert (stop.status, stop.quantity) == ("SENT", 10)


@pytest.mark.parametrize("answer", ["modified", "modify_rejected", "expire"])
def test_news_of_an_entry_that_is_not_in_the_way_settles_nothing(answer: str) -> None:
    made = rig(capabilities=ONE_WAY, strategies=2)
    (stop,) = entered(made, stop_loss={"stop_price": 90, "limit_price": 89})
    limit = resting(made, 10, limit_price=120)
    entry = made.order("buy", 5, strategy=1, limit_price=80)
    made.answer("accept", entry)
    made.modify(entry, limit_price=81)
    made.price(90)
    made.answer(answer, entry, **({"limit_price": 81} if answer == "modified" else {}))
    assert made.venue.withdrawn == [limit]
    made.answer("cancel", limit)
    assert stop.status == "SENT"


def test_where_orders_cross_zero_nothing_has_to_be_given_up() -> None:
    made = rig(capabilities=BARE)
    (stop,) = entered(made, stop_loss=90)
    resting(made, 10, limit_price=120)
    made.price(90)
    assert (stop.status, made.venue.withdrawn) == ("SENT", [])


@pytest.mark.parametrize(
    "also",
    [
        lambda s: s.sell(SYMBOL, s.position(SYMBOL).quantity, limit_price=110),
        lambda s: s.oco(SYMBOL, s.position(SYMBOL).quantity, take_profit=110, stop_loss=95),
    ],
    ids=["limit", "pair"],
)
def test_a_stop_in_a_coin_leaves_beside_others_that_keep_its_coins(also: Any) -> None:
    coin = Instrument(SYMBOL, kind="crypto", decimals=9)
    made = play(
        [FLAT, FLAT, FLAT, (100, 100, 97, 97), *[(97, 97, 97, 97)] * 5],
        {0: lambda s: s.buy(SYMBOL, 10, stop_loss=98), 2: also},
        instrument=coin, name="alpaca", account="cash", emulate="all",
    )  # fmt: skip
    assert made.strategies[0].position(SYMBOL).quantity == 0
    assert made.statuses[:2] == ["FILLED", "FILLED"]
    assert set(made.statuses[2:]) == {"CANCELED"}


@pytest.mark.parametrize(
    "also",
    [
        lambda s: [s.sell(SYMBOL, 4.9, limit_price=price) for price in (110, 120)],
        lambda s: (s.sell(SYMBOL, 9.8, limit_price=110), s.buy(SYMBOL, 1, limit_price=40)),
    ],
    ids=["two", "beside a buy"],
)
def test_it_leaves_though_its_price_is_gone_when_the_last_has_answered(also: Any) -> None:
    """A price that came back left all of it held, and without the orders that had made way."""
    coin = Instrument(SYMBOL, kind="crypto", decimals=9)
    made = play(
        [FLAT, FLAT, FLAT, (100, 100, 97, 97), *[(99, 99, 99, 99)] * 2, *[(50, 50, 50, 50)] * 5],
        {0: lambda s: s.buy(SYMBOL, 10, stop_loss=98), 2: also},
        instrument=coin, name="alpaca", account="cash", emulate="all",
    )  # fmt: skip
    assert made.strategies[0].position(SYMBOL).quantity == 0
    assert made.fills[-1][2] == 99
