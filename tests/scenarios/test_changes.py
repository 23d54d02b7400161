"""Modify and cancel at every state an order passes on a bar-driven venue."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from pyrt.errors import OrderError, StrategyError
from tests.backtest.harness import MINUTE, START, SYMBOL, Command, Script, play

FLAT = (100, 100, 100, 100)
DIP = (100, 101, 98, 100)


def test_a_resting_order_takes_new_terms() -> None:
    run = play(
        [FLAT, FLAT, DIP],
        {
            0: lambda s: s.buy(SYMBOL, 10, limit_price=95),
            1: lambda s: s.modify(s.made[0], limit_price=99, quantity=20),
        },
    )
    assert run.fills == [(3, 20, 99)]
    assert [e for _, e in run.strategies[0].events] == ["sent", "accepted", "modified", "fill"]


def test_a_change_before_the_order_has_met_anything_holds_at_the_next_open() -> None:
    run = play(
        [FLAT, (101, 101, 101, 101)],
        {0: lambda s: [o := s.buy(SYMBOL, 10, limit_price=95), s.modify(o, limit_price=102)]},
    )
    assert run.fills == [(1, 10, 101)]


def test_a_stop_takes_a_new_trigger() -> None:
    run = play(
        [FLAT, FLAT, DIP],
        {
            0: lambda s: s.sell(SYMBOL, 10, stop_price=90),
            1: lambda s: s.modify(s.made[0], stop_price=98.5),
        },
    )
    assert run.fills == [(3, -10, 98.5)]


@pytest.mark.parametrize(("high", "stop", "limit"), [(100, 94, 93), (105, 99, 98)])
def test_a_distance_and_a_limit_that_change_together_are_both_in_force(
    high: float, stop: float, limit: float
) -> None:
    """The limit was moved once more with the trigger, to 91."""
    script = Script(
        {
            0: lambda s: s.sell(SYMBOL, 10, trail_amount=4, limit_price=95),
            1: lambda s: s.modify(s.made[0], trail_amount=6, limit_price=93),
        }
    )
    play([FLAT, FLAT, (100, high, 100, high)], script)
    order = script.made[0]
    assert (order.stop_price, order.limit_price) == (stop, limit)


def test_a_held_child_takes_new_terms_before_it_wakes() -> None:
    run = play(
        [FLAT, FLAT, (100, 101, 98, 99)],
        {
            0: lambda s: s.buy(SYMBOL, 10, limit_price=99.5, stop_loss=90),
            1: lambda s: s.modify(s.made[0].stop_loss, stop_price=98.5),
        },
    )
    assert run.fills == [(3, 10, 99.5), (3, -10, 98.5)]


def test_a_partly_filled_order_may_shrink_to_no_less_than_is_filled() -> None:
    run = play(
        [FLAT, (*FLAT, 400), (*FLAT, 400)],
        {
            0: lambda s: s.buy(SYMBOL, 100, limit_price=101),
            1: lambda s: s.modify(s.made[0], quantity=50),
        },
        participation=0.1,
    )
    assert [f[1] for f in run.fills] == [40, 10]
    assert run.statuses == ["FILLED"]


def test_a_change_below_what_is_filled_is_an_error_of_the_caller() -> None:
    with pytest.raises(StrategyError, match="expected more than the 40 filled"):
        play(
            [FLAT, (*FLAT, 400), FLAT],
            {
                0: lambda s: s.buy(SYMBOL, 100, limit_price=101),
                1: lambda s: s.modify(s.made[0], quantity=40),
            },
            participation=0.1,
        )


def test_a_triggered_stop_limit_can_be_moved_and_canceled() -> None:
    steps = {0: lambda s: s.buy(SYMBOL, 10, stop_price=102, limit_price=101)}
    gap = (105, 106, 104, 105)
    moved = play(
        [FLAT, gap, (104, 104, 103, 103)],
        {**steps, 1: lambda s: s.modify(s.made[0], limit_price=103.5)},
    )
    assert moved.fills == [(3, 10, 103.5)]
    ended = play([FLAT, gap, DIP], {**steps, 1: lambda s: s.cancel(s.made[0])})
    assert (ended.fills, ended.statuses) == ([], ["CANCELED"])


def test_a_closed_order_cannot_change_and_a_cancel_of_it_does_nothing() -> None:
    def change(s: object) -> None:
        with pytest.raises(OrderError, match="is FILLED and cannot change"):
            s.modify(s.made[0], quantity=20)  # type: ignore[attr-defined]

    run = play(
        [FLAT, FLAT, FLAT],
        {0: lambda s: s.buy(SYMBOL, 10), 1: lambda s: [change(s), s.cancel(s.made[0])]},
    )
    assert run.statuses == ["FILLED"]


def test_cancel_all_ends_entries_and_what_they_hold() -> None:
    run = play(
        [FLAT, FLAT, DIP],
        {
            0: lambda s: [
                s.buy(SYMBOL, 10, limit_price=99, take_profit=104, stop_loss=90),
                s.sell(SYMBOL, 10, stop_price=99),
            ],
            1: lambda s: s.cancel_all(),
        },
    )
    assert run.fills == []
    assert run.statuses == ["CANCELED"] * 4


def test_a_change_off_the_tick_is_refused_and_the_order_stays() -> None:
    from pyrt.core.instruments import Instrument

    run = play(
        [FLAT, FLAT, DIP],
        {
            0: lambda s: s.buy(SYMBOL, 10, limit_price=99),
            1: lambda s: s.modify(s.made[0], limit_price=98.995),
        },
        instrument=Instrument(SYMBOL, tick_size="0.01"),
    )
    assert run.fills == [(3, 10, 99)]
    assert run.strategies[0].events[2][1] == "modify_rejected"


class Inside(Script):
    """Sends an order at the close of an hourly bar, and changes it or its exit at minutes."""

    def __init__(
        self, first: Command, changes: Mapping[int, Mapping[str, Any]], bar: int = 0
    ) -> None:
        super().__init__({bar: first})
        self._changes = changes

    def on_start(self) -> None:
        self.subscribe_bars(SYMBOL, "1h")
        self._run(-1)
        for minute in self._changes:
            self.set_alert(str(minute), START + minute * MINUTE, self._change)

    def _change(self, event: Any) -> None:
        order = self.made[0].stop_loss or self.made[0]
        self.modify(order, **self._changes[(event.ts_event - START) // MINUTE])


def buy(quantity: float, **terms: Any) -> Command:
    return lambda s: s.buy(SYMBOL, quantity, **terms)


# fmt: off
INSIDE = [
    # An order of minute 60 and its changes. From 60 to 120 prices reach 90 and 101, later 94.
    (buy(9, limit_price=50), {}, []),
    (buy(9, limit_price=50), {60: {"limit_price": 95}}, [(120, 9, 95)]),
    (buy(9, limit_price=50), {110: {"limit_price": 95}}, [(180, 9, 95)]),
    (buy(9, limit_price=50), {110: {"limit_price": 93}}, []),
    (buy(9, limit_price=50), {120: {"limit_price": 95}}, [(180, 9, 95)]),
    # Also the old terms are out of force in that bar, as if canceled.
    (buy(9, limit_price=95), {110: {"limit_price": 93}}, []),
    (buy(9, limit_price=95), {110: {"quantity": 12}}, [(180, 12, 95)]),
    (buy(9, stop_price=105), {110: {"stop_price": 101}}, [(180, 9, 101)]),
    (buy(9, stop_price=105), {60: {"stop_price": 101}}, [(120, 9, 101)]),
    # What asks for no more and no other price is there as before.
    (buy(9, limit_price=95), {110: {"quantity": 5}}, [(120, 5, 95)]),
    (buy(9, limit_price=95), {110: {"limit_price": 95}}, [(120, 9, 95)]),
    (buy(9, stop_price=101), {110: {"stop_price": 101}}, [(120, 9, 101)]),
    # An exit is out of that bar too, be it held or at work.
    (buy(9, stop_loss=50), {110: {"stop_price": 95}}, [(60, 9, 100), (180, -9, 95)]),
    (buy(9, limit_price=99, stop_loss=50), {110: {"stop_price": 95}},
     [(120, 9, 99), (180, -9, 95)]),
]
# fmt: on


@pytest.mark.parametrize(("first", "changes", "fills"), INSIDE)
def test_a_change_inside_a_bar_is_not_for_its_prices(
    first: Command, changes: Any, fills: Any
) -> None:
    bars = [FLAT, (100, 101, 90, 100), (100, 101, 94, 100)]
    run = play(bars, Inside(first, changes), minutes=60, timeframe="1h")
    assert run.fills == fills


@pytest.mark.parametrize(
    ("minute", "latency", "fills"),
    [
        (60, "5m", [(120, 9, 95)]),
        (59, "5m", [(120, 9, 95)]),
        (61, "5m", [(180, 9, 95)]),
        (60, "60m", [(180, 9, 95)]),
    ],
)
def test_a_change_under_way_when_a_bar_begins_is_for_it(
    minute: int, latency: str, fills: Any
) -> None:
    bars = [FLAT, (100, 101, 90, 100), (100, 101, 94, 100)]
    strategy = Inside(buy(9, limit_price=50), {minute: {"limit_price": 95}}, bar=-1)
    assert play(bars, strategy, minutes=60, timeframe="1h", latency=latency).fills == fills
