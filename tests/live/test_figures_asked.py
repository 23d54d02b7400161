"""What daily bars a node asks for, and what it states of them: each figure by hand."""

from __future__ import annotations

from decimal import Decimal
from types import SimpleNamespace as Stub
from typing import Any

import pytest

from pyrt.core.times import timestamp_ns
from pyrt.live.driver.figures import AGAIN_NS, SETTLED_NS, DailyFigures
from pyrt.risk import Limits

DAY = 86_400_000_000_000
NOW = timestamp_ns("2024-01-10T18:00:00Z")
"""One in the afternoon in New York, on a Wednesday."""


class Rig:
    """A node of SPY and BTC/USD with limits; what it asks for, states and tells is kept."""

    def __init__(self, *, balance: str = "2024-01-09", server_ts: int = 0, **limits: Any) -> None:
        self.asked: list[tuple[Any, ...]] = []
        self.stated: list[tuple[str, str, Any]] = []
        self.alarms: list[tuple[str, str, int]] = []
        self.notes: list[tuple[str, dict[str, str]]] = []
        gate = Stub(
            limits=Limits(**limits),
            set_adv=lambda symbol, volume: self.stated.append(("volume", symbol, volume)),
            set_atr=lambda symbol, value: self.stated.append(("range", symbol, value)),
        )
        instruments = [Stub(symbol="SPY", index=0), Stub(symbol="BTC/USD", index=1)]
        kernel = Stub(gate=gate, cache=Stub(instruments=instruments))
        self.run = Stub(
            gate=gate,
            balance_date=balance,
            last_look=Stub(ts=NOW, server_ts=server_ts) if server_ts else None,
            client=Stub(history=lambda *given: self.asked.append(given)),
            live_core=Stub(kernel=kernel),
            scribe=Stub(alarm=lambda *given: self.alarms.append(given)),
            note=lambda what, **given: self.notes.append((what, given)),
        )
        self.figures = DailyFigures(self.run)

    def answer(self, number: int, *bars: Any) -> None:
        event = Stub(WHAT="history", number=number, bars=bars)
        assert self.figures.takes(event)
        self.figures.take(NOW, event)
        assert not self.figures.takes(event)


def bar(day: str, volume: float = 100, low: float = 90, high: float = 100) -> Any:
    """A daily bar that closes at its high."""
    opened = timestamp_ns(f"{day}T05:00:00Z")
    return Stub(ts_open=opened, ts_close=opened + DAY, prices=(95.0, high, low, high, volume))


@pytest.mark.parametrize(
    ("limits", "sessions", "days"),
    [
        ({}, None, 0),
        ({"max_open_orders": 3}, None, 0),
        ({"max_adv_share": "0.1", "adv_sessions": 20, "atr_sessions": 14}, 20, 40),
        ({"max_adv_share": "0.1", "adv_sessions": 14, "atr_sessions": 14}, 15, 32),
        ({"max_position_loss_atr": 2, "adv_sessions": 2, "atr_sessions": 14}, 15, 32),
        # Of a year, 250 days are sessions.
        ({"max_adv_share": "0.1", "adv_sessions": 250, "atr_sessions": 14}, 250, 385),
    ],
)
def test_enough_days_are_asked_for_where_a_limit_reads_them(limits, sessions, days):
    rig = Rig(**limits)
    rig.figures.ask(NOW)
    if sessions is None:
        assert rig.asked == []
        return
    assert [(given[1], *given[2:]) for given in rig.asked] == [
        (symbol, "1d", NOW - days * DAY, NOW + DAY, sessions + 1) for symbol in ("SPY", "BTC/USD")
    ]
    # Strategies' own askings count from one.
    numbers = [given[0] for given in rig.asked]
    assert len({*numbers}) == 2
    assert max(numbers) < 0


