"""Orders and books of orders: the exact place, by who leaves, who executes and who comes later."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backtest.depths import SYMBOL, order_events, play

# At second 0: bids 1 (3 units) and 2 (4 units) at 99; ask 9 (5 units) at 100.
BASE = (
    (0, "add", "B", 99, 3, 1),
    (0.1, "add", "B", 99, 4, 2),
    (0.2, "add", "A", 100, 5, 9),
)
QUIET = (9, "add", "B", 90, 1, 77)


def executed(seconds: float, price: float, size: float, number: int) -> Any:
    """An execution as the "mbo" dialect shows it: a trade, a fill, and what leaves the book."""
    return (
        (seconds, "trade", "A", price, size, 0),
        (seconds, "fill", "B", price, size, number),
        (seconds, "cancel", "B", price, size, number),
    )


# A bid of 2 joins at 99 behind both. Columns: events → fills.
CASES: list[tuple[Any, Any]] = [
    ((), []),
    # Who executes before us only makes room.
    (executed(1, 99, 3, 1), []),
    ((*executed(1, 99, 3, 1), *executed(2, 99, 4, 2)), []),
    # Whoever joined later executes: we would have, as much of it.
    (((1, "add", "B", 99, 6, 3), *executed(2, 99, 1, 3)), [(2, 1, 99)]),
    (((1, "add", "B", 99, 6, 3), *executed(2, 99, 6, 3)), [(2, 2, 99)]),
    # It does not matter whether somebody still stands ahead by the book: the venue knows better.
    (
        ((1, "cancel", "B", 99, 3, 1), (1.5, "add", "B", 99, 6, 3), *executed(2, 99, 1, 3)),
        [(2, 1, 99)],
    ),
    # An execution at a worse price went through ours.
    (((1, "add", "B", 98, 6, 3), *executed(2, 98, 1, 3)), [(2, 1, 99)]),
    # One at a better price did not reach it.
    (((1, "add", "B", 99.5, 6, 3), *executed(2, 99.5, 1, 3)), []),
    # Who asks for more goes behind us; who asks for less keeps his place.
    (((1, "modify", "B", 99, 9, 1), *executed(2, 99, 1, 1)), [(2, 1, 99)]),
    (((1, "modify", "B", 99, 2, 1), *executed(2, 99, 1, 1)), []),
    # The other side comes to our price.
    (((1, "add", "A", 98.9, 1, 4),), [(1, 1, 99)]),
]


@pytest.mark.parametrize(("events", "fills"), CASES)
def test_a_place_among_orders(events: Any, fills: Any) -> None:
    rows = (*BASE, *events, QUIET)
    if events and events[0][1] == "add" and events[0][2] == "A":
        # The bids that the offer would have met leave first: a feed never rests crossed.
        rows = (
            *BASE,
            (0.8, "cancel", "B", 99, 3, 1),
            (0.9, "cancel", "B", 99, 4, 2),
            *events,
            QUIET,
        )
    run = play(
        {"book": order_events(*rows)},
        {0.5: lambda s: s.buy(SYMBOL, 2, limit_price=99)},
        load={"dialect": "mbo"},
    )
    assert run.filled == fills


LOBSTER = (
    (0, "add", "B", 99, 3, 1),
    (0.1, "add", "B", 99, 4, 2),
    (0.2, "add", "A", 100, 5, 9),
)


@pytest.mark.parametrize(
    ("events", "fills"),
    [
        (((1, "fill", "B", 99, 3, 1),), []),
        (((1, "fill", "B", 99, 3, 1), (2, "fill", "B", 99, 4, 2)), []),
        (((1, "add", "B", 99, 6, 3), (2, "fill", "B", 99, 1, 3)), [(2, 1, 99)]),
        (((1, "reduce", "B", 99, 1, 1), (2, "fill", "B", 99, 2, 1)), []),
        (
            ((1, "delete", "B", 99, 3, 1), (2, "add", "B", 99, 1, 3), (3, "fill", "B", 99, 1, 3)),
            [(3, 1, 99)],
        ),
        # What is hidden trades last at its price: it tells nothing there, and much below.
        (((1, "hidden_fill", "B", 99, 5, 0),), []),
        (((1, "hidden_fill", "B", 98.5, 5, 0),), [(1, 2, 99)]),
    ],
)
def test_a_place_among_orders_as_lobster_tells_it(events: Any, fills: Any) -> None:
    table = order_events(*LOBSTER, *events, QUIET).drop(columns="flags")
    table["sequence"] = range(1, len(table) + 1)
    run = play(
        {"book": table},
        {0.5: lambda s: s.buy(SYMBOL, 2, limit_price=99)},
        load={"dialect": "lobster"},
    )
    assert run.filled == fills


def test_it_takes_what_rests() -> None:
    run = play(
        {"book": order_events(*BASE, (0.3, "add", "A", 101, 2, 8), QUIET)},
        {0.5: lambda s: s.buy(SYMBOL, 6)},
        load={"dialect": "mbo"},
    )
    assert run.filled == [(0.5, 5, 100), (0.5, 1, 101)]
