"""Latency on bars: a latency shorter than the bar moves the stamp, a longer one the bar."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backtest.harness import MINUTE, START, SYMBOL, play

FLAT = (100, 100, 100, 100)
SECOND = 1 / 60


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    return [(p, p, p, p) for p in prices]


@pytest.mark.parametrize(
    ("latency", "fill"),
    [
        (None, (1, 10, 101)),
        ("6s", (1.1, 10, 101)),
        ("59s", (1 + 59 / 60, 10, 101)),
        ("60s", (2, 10, 102)),
        ("61s", (3, 10, 103)),
        ("90s", (3, 10, 103)),
        ("120s", (3, 10, 103)),
    ],
)
def test_the_bar_that_fills_a_market_order(latency: str | None, fill: Any) -> None:
    run = play(flat(100, 101, 102, 103), {0: lambda s: s.buy(SYMBOL, 10)}, latency=latency)
    assert run.fills == [pytest.approx(fill)]


def test_answers_are_learned_of_after_the_latency_in_order() -> None:
    run = play(flat(100, 101, 102), {0: lambda s: s.buy(SYMBOL, 10)}, latency="6s")
    assert run.strategies[0].happened == [
        ("sent", START + MINUTE),
        ("accepted", START + MINUTE + 6_000_000_000),
        ("fill", START + MINUTE + 6_000_000_000),
    ]


def test_a_path_fill_after_the_arrival_keeps_its_own_stamp() -> None:
    run = play(
        [FLAT, (100, 101, 98, 100)], {0: lambda s: s.buy(SYMBOL, 10, limit_price=99)}, latency="6s"
    )
    assert run.fills == [(2, 10, 99)]


@pytest.mark.parametrize(
    ("latency", "status"), [(None, "CANCELED"), ("6s", "CANCELED"), ("60s", "FILLED")]
)
def test_a_cancel_takes_the_latency_too(latency: str | None, status: str) -> None:
    """Canceled at the close of bar 2; bar 3 would fill the order."""
    run = play(
        [FLAT, FLAT, FLAT, (100, 101, 98, 100), FLAT],
        {0: lambda s: s.buy(SYMBOL, 10, limit_price=99), 2: lambda s: s.cancel(s.made[0])},
        latency=latency,
    )
    assert run.statuses == [status]
    assert not run.strategies[0].made[0].is_pending


@pytest.mark.parametrize(("latency", "price"), [("6s", 99.5), ("60s", 99)])
def test_a_change_takes_the_latency_too(latency: str, price: float) -> None:
    run = play(
        [FLAT, FLAT, FLAT, (100, 101, 98, 100), FLAT],
        {
            0: lambda s: s.buy(SYMBOL, 10, limit_price=99),
            2: lambda s: s.modify(s.made[0], limit_price=99.5),
        },
        latency=latency,
    )
    assert run.fills == [(4, 10, price)]


def test_a_cancel_without_data_takes_effect_at_its_own_time() -> None:
    run = play(
        [FLAT, FLAT, FLAT, FLAT],
        {0: lambda s: s.buy(SYMBOL, 10, limit_price=99), 1: lambda s: s.cancel(s.made[0])},
        latency="90s",
    )
    assert run.strategies[0].happened[-1] == ("canceled", START + 2 * MINUTE + 90_000_000_000)


def test_same_close_is_stamped_with_the_arrival() -> None:
    run = play(flat(100, 101), {0: lambda s: s.buy(SYMBOL, 10)}, latency="6s", fill="same_close")
    assert run.fills == [pytest.approx((1.1, 10, 100))]