def test_a_broker_of_another_time_is_asked_by_its_own():
    rig = Rig(max_adv_share="0.1", server_ts=NOW - 900 * DAY)
    rig.figures.ask(NOW + 5)
    assert {given[4] for given in rig.asked} == {NOW - 899 * DAY + 5}


def test_it_is_asked_once_an_hour_after_a_day_has_ended():
    rig = Rig(max_adv_share="0.1")
    rig.figures.turn(NOW)
    assert rig.asked == []
    rig.figures.ask_after_day(NOW)
    assert rig.figures.due == NOW + SETTLED_NS == NOW + 3_600_000_000_000
    rig.figures.turn(NOW + SETTLED_NS - 1)
    assert rig.asked == []
    rig.figures.turn(NOW + SETTLED_NS)
    assert (len(rig.asked), rig.figures.due) == (2, None)
    rig.figures.turn(NOW + 2 * SETTLED_NS)
    assert len(rig.asked) == 2


def test_the_last_asking_counts_whenever_the_one_before_is_answered():
    rig = Rig(max_adv_share="0.1", adv_sessions=1)
    rig.figures.ask(NOW)
    rig.figures.ask(NOW)
    first, _, second, _ = (given[0] for given in rig.asked)
    rig.answer(second, bar("2024-01-09", 300))
    rig.answer(first, bar("2024-01-08", 100))
    assert rig.stated == [("volume", "SPY", Decimal(300))]


@pytest.mark.parametrize(
    ("days", "mean"),
    [
        (["2024-01-05", "2024-01-08", "2024-01-09"], 250),
        # That of the day under way has no part in it, however much there is of it.
        (["2024-01-08", "2024-01-09", "2024-01-10"], 150),
        (["2024-01-09"], 100),
        (["2024-01-10"], None),
        ([], None),
    ],
)
def test_the_mean_volume_is_that_of_the_last_days_that_have_ended(days, mean):
    rig = Rig(max_adv_share="0.1", adv_sessions=2)
    rig.figures.ask(NOW)
    volumes = (100, 200, 300)
    rig.answer(rig.asked[0][0], *(bar(day, volumes[at]) for at, day in enumerate(days)))
    if mean is None:
        text = "the broker has no daily volume of SPY: max_adv_share cannot be judged"
        assert rig.alarms == [("no_volume", text, NOW)]
        assert rig.stated == rig.notes == []
        return
    assert rig.stated == [("volume", "SPY", Decimal(mean))]
    assert rig.notes == [("volume", {"symbol": "SPY", "volume": f"{mean}.0"})]
    assert rig.alarms == []


def test_a_coin_of_which_less_than_one_is_traded_has_a_volume():
    rig = Rig(max_adv_share="0.1")
    rig.figures.ask(NOW)
    rig.answer(rig.asked[1][0], bar("2024-01-08", 0.25))
    assert rig.stated == [("volume", "BTC/USD", Decimal("0.25"))]


@pytest.mark.parametrize(
    ("count", "mean"),
    # The first reaches 30 by itself; the second 50, from the close at 100; the third 20.
    [(1, 20), (2, 35), (3, 100 / 3)],
)
def test_the_mean_range_is_that_of_the_last_days_from_the_close_before(count, mean):
    rig = Rig(max_position_loss_atr=2, atr_sessions=count)
    rig.figures.ask(NOW)
    days = [
        bar("2024-01-05", low=70, high=100),
        bar("2024-01-08", low=50, high=60),
        bar("2024-01-09", low=40, high=60),
    ]
    rig.answer(rig.asked[0][0], *days)
    ((what, symbol, value),) = rig.stated
    assert (what, symbol, value) == ("range", "SPY", pytest.approx(mean))


def test_without_ranges_it_is_told_which_limit_cannot_be_judged():
    rig = Rig(max_position_loss_atr=2)
    rig.figures.ask(NOW)
    rig.answer(rig.asked[0][0], bar("2024-01-09", low=100, high=100))
    text = "the broker has no daily range of SPY: max_position_loss_atr cannot be judged"
    assert rig.alarms == [("no_range", text, NOW)]
    assert rig.stated == []


