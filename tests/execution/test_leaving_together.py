"""A kept exit that is met while other orders leave the same position, or are in its way."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.core.instruments import Instrument
from tests.backtest.harness import SYMBOL, play
from tests.execution.test_kept_exits import BARE, FLAT, ONE_WAY, entered, position, rig


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


def test_a_stop_leaves_when_the_last_of_several_entries_has_made_way() -> None:
    """It had forgotten by then that its price had come."""
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    entries = [made.order("buy", 5, limit_price=price) for price in (81, 80)]
    for entry in entries:
        made.answer("accept", entry)
    made.price(90)
    made.answer("cancel", entries[0])
    assert (stop.status, made.venue.withdrawn) == ("EMULATED", entries)
    made.answer("cancel", entries[1])
    assert stop.status == "SENT"


def test_where_one_of_them_does_not_end_a_later_price_asks_again() -> None:
    made = rig(capabilities=ONE_WAY)
    (stop,) = entered(made, stop_loss=90)
    entries = [made.order("buy", 5, limit_price=price) for price in (81, 80)]
    for entry in entries:
        made.answer("accept", entry)
    made.price(90)
    made.answer("cancel_rejected", entries[0])
    made.answer("cancel", entries[1])
    made.wait("5s")
    made.price(89)
    assert made.venue.withdrawn == [*entries, entries[0]]
    made.answer("cancel", entries[0])
    assert stop.status == "SENT"
