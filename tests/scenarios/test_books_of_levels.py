"""Orders and books of levels: what is walked, what waits, and where in the queue it stands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backtest.depths import SYMBOL, levels, play, prints

# At second 0: bids 5 at 99, 20 at 98; asks 5 at 100, 10 at 101, 10 at 102.
BASE = (
    (0, "B", 99, 5),
    (0, "B", 98, 20),
    (0, "A", 100, 5),
    (0, "A", 101, 10),
    (0, "A", 102, 10),
)
QUIET = (9, "B", 90, 1)


def buy(quantity: float, **terms: Any) -> Any:
    return lambda s: s.buy(SYMBOL, quantity, **terms)


def sell(quantity: float, **terms: Any) -> Any:
    return lambda s: s.sell(SYMBOL, quantity, **terms)


@pytest.mark.parametrize(
    ("command", "fills", "status"),
    [
        # Takes level after level, each at its own price, at the instant it arrives.
        (buy(4), [(0.5, 4, 100)], "FILLED"),
        (buy(8), [(0.5, 5, 100), (0.5, 3, 101)], "FILLED"),
        (sell(25), [(0.5, -5, 99), (0.5, -20, 98)], "FILLED"),
        # More than is shown waits for more to be shown.
        (buy(26), [(0.5, 5, 100), (0.5, 10, 101), (0.5, 10, 102)], "PARTIALLY_FILLED"),
        # A limit bounds the walk; what is left rests.
        (buy(8, limit_price=100), [(0.5, 5, 100)], "PARTIALLY_FILLED"),
        (buy(20, limit_price=101), [(0.5, 5, 100), (0.5, 10, 101)], "PARTIALLY_FILLED"),
        (buy(5, limit_price=99), [], "ACCEPTED"),
        # At once or not at all.
        (buy(8, limit_price=100, time_in_force="ioc"), [(0.5, 5, 100)], "CANCELED"),
        (buy(8, limit_price=100, time_in_force="fok"), [], "CANCELED"),
        (buy(8, limit_price=101, time_in_force="fok"), [(0.5, 5, 100), (0.5, 3, 101)], "FILLED"),
        (buy(26, time_in_force="ioc"), [(0.5, 5, 100), (0.5, 10, 101), (0.5, 10, 102)], "CANCELED"),
        (buy(26, time_in_force="fok"), [], "CANCELED"),
        # Post-only: turned away where it would take, else it rests.
        (buy(1, limit_price=100, post_only=True), [], "REJECTED"),
        (sell(1, limit_price=99, post_only=True), [], "REJECTED"),
        (buy(1, limit_price=99.99, post_only=True), [], "ACCEPTED"),
        # Market-to-limit: the best price only; the rest is a limit order there.
        (buy(8, market_to_limit=True), [(0.5, 5, 100)], "PARTIALLY_FILLED"),
        # Stops: a buy looks at the ask, a sell at the bid.
        (buy(2, stop_price=100), [(0.5, 2, 100)], "FILLED"),
        (buy(2, stop_price=100.01), [], "ACCEPTED"),
        (sell(2, stop_price=99), [(0.5, -2, 99)], "FILLED"),
        (sell(7, stop_price=99, limit_price=98.5), [(0.5, -5, 99)], "PARTIALLY_FILLED"),
        # If touched: from the other side.
        (buy(2, trigger_price=100), [(0.5, 2, 100)], "FILLED"),
        (buy(2, trigger_price=99.99), [], "ACCEPTED"),
        (sell(2, trigger_price=99, limit_price=99), [(0.5, -2, 99)], "FILLED"),
    ],
)
def test_an_order_that_arrives_meets_the_book_as_it_stands(
    command: Any, fills: Any, status: str
) -> None:
    run = play({"book": levels(*BASE, QUIET)}, {0.5: command})
    assert run.filled == fills
    assert run.statuses == [status]


def test_it_meets_the_next_event_where_that_is_asked_for() -> None:
    rows = (*BASE, (1, "A", 100, 0), (2, "A", 101, 0))
    run = play({"book": levels(*rows)}, {0.5: buy(4)}, arrival="next")
    assert run.filled == [(1, 4, 101)]


@pytest.mark.parametrize(
    ("after", "fills"),
    [
        # The ask comes to a resting bid: it fills at its own price, up to what is shown there.
        (((1, "A", 99.5, 3),), [(1, 3, 99.5)]),
        (((1, "A", 99.4, 3), (1, "A", 99.5, 4)), [(1, 3, 99.5), (1, 4, 99.5)]),
        (((1, "A", 99.4, 30),), [(1, 10, 99.5)]),
        # What was taken is not there again while the level shows the same.
        (((1, "A", 99.5, 3), (2, "B", 97, 1), (3, "A", 99.5, 4)), [(1, 3, 99.5), (3, 4, 99.5)]),
        # Not below it: no fill.
        (((1, "A", 99.51, 30),), []),
        # A crossed book is not met, the next sound one is.
        (((1, "B", 100.5, 3),), []),
        (((1, "A", 98.5, 3), (2, "B", 99, 0)), [(2, 3, 99.5)]),
    ],
)
def test_a_resting_order_is_met_at_its_own_price(after: Any, fills: Any) -> None:
    run = play({"book": levels(*BASE, *after, QUIET)}, {0.5: buy(10, limit_price=99.5)})
    assert run.filled == fills


def test_what_one_takes_is_gone_until_the_level_changes() -> None:
    rows = (*BASE, (2, "A", 100, 6), QUIET)
    steps = {0.5: buy(5), 0.75: buy(2), 2.5: buy(2)}
    run = play({"book": levels(*rows)}, steps)
    assert run.filled == [(0.5, 5, 100), (0.75, 2, 101), (2.5, 2, 100)]
    free = play({"book": levels(*rows)}, steps, consume=False)
    assert free.filled == [(0.5, 5, 100), (0.75, 2, 100), (2.5, 2, 100)]


def test_price_goes_before_time() -> None:
    """Two bids rest; the ask falls through both but shows three: the better bid comes first."""
    rows = (*BASE, (1, "A", 99.2, 3), QUIET)
    steps = {0.5: buy(2, limit_price=99.3), 0.6: buy(2, limit_price=99.5)}
    run = play({"book": levels(*rows)}, steps)
    assert run.filled == [(1, 2, 99.5), (1, 1, 99.3)]


def test_time_goes_before_size_at_one_price() -> None:
    rows = (*BASE, (1, "A", 99.5, 3), QUIET)
    steps = {0.5: buy(2, limit_price=99.5), 0.6: buy(9, limit_price=99.5)}
    run = play({"book": levels(*rows)}, steps)
    assert run.filled == [(1, 2, 99.5), (1, 1, 99.5)]


@pytest.mark.parametrize(
    ("change", "fills"),
    [
        # Less at the same price keeps the place before the other; more, or another price, loses it.
        ({"quantity": 2}, [(2, 2, 99.5, 0), (2, 1, 99.5, 1)]),
        ({"quantity": 4}, [(2, 3, 99.5, 1)]),
        ({"limit_price": 99.51}, [(2, 3, 99.51, 0)]),
        ({"limit_price": 99.49}, [(2, 3, 99.5, 1)]),
    ],
)
def test_what_a_change_does_to_the_place_in_time(change: Any, fills: Any) -> None:
    rows = (*BASE, (2, "A", 99.45, 3), QUIET)
    steps = {
        0.5: buy(3, limit_price=99.5),
        0.6: buy(3, limit_price=99.5),
        0.7: lambda s: s.modify(s.made[0], **change),
    }
    run = play({"book": levels(*rows)}, steps)
    ids = [f["client_order_id"] for f in run.table("fills")]
    order_of = {o["client_order_id"]: i for i, o in enumerate(run.table("orders"))}
    assert [(*f, order_of[i]) for f, i in zip(run.filled, ids, strict=True)] == fills


# A bid of 2 joins at 99 behind 5. Columns: book events, prints, queue model → fills.
QUEUES: list[tuple[Any, Any, Any, Any]] = [
    # Prints at the price take what is ahead first.
    ((), ((1, 99, 4, "sell"),), None, []),
    ((), ((1, 99, 5, "sell"),), None, []),
    ((), ((1, 99, 6, "sell"),), None, [(1, 1, 99)]),
    ((), ((1, 99, 7, "sell"),), None, [(1, 2, 99)]),
    ((), ((1, 99, 3, "sell"), (2, 99, 4, "sell")), None, [(2, 2, 99)]),
    # Who buys takes from the asks: no print of the bids.
    ((), ((1, 99, 50, "buy"),), None, []),
    # Through the price: all of it, up to the print's size.
    ((), ((1, 98, 1, "sell"),), None, [(1, 1, 99)]),
    ((), ((1, 98, 9, "sell"),), None, [(1, 2, 99)]),
    # The level shrinks by 3 without a print: risk-averse takes it from behind while it can.
    (((1, "B", 99, 8), (2, "B", 99, 5)), ((3, 99, 5, "sell"),), "risk_averse", []),
    (((1, "B", 99, 2),), ((3, 99, 3, "sell"),), "risk_averse", [(3, 1, 99)]),
    # 5 ahead, 5 behind, 4 leave. power:1 takes half from each side: 3 ahead.
    (((1, "B", 99, 10), (2, "B", 99, 6)), ((3, 99, 4, "sell"),), "power:1", [(3, 1, 99)]),
    (((1, "B", 99, 10), (2, "B", 99, 6)), ((3, 99, 4, "sell"),), "risk_averse", []),
    # 5 ahead, 15 behind, 4 leave: 15**2/(15**2 + 5**2) = 0.9 from behind, 0.4 from ahead.
    (((1, "B", 99, 20), (2, "B", 99, 16)), ((3, 99, 5.6, "sell"),), "power:2", [(3, 1, 99)]),
    # ln 16/(ln 16 + ln 6) = 0.607 from behind, 1.57 from ahead: 3.43 are left.
    (((1, "B", 99, 20), (2, "B", 99, 16)), ((3, 99, 4.5, "sell"),), "log", [(3, 1, 99)]),
    # 1 - (5/20)**2 = 0.9375 from behind, 0.25 from ahead: 4.75 are left.
    (((1, "B", 99, 20), (2, "B", 99, 16)), ((3, 99, 5.75, "sell"),), "power3:2", [(3, 1, 99)]),
    # 15/20 from behind, 1 from ahead: 4 are left.
    (((1, "B", 99, 20), (2, "B", 99, 16)), ((3, 99, 5, "sell"),), "power2:1", [(3, 1, 99)]),
    # A print and the level's loss by it are one thing, not two.
    (
        ((1.5, "B", 99, 2),),
        ((1, 99, 3, "sell"), (2, 99, 3, "sell")),
        "power:1",
        [(2, 1, 99)],
    ),
    # The level is gone: we are alone.
    (((1, "B", 99, 0),), ((2, 99, 1, "sell"),), None, [(2, 1, 99)]),
]


@pytest.mark.parametrize(("events", "trades", "queue", "fills"), QUEUES)
def test_a_place_in_the_queue_of_a_level(events: Any, trades: Any, queue: Any, fills: Any) -> None:
    run = play(
        {"book": levels(*BASE, *events, QUIET), "trades": prints(*trades)},
        {0.5: buy(2, limit_price=99)},
        queue=queue,
    )
    assert run.filled == fills


def test_two_of_ours_share_a_print() -> None:
    run = play(
        {"book": levels(*BASE, QUIET), "trades": prints((1, 99, 8, "sell"))},
        {0.5: buy(2, limit_price=99), 0.6: buy(2, limit_price=99)},
    )
    assert run.filled == [(1, 2, 99), (1, 1, 99)]


def test_an_iceberg_goes_behind_with_each_part() -> None:
    """2 of 6 are shown. A print of 9 fills them, and the next 2 stand behind the 5 again."""
    run = play(
        {
            "book": levels(*BASE, QUIET),
            "trades": prints((1, 99, 9, "sell"), (2, 99, 5, "sell"), (3, 99, 6, "sell")),
        },
        {0.5: buy(6, limit_price=99, display_quantity=2)},
    )
    assert run.filled == [(1, 2, 99), (3, 2, 99)]


def test_an_iceberg_is_met_in_full_by_who_comes_to_it() -> None:
    run = play(
        {"book": levels(*BASE, (1, "A", 99, 9), QUIET)},
        {0.5: buy(6, limit_price=99.5, display_quantity=2)},
    )
    assert run.filled == [(1, 6, 99.5)]


def test_a_participation_cap_holds_for_levels_and_prints() -> None:
    run = play(
        {"book": levels(*BASE, QUIET), "trades": prints((1, 98, 4, "sell"))},
        {0.5: buy(8), 0.6: buy(9, limit_price=99)},
        participation=0.5,
    )
    # Half of 5 is 2 whole units, half of the others 5; the rest of the first order waits.
    assert run.filled == [(0.5, 2, 100), (0.5, 5, 101), (0.5, 1, 102), (1, 2, 99)]


def test_liquidity_is_named() -> None:
    run = play(
        {"book": levels(*BASE, (1, "A", 98.5, 1), (1, "B", 99, 0), QUIET)},
        {0.5: buy(5), 0.6: buy(1, limit_price=98.6)},
    )
    assert run.with_liquidity == [(0.5, 5, 100, "taker"), (1, 1, 98.6, "maker")]