def test_the_bar_of_the_day_just_ended_counts_once_it_is_taken_to_be_whole():
    rig = Rig(max_adv_share="0.1", adv_sessions=1)
    days = [bar("2024-01-08", 300), bar("2024-01-09", 7)]
    rig.figures.ask_after_day(NOW)
    rig.figures.ask(NOW)
    rig.answer(rig.asked[0][0], *days)
    rig.figures.turn(NOW + SETTLED_NS)
    rig.answer(rig.asked[2][0], *days)
    assert [stated[2] for stated in rig.stated] == [300, 7]


def test_a_symbol_of_which_nothing_came_is_asked_for_again_and_told_once():
    """Until the next day had ended entries in it were denied: a request or two had failed."""
    rig = Rig(max_adv_share="0.1", adv_sessions=1)
    rig.figures.ask_after_day(NOW - SETTLED_NS)
    rig.figures.turn(NOW)
    spy, coin = (given[0] for given in rig.asked)
    rig.answer(coin, bar("2024-01-08", 5))
    rig.answer(spy)
    rig.figures.ask_after_day(NOW)
    for count in (3, 4):
        assert rig.figures.due == NOW + AGAIN_NS
        rig.figures.turn(NOW + AGAIN_NS - 1)
        rig.figures.turn(NOW + AGAIN_NS)
        assert [given[1] for given in rig.asked[2:]] == ["SPY"] * (count - 2)
        # The day's own asking is still to come.
        assert rig.figures.due == NOW + SETTLED_NS
        rig.answer(rig.asked[-1][0], *([bar("2024-01-08", 300)] if count == 4 else []))
    assert [told[0] for told in rig.alarms] == ["no_volume"]
    assert rig.stated == [("volume", "BTC/USD", Decimal(5)), ("volume", "SPY", Decimal(300))]
    rig.figures.turn(NOW + SETTLED_NS)
    assert ([given[1] for given in rig.asked[4:]], rig.figures.due) == (["SPY", "BTC/USD"], None)
    rig.answer(rig.asked[4][0])
    assert len(rig.alarms) == 2


@pytest.mark.parametrize(
    ("balance", "day", "counts"),
    [
        ("2024-01-09", "2024-01-09", True),
        ("2024-01-09", "2024-01-10", False),
        # The day has ended by the account's reckoning, though the date is still the same.
        ("2024-01-10", "2024-01-10", True),
        ("", "2024-01-09", True),
        ("", "2024-01-10", False),
    ],
)
def test_a_days_bar_counts_once_the_account_has_ended_the_day(balance, day, counts):
    rig = Rig(max_adv_share="0.1", balance=balance)
    rig.figures.ask(NOW)
    rig.answer(rig.asked[0][0], bar(day))
    assert bool(rig.stated) == counts


@pytest.mark.parametrize(("early_ns", "counts"), [(0, True), (1, False)])
def test_a_coins_day_has_ended_when_its_bar_has(early_ns, counts):
    rig = Rig(max_adv_share="0.1")
    rig.figures.ask(NOW)
    closed = bar("2024-01-09")
    closed.ts_close = NOW + early_ns
    rig.answer(rig.asked[1][0], closed)
    assert rig.stated == [("volume", "BTC/USD", Decimal(100))] * counts


def test_answers_to_strategies_and_other_news_are_left_alone():
    rig = Rig(max_adv_share="0.1")
    rig.figures.ask(NOW)
    number = rig.asked[0][0]
    assert not rig.figures.takes(Stub(WHAT="history", number=1))
    assert not rig.figures.takes(Stub(WHAT="computed", number=number))
    # Nobody reads them any more: limits have changed meanwhile.
    rig.run.gate.limits = Limits(max_open_orders=3)
    rig.answer(number, bar("2024-01-09"))
    assert rig.stated == rig.alarms == []
