"""Brackets, OTO and OCO on bars: who fills, who is canceled, and when the order was a guess."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.backtest.harness import SYMBOL, Script, play

FLAT = (100, 100, 100, 100)


@dataclass(frozen=True)
class Row:
    """A bracket sent at the close of a bar at 100; the bars after it; what it leads to."""

    name: str
    side: str
    terms: dict[str, Any]
    bars: tuple[tuple[float, ...], ...]
    fills: list[tuple[float, float, float]]
    statuses: list[str]
    venue: dict[str, Any] = field(default_factory=dict)
    ambiguous: int = 0


BRACKET = {"take_profit": 104, "stop_loss": 97}
SHORT = {"take_profit": 96, "stop_loss": 103}
LIMIT_IN = {"limit_price": 99, **BRACKET}
STOP_IN = {"stop_price": 102, **BRACKET}
BOTH = (100, 105, 96, 101)
TARGET, STOPPED = ["FILLED", "FILLED", "CANCELED"], ["FILLED", "CANCELED", "FILLED"]
OPEN_EXITS = ["FILLED", "ACCEPTED", "ACCEPTED"]


def path(name: str) -> dict[str, Any]:
    return {"path": name}


NEXT = {"children": "next_bar"}

# fmt: off
TABLE = [
    Row("target in the bar of entry", "buy", BRACKET, ((100, 105, 99, 104),),
        [(1, 10, 100), (2, -10, 104)], TARGET),
    Row("stop in the bar of entry", "buy", BRACKET, ((100, 103, 96, 98),),
        [(1, 10, 100), (2, -10, 97)], STOPPED),
    Row("both, adverse first", "buy", BRACKET, (BOTH,), [(1, 10, 100), (2, -10, 97)], STOPPED,
        ambiguous=1),
    Row("both, high first", "buy", BRACKET, (BOTH,), [(1, 10, 100), (2, -10, 104)], TARGET,
        path("open_high_low_close"), ambiguous=1),
    Row("both, low first", "buy", BRACKET, (BOTH,), [(1, 10, 100), (2, -10, 97)], STOPPED,
        path("open_low_high_close"), ambiguous=1),
    # The low, 4 away from the open, is nearer than the high, 5 away.
    Row("both, nearest first", "buy", BRACKET, (BOTH,), [(1, 10, 100), (2, -10, 97)], STOPPED,
        path("nearest_first"), ambiguous=1),
    Row("both, nearest first, high nearer", "buy", BRACKET, ((101, 105, 96, 101),),
        [(1, 10, 101), (2, -10, 104)], TARGET, path("nearest_first"), ambiguous=1),
    Row("short, both, adverse first", "sell", SHORT, ((100, 104, 95, 99),),
        [(1, -10, 100), (2, 10, 103)], STOPPED, ambiguous=1),
    Row("short, both, low first", "sell", SHORT, ((100, 104, 95, 99),),
        [(1, -10, 100), (2, 10, 96)], TARGET, path("open_low_high_close"), ambiguous=1),
    Row("gap through the stop", "buy", BRACKET, ((100, 101, 99, 100), (95, 96, 94, 95)),
        [(1, 10, 100), (2, -10, 95)], STOPPED),
    Row("gap through the target", "buy", BRACKET, ((100, 101, 99, 100), (106, 107, 96, 100)),
        [(1, 10, 100), (2, -10, 106)], TARGET),
    Row("neither", "buy", BRACKET, ((100, 101, 99, 100),), [(1, 10, 100)], OPEN_EXITS),
    # A limit entry at 99: the price falls to 96 after it, so the stop is certain.
    Row("limit entry, then the stop", "buy", LIMIT_IN, ((100, 101, 96, 98),),
        [(2, 10, 99), (2, -10, 97)], STOPPED),
    Row("limit entry, both in the bar", "buy", LIMIT_IN, (BOTH,),
        [(2, 10, 99), (2, -10, 97)], STOPPED, ambiguous=1),
    Row("limit entry, target where the high comes last", "buy", LIMIT_IN, ((100, 105, 98, 99),),
        [(2, 10, 99), (2, -10, 104)], TARGET, path("open_low_high_close"), ambiguous=1),
    Row("limit entry, the high came first", "buy", LIMIT_IN, ((100, 105, 98, 99),),
        [(2, 10, 99)], OPEN_EXITS, ambiguous=1),
    Row("limit entry, exits from the next bar", "buy", LIMIT_IN, (BOTH, (101, 104.5, 100, 104)),
        [(2, 10, 99), (3, -10, 104)], TARGET, NEXT),
    Row("limit entry at a gap, exits from the next bar", "buy", LIMIT_IN,
        ((98, 105, 96, 101), (101, 104.5, 100, 104)), [(1, 10, 98), (3, -10, 104)], TARGET, NEXT),
    # A stop entry at 102 on the way up; whether 96 came before or after it is a guess.
    Row("stop entry, both in the bar", "buy", STOP_IN, (BOTH,),
        [(2, 10, 102), (2, -10, 97)], STOPPED, ambiguous=1),
    Row("stop entry, target beyond it", "buy", STOP_IN, ((100, 105, 99, 101),),
        [(2, 10, 102), (2, -10, 104)], TARGET),
    Row("stop entry, target beyond it, next bar", "buy", STOP_IN, ((100, 105, 99, 101),),
        [(2, 10, 102), (2, -10, 104)], TARGET, NEXT),
    Row("stop entry, both, next bar", "buy", STOP_IN, (BOTH,), [(2, 10, 102)], OPEN_EXITS, NEXT),
    Row("market entry, next bar changes nothing", "buy", BRACKET, (BOTH,),
        [(1, 10, 100), (2, -10, 97)], STOPPED, NEXT, ambiguous=1),
    Row("same close, exits meet the next bar", "buy", BRACKET, ((101, 105, 99, 101),),
        [(1, 10, 100), (2, -10, 104)], TARGET, {"fill": "same_close"}),
    Row("OTO with a target", "buy", {"take_profit": 104}, ((100, 105, 99, 104),),
        [(1, 10, 100), (2, -10, 104)], ["FILLED", "FILLED"]),
    Row("OTO with a stop", "buy", {"stop_loss": 97}, ((100, 105, 96, 104),),
        [(1, 10, 100), (2, -10, 97)], ["FILLED", "FILLED"]),
    Row("OTO with a stop-limit, gap beyond", "buy", {"stop_loss": (97, 96)},
        ((100, 100, 99, 99), (95, 95, 94, 95)), [(1, 10, 100)], ["FILLED", "TRIGGERED"]),
    Row("entry not filled", "buy", {"limit_price": 94, "take_profit": 104, "stop_loss": 90},
        (BOTH,), [], ["ACCEPTED", "HELD", "HELD"]),
]
# fmt: on


@pytest.mark.parametrize("row", TABLE, ids=lambda r: r.name)
def test_a_bracket_ends_as_the_table_says(row: Row) -> None:
    run = play(
        (FLAT, *row.bars),
        {0: lambda s: getattr(s, row.side)(SYMBOL, 10, **row.terms)},
        **row.venue,
    )
    assert run.fills == row.fills
    assert run.statuses == row.statuses
    assert run.sim.ambiguous_bars == row.ambiguous


@pytest.mark.parametrize(
    ("bar", "fill", "statuses"),
    [
        ((101, 105, 99, 101), (3, -10, 104), ["FILLED", "FILLED", "CANCELED"]),
        ((101, 103, 96, 101), (3, -10, 97), ["FILLED", "CANCELED", "FILLED"]),
        ((101, 103, 99, 101), None, ["FILLED", "ACCEPTED", "ACCEPTED"]),
    ],
)
def test_one_of_a_pair_cancels_the_other(bar: Any, fill: Any, statuses: list[str]) -> None:
    run = play(
        [FLAT, FLAT, bar],
        {
            0: lambda s: s.buy(SYMBOL, 10),
            1: lambda s: s.oco(SYMBOL, 10, take_profit=104, stop_loss=97),
        },
    )
    assert run.fills[1:] == ([fill] if fill else [])
    assert run.statuses == statuses


def test_exits_cover_what_a_partly_filled_entry_holds() -> None:
    """40 of 100 fill and leave at the target; the next 40 fill and are stopped out."""
    run = play(
        [
            FLAT,
            (100, 104.5, 99.5, 104, 400),  # buys 40 at 100: no volume is left for the target
            (104.2, 104.5, 103, 104, 400),  # sells 40 at the open, 104.2
            (100, 100, 98, 98, 400),
        ],
        {0: lambda s: s.buy(SYMBOL, 100, limit_price=100.5, take_profit=104, stop_loss=97)},
        participation=0.1,
    )
    assert run.fills == [(1, 40, 100), (2, -40, 104.2), (3, 40, 100)]
    entry, target, stop = run.strategies[0].made[0], *run.strategies[0].made[0].legs
    assert (entry.leaves_quantity, target.filled_quantity) == (20, 40)
    # Of 100 the pair has left 40: the stop may still sell 60, now 40 of them.
    assert stop.quantity == 60
    assert run.statuses == ["PARTIALLY_FILLED", "PARTIALLY_FILLED", "ACCEPTED"]


def test_the_exits_of_a_canceled_entry_keep_what_it_filled() -> None:
    run = play(
        [FLAT, (100, 101, 99.5, 100, 400), (100, 101, 99.8, 100, 0), (100, 101, 96, 97)],
        {
            0: lambda s: s.buy(SYMBOL, 100, limit_price=100.5, take_profit=104, stop_loss=97),
            1: lambda s: s.cancel(s.made[0]),
        },
        participation=0.1,
    )
    assert run.fills == [(1, 40, 100), (4, -40, 97)]
    assert run.statuses == ["CANCELED", "CANCELED", "FILLED"]


def test_an_entry_canceled_after_its_exit_took_all_ends_the_pair() -> None:
    run = play(
        [FLAT, (100, 101, 99.5, 100, 400), (105, 105, 104.5, 105, 400), (104, 105, 96, 97)],
        {
            0: lambda s: s.buy(SYMBOL, 100, limit_price=100.5, take_profit=104, stop_loss=97),
            2: lambda s: s.cancel(s.made[0]),
        },
        participation=0.1,
    )
    assert run.fills == [(1, 40, 100), (2, -40, 105)]
    assert run.statuses == ["CANCELED", "CANCELED", "CANCELED"]
    assert run.strategies[0].position(SYMBOL).is_flat


def test_canceling_one_exit_ends_its_pair_and_leaves_the_position() -> None:
    run = play(
        [FLAT, FLAT, BOTH],
        {
            0: lambda s: s.buy(SYMBOL, 10, **BRACKET),
            1: lambda s: s.cancel(s.made[0].take_profit),
        },
    )
    assert run.statuses == ["FILLED", "CANCELED", "CANCELED"]
    assert run.strategies[0].position(SYMBOL).quantity == 10


def test_close_cancels_the_exits_first_and_is_idempotent() -> None:
    run = play(
        [FLAT, FLAT, (101, 102, 100, 101)],
        {
            0: lambda s: s.buy(SYMBOL, 10, **BRACKET),
            1: lambda s: [s.close(SYMBOL), s.close(SYMBOL)],
        },
    )
    assert run.fills == [(1, 10, 100), (2, -10, 101)]
    assert run.statuses == ["FILLED", "CANCELED", "CANCELED", "FILLED"]
    assert run.strategies[0].made[2] is None


def test_a_larger_entry_carries_larger_exits() -> None:
    run = play(
        [FLAT, (100, 101, 99.5, 100), (100, 101, 96, 97)],
        {
            0: lambda s: s.buy(SYMBOL, 10, limit_price=99, **BRACKET),
            1: lambda s: s.modify(s.made[0], quantity=25),
        },
    )
    assert run.fills == [(3, 25, 99), (3, -25, 97)]


def test_an_exit_cannot_become_larger_than_its_entry() -> None:
    run = play(
        [FLAT, (100, 101, 99, 100), (100, 105, 99, 104)],
        {
            0: lambda s: s.buy(SYMBOL, 10, **BRACKET),
            1: lambda s: s.modify(s.made[0].take_profit, quantity=30),
        },
    )
    # A take-profit of 30 would have turned ten held into twenty short.
    assert run.fills == [(1, 10, 100), (3, -10, 104)]
    assert [kind for _, kind in run.strategies[0].events].count("modify_rejected") == 1
    assert "exit_quantity: quantity 30 is more than the 10 of the entry" in run.reasons[1]


def test_an_exit_of_a_part_that_has_filled_cannot_grow_back_to_what_was_ordered() -> None:
    run = play(
        [FLAT, (*FLAT, 400), (*FLAT, 0), (*FLAT, 0), (100, 105, 100, 104)],
        {
            0: lambda s: s.buy(SYMBOL, 100, limit_price=101, take_profit=104),
            1: lambda s: s.cancel(s.made[0]),
            2: lambda s: s.modify(s.made[0].take_profit, quantity=60),
            3: lambda s: s.modify(s.made[0].take_profit, quantity=40, limit_price=103),
        },
        participation=0.1,
        check=False,
    )
    assert "60 is more than the 40 of the entry" in run.reasons[1]
    assert run.fills[0] == (1, 40, 100)


def test_day_exits_of_a_pair_expire_together() -> None:
    run = play(
        [FLAT, FLAT],
        {0: lambda s: s.buy(SYMBOL, 10, limit_price=100.5, time_in_force="day", **BRACKET)},
        start=1_704_067_200_000_000_000 + 86_340_000_000_000 - 60_000_000_000,
        check=False,
    )
    # Sent a minute before midnight UTC, filled at once, and the session ends with the bar.
    assert run.statuses == ["FILLED", "EXPIRED", "EXPIRED"]


def test_reduce_only_orders_never_pass_through_zero() -> None:
    run = play(
        [FLAT, FLAT, (105, 105, 104, 104)],
        {
            0: lambda s: s.buy(SYMBOL, 10),
            1: lambda s: [
                s.sell(SYMBOL, 6, limit_price=104, reduce_only=True),
                s.sell(SYMBOL, 10, limit_price=104.5, reduce_only=True),
            ],
        },
    )
    assert [f[1] for f in run.fills] == [10, -6, -4]
    assert run.strategies[0].position(SYMBOL).quantity == 0


LEFT = "exit: the position it guards has been left"


@pytest.mark.parametrize(
    ("bar", "fill", "statuses"),
    [
        ((101, 103, 96, 101), (4, -7, 97), ["FILLED", "CANCELED", "FILLED", "FILLED"]),
        ((101, 105, 99, 101), (4, -7, 104), ["FILLED", "FILLED", "CANCELED", "FILLED"]),
    ],
)
def test_an_exit_sells_no_more_than_is_held(bar: Any, fill: Any, statuses: list[str]) -> None:
    """Ten less the three sold by hand: an exit of all ten would end three short."""
    run = play(
        [FLAT, FLAT, FLAT, bar, (101, 110, 90, 101)],
        {0: lambda s: s.buy(SYMBOL, 10, **BRACKET), 1: lambda s: s.sell(SYMBOL, 3)},
    )
    assert run.fills == [(1, 10, 100), (2, -3, 100), fill]
    assert run.statuses == statuses
    assert run.strategies[0].position(SYMBOL).is_flat


@pytest.mark.parametrize("sold", [10, 25])
def test_exits_end_with_the_position_they_guard(sold: int) -> None:
    """Sold by hand, or turned: nothing is left that the pair could leave."""
    run = play(
        [FLAT, FLAT, FLAT, (101, 110, 90, 101)],
        {0: lambda s: s.buy(SYMBOL, 10, **BRACKET), 1: lambda s: s.sell(SYMBOL, sold)},
    )
    assert run.fills == [(1, 10, 100), (2, -sold, 100)]
    assert run.statuses == ["FILLED", "CANCELED", "CANCELED", "FILLED"]
    assert run.reasons[1:3] == [LEFT, "oco: the other order of the pair has ended"]


def test_two_entries_that_undo_each_other_leave_no_exits() -> None:
    """A bar reaches the stops on both sides: without a position no stop-loss may open one."""
    run = play(
        [FLAT, (100, 104, 96, 100), (95, 106, 94, 100)],
        {
            0: lambda s: [
                s.buy(SYMBOL, 10, stop_price=103, stop_loss=98),
                s.sell(SYMBOL, 10, stop_price=97, stop_loss=102),
            ]
        },
        path="open_high_low_close",
        children="next_bar",
    )
    assert run.fills == [(2, 10, 103), (2, -10, 97)]
    assert sorted(run.statuses) == ["CANCELED", "CANCELED", "FILLED", "FILLED"]
    assert run.strategies[0].position(SYMBOL).is_flat


def test_an_entry_that_covers_guards_only_what_it_opens() -> None:
    run = play(
        [FLAT, FLAT, FLAT, (100, 100, 96, 97)],
        {0: lambda s: s.sell(SYMBOL, 10), 1: lambda s: s.buy(SYMBOL, 15, stop_loss=98)},
    )
    assert run.fills == [(1, -10, 100), (2, 15, 100), (4, -5, 98)]
    covers = play(
        [FLAT, FLAT, FLAT, (100, 100, 96, 97)],
        {0: lambda s: s.sell(SYMBOL, 10), 1: lambda s: s.buy(SYMBOL, 6, stop_loss=98)},
    )
    assert covers.fills == [(1, -10, 100), (2, 6, 100)]
    assert covers.statuses == ["FILLED", "FILLED", "CANCELED"]


def test_exits_of_an_entry_that_can_still_fill_wait_for_the_rest() -> None:
    """40 fill and are sold by hand; the 40 that fill next are guarded all the same."""
    run = play(
        [
            FLAT,
            (100, 100.4, 99.5, 100, 400),  # buys 40
            (101, 101, 101, 101, 400),  # sells 40
            (100, 100, 100, 100, 400),  # buys 40 more
            (99, 99, 96, 97, 1_000),
        ],
        {
            0: lambda s: s.buy(SYMBOL, 100, limit_price=100.5, stop_loss=97),
            1: lambda s: s.sell(SYMBOL, 40),
            3: lambda s: s.cancel(s.made[0]),
        },
        participation=0.1,
    )
    assert run.fills == [(1, 40, 100), (2, -40, 101), (3, 40, 100), (5, -40, 97)]
    assert run.strategies[0].position(SYMBOL).is_flat


def test_a_strategy_s_exits_are_its_own() -> None:
    """What another strategy sells takes nothing from the position that these exits guard."""
    other = Script({1: lambda s: s.sell(SYMBOL, 10)})
    run = play(
        [FLAT, FLAT, FLAT, (100, 100, 96, 97)],
        [Script({0: lambda s: s.buy(SYMBOL, 10, **BRACKET)}), other],
    )
    assert run.fills == [(1, 10, 100), (2, -10, 100), (4, -10, 97)]
    assert other.position(SYMBOL).quantity == -10
