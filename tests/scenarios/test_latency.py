"""Latency on bars: a latency shorter than the bar moves the stamp, a longer one the bar."""

from __future__ import annotations

from typing import Any

import pytest

from tests.backtest.harness import MINUTE, START, SYMBOL, Script, play

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


def test_an_order_that_arrives_as_a_bar_ends_is_accepted_before_it_ends_with_that_bar() -> None:
    """The fill of that bar ended exits that were to arrive with it, and the run with them."""
    steps = {
        0: lambda s: s.buy(SYMBOL, 10),
        2: lambda s: s.sell(SYMBOL, 10, limit_price=105),
        4: lambda s: s.oco(SYMBOL, 10, take_profit=110, stop_loss=90),
    }
    run = play([FLAT] * 5 + [(100, 106, 100, 106), FLAT], steps, latency="60s")
    assert run.statuses == ["FILLED", "FILLED", "CANCELED", "CANCELED"]
    assert [kind for kind, _ in run.strategies[0].happened[-4:]] == ["accepted"] * 2 + [
        "canceled"
    ] * 2


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


# -- the end of the data ---------------------------------------------------------------------------

FAR = {0: lambda s: s.buy(SYMBOL, 10, limit_price=90)}


def test_what_was_filled_when_the_data_ended_is_heard_at_its_own_time() -> None:
    run = play(flat(100), {0: lambda s: s.buy(SYMBOL, 10)}, latency="6s", fill="same_close")
    late = START + MINUTE + 6 * MINUTE // 60
    assert run.fills == [pytest.approx((1.1, 10, 100))]
    assert run.strategies[0].happened[-1] == ("fill", late)
    curve = run.outcome.kernel_columns
    assert (curve["equity_ts"][-1], curve["cash"][-1]) == (late, 99_000)


def test_answers_and_commands_under_way_when_the_data_end_arrive() -> None:
    steps = {**FAR, 1: lambda s: [s.cancel(s.made[0]), s.buy(SYMBOL, 10)][1:]}
    run = play([FLAT, FLAT], steps, latency="90s")
    end = START + 2 * MINUTE + MINUTE * 3 // 2
    assert sorted(run.strategies[0].happened[-2:]) == [("accepted", end), ("canceled", end)]
    assert run.statuses == ["CANCELED", "ACCEPTED"]
    assert run.fills == []


class Restless(Script):
    """Cancels what is accepted and replaces what is canceled."""

    def on_accept(self, event: Any) -> None:
        self.cancel(event.order)

    def on_cancel(self, event: Any) -> None:
        self.buy(SYMBOL, 10, limit_price=90)


def test_an_answer_to_a_command_sent_after_the_data_ended_is_booked_unheard() -> None:
    """Answering each cancel with an order would otherwise go on for ever."""
    strategy = Restless(FAR)
    run = play([FLAT], strategy, latency="6s")
    assert run.statuses == ["CANCELED"]
    assert strategy.happened[-1] == ("accepted", START + MINUTE + 6 * MINUTE // 60)


class Tidy(Script):
    """Cancels everything at the end."""

    def on_stop(self) -> None:
        self.cancel_all()


def test_what_is_sent_in_on_stop_is_answered_though_nobody_listens() -> None:
    strategy = Tidy(FAR)
    run = play([FLAT, FLAT], strategy, latency="6s")
    assert run.statuses == ["CANCELED"]
    assert strategy.happened[-1][0] == "accepted"
