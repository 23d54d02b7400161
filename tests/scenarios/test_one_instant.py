"""What happens at one instant, in order: what ends, the calendar, what begins, timers."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt.strategy.strategy import Strategy
from tests.backtest.harness import MINUTE, START, SYMBOL, Script, frame, play

FLAT = (100, 100, 100, 100)


def flat(*prices: float) -> list[tuple[float, float, float, float]]:
    return [(p, p, p, p) for p in prices]


class Diary(Strategy):
    """Writes down what it sees, with the time in minutes."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[float, str]] = []

    def note(self, what: str) -> None:
        self.seen.append(((self.now - START) / MINUTE, what))

    def on_start(self) -> None:
        self.subscribe_bars(SYMBOL, "1m")
        self.set_alert("second", START + 2 * MINUTE)
        self.buy(SYMBOL, 1, limit_price=99)
        self.buy(SYMBOL, 2, limit_price=90, expires_at=START + 2 * MINUTE)

    def on_bar(self, bar: Any) -> None:
        self.note("bar")
        if self.now == START + 2 * MINUTE:
            self.buy(SYMBOL, 4)

    def on_fill(self, fill: Any) -> None:
        self.note(f"fill {fill.quantity:g} @ {fill.price:g}")

    def on_expire(self, event: Any) -> None:
        self.note("expired")

    def on_timer(self, event: Any) -> None:
        self.note("timer")
        self.buy(SYMBOL, 8)


def test_the_ranks_of_an_instant() -> None:
    diary = Diary()
    play([FLAT, (100, 100, 98, 99), (101, 101, 101, 101), (102, 102, 102, 102)], diary)
    assert diary.seen == [
        (1, "bar"),
        (2, "fill 1 @ 99"),  # the path of the bar that ends, before its handlers
        (2, "bar"),
        (2, "expired"),  # the calendar
        (2, "fill 4 @ 101"),  # the open of the bar that begins meets what the bar's end sent
        (2, "timer"),
        (3, "bar"),
        (3, "fill 8 @ 102"),  # a timer's order came after the open of its own instant
        (4, "bar"),
    ]


@pytest.mark.parametrize("other", [False, True])
def test_a_timers_order_meets_the_same_bar_whatever_else_waits(other: bool) -> None:
    class Timed(Script):
        def on_start(self) -> None:
            super().on_start()
            self.set_alert("t", START + 2 * MINUTE, lambda e: self.buy(SYMBOL, 1))

    steps = {0: lambda s: s.buy(SYMBOL, 9, limit_price=1)} if other else {}
    run = play(flat(100, 101, 102, 103), Timed(steps))
    assert run.fills == [(3, 1, 103)]


def test_a_timer_between_two_bars_meets_the_next_open() -> None:
    class Timed(Script):
        def on_start(self) -> None:
            super().on_start()
            self.set_alert("t", START + 90_000_000_000, self.act)

        def act(self, event: Any) -> None:
            self.buy(SYMBOL, 1)
            self.buy(SYMBOL, 2, limit_price=99)

    # Bar 1 was under way: its path may be past the limit already, so it does not count.
    run = play([FLAT, (100, 100, 98, 99), (99.5, 101, 98, 100)], Timed({}))
    assert run.fills == [(2, 1, 99.5), (3, 2, 99)]


def test_an_order_of_a_fill_at_the_open_meets_that_bars_path() -> None:
    class Chained(Script):
        def on_fill(self, fill: Any) -> None:
            if fill.quantity == 1:
                self.buy(SYMBOL, 2, limit_price=99)
                self.buy(SYMBOL, 4)

    run = play(
        [FLAT, (100, 101, 98, 100), (101, 101, 101, 101)], Chained({0: lambda s: s.buy(SYMBOL, 1)})
    )
    assert run.fills == [(1, 1, 100), (2, 2, 99), (2, 4, 101)]


def test_an_order_of_a_fill_on_the_path_meets_the_next_open_not_the_rest_of_the_path() -> None:
    class Chained(Script):
        def on_fill(self, fill: Any) -> None:
            if fill.quantity == 1:
                self.sell(SYMBOL, 1, limit_price=100.5)

    run = play(
        [FLAT, (100, 101, 98, 101), (100, 102, 100, 101)],
        Chained({0: lambda s: s.buy(SYMBOL, 1, limit_price=99)}),
        path="open_low_high_close",
    )
    assert run.fills == [(2, 1, 99), (3, -1, 100.5)]


def test_all_bars_of_an_instant_are_walked_before_any_handler() -> None:
    class Two(Strategy):
        def on_start(self) -> None:
            self.log_: list[Any] = []
            for symbol in ("AAA", "BBB"):
                self.subscribe_bars(symbol, "1m")
                self.buy(symbol, 1, limit_price=99)

        def on_bar(self, bar: Any) -> None:
            self.log_.append((bar.symbol, self.position("BBB").quantity))

    two = Two()
    play({"AAA": [FLAT, (100, 100, 98, 99)], "BBB": [FLAT, (100, 100, 98, 99)]}, two)
    assert two.log_ == [("AAA", 0), ("BBB", 0), ("AAA", 1), ("BBB", 1)]


def test_the_open_of_another_symbol_is_over_once_a_fill_at_it_is_learned_of() -> None:
    class Two(Script):
        def on_fill(self, fill: Any) -> None:
            if fill.symbol == "AAA":
                self.buy("BBB", 1)

    run = play(
        {"AAA": flat(100, 101, 102), "BBB": flat(10, 11, 12)}, Two({0: lambda s: s.buy("AAA", 1)})
    )
    assert run.fills == [(1, 1, 101), (2, 1, 12)]


def test_bars_that_arrive_late_still_fill_at_their_opens() -> None:
    """Each bar is learned of a second after its close, when the next has opened already."""
    table = frame(flat(100, 101, 102, 103)).reset_index(names="ts_event")
    table["ts_close"] = table["ts_event"].map(lambda t: t.value) + MINUTE
    table["ts_recv"] = table["ts_close"] + 1_000_000_000
    table["ts_event"] = table["ts_event"].map(lambda t: t.value)
    run = play(table, {0: lambda s: s.buy(SYMBOL, 1)})
    # Sent a second into bar 1, so the open of bar 2 is the first it can meet.
    assert run.fills == [(2, 1, 102)]


def test_a_stop_at_the_end_cancels_nothing_and_orders_stay_open() -> None:
    run = play([FLAT, FLAT], {1: lambda s: s.buy(SYMBOL, 1)})
    assert run.statuses == ["ACCEPTED"]


@pytest.mark.parametrize(("first", "second"), [("AAA", "BBB"), ("BBB", "AAA")])
def test_orders_in_several_symbols_meet_one_open_as_they_were_sent(first: str, second: str) -> None:
    """The sale pays for the purchase, although an older order rests where the purchase goes."""
    run = play(
        {"AAA": flat(100, 100, 100, 100), "BBB": flat(100, 100, 100, 100)},
        {
            0: lambda s: [s.buy(first, 10), s.buy(second, 1, limit_price=50)],
            2: lambda s: [s.sell(first, 10), s.buy(second, 10)],
        },
        cash=1000,
    )
    assert run.statuses == ["FILLED", "ACCEPTED", "FILLED", "FILLED"]
