"""Orders outside the session, and days that end with it."""

from __future__ import annotations

import random
from typing import Any

import pandas as pd
import pytest

from pyrt import Bar, Strategy, backtest
from pyrt.core.hours import Hours
from pyrt.core.instruments import Instrument
from pyrt.risk import Limits, RiskEngine
from pyrt.risk.sessions import DayClock
from pyrt.testing.gates import GateRig

HALF_HOURS = pd.date_range("2024-03-04 14:30", periods=13, freq="30min", tz="UTC").append(
    pd.date_range("2024-03-05 14:30", periods=2, freq="30min", tz="UTC")
)
BARS = pd.DataFrame(
    {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 1e6}, index=HALF_HOURS
)
LAST_OF_MONDAY = 12


class EachBar(Strategy):
    """Buys a share at the end of every bar."""

    symbol: str = "ABC"
    queue: bool = False

    def on_start(self) -> None:
        self.subscribe_bars(self.symbol, "30m")

    def on_bar(self, bar: Bar) -> None:
        self.buy(self.symbol, 1, queue=self.queue)


def reasons(strategy: Strategy, calendar: str, **limits: Any) -> list[str]:
    """Return why each order was denied, "" where it was not."""
    result = backtest(
        strategy,
        BARS,
        label="open",
        symbol="ABC",
        timeframe="30m",
        calendar=calendar,
        limits=Limits(**limits),
        progress=False,
    )
    return [reason.partition(":")[0] for reason in result.orders["reason"]]


@pytest.mark.parametrize("queue", [False, True])
def test_an_order_after_the_close_has_to_say_that_it_waits(queue: bool) -> None:
    denied = reasons(EachBar(queue=queue), "XNYS", require_open_session=True)
    expected = [""] * len(BARS)
    if not queue:
        expected[LAST_OF_MONDAY] = "require_open_session"
    assert denied == expected


def test_what_trades_around_the_clock_is_never_closed() -> None:
    assert not any(reasons(EachBar(), "24/7", require_open_session=True))


def test_without_sessions_nothing_is_known_to_be_closed() -> None:
    made = GateRig(RiskEngine(Limits(require_open_session=True)), prices=100)
    assert made.order("buy", 1).status == "SENT"


def test_a_gate_that_is_told_of_no_sessions_counts_days_to_midnight() -> None:
    made = GateRig(RiskEngine(Limits(max_daily_orders=1, daily_reset="session")), prices=100)
    kernel = made.kernel
    made.gate.attach(
        account=kernel.account, cache=kernel.cache, clock=kernel.clock, desk=kernel.desk,
        records=kernel.records, strategies=kernel.strategies,
    )  # fmt: skip
    assert made.gate.session_closes() is None
    assert [made.order("buy", 1).status for _ in range(2)] == ["SENT", "DENIED"]


def test_a_day_of_the_limits_can_end_with_the_session() -> None:
    denied = reasons(EachBar(), "XNYS", max_daily_orders=12, daily_reset="session")
    # The order at Monday's close belongs to the day that begins there.
    assert denied == [""] * len(BARS)
    denied = reasons(EachBar(), "XNYS", max_daily_orders=11, daily_reset="session")
    assert [i for i, reason in enumerate(denied) if reason] == [LAST_OF_MONDAY - 1]


def test_without_sessions_days_end_at_midnight() -> None:
    made = GateRig(RiskEngine(Limits(max_daily_orders=1, daily_reset="session")), prices=100)
    statuses = []
    for wait in ("1s", "12h", "12h"):
        made.wait(wait)
        statuses.append(made.order("buy", 1).status)
    assert statuses == ["SENT", "DENIED", "SENT"]


def test_a_calendar_without_sessions_is_never_open_and_none_at_all_always() -> None:
    instrument = Instrument("AAA")
    assert not Hours(lambda one: ([], [])).open_at(instrument, 0)
    assert Hours(lambda one: None).open_at(instrument, 0)
    assert Hours().open_at(instrument, 0)
    day = Hours(lambda one: ([10, 30], [20, 40]))
    assert [day.open_at(instrument, now) for now in (9, 10, 19, 20, 29, 30, 39, 40)] == [
        False, True, True, False, False, True, True, False,
    ]  # fmt: skip


HOUR = 3_600_000_000_000
# Two closes on one day, none on the next two: 4 days and 12 hours, 4 and 18, 7 and 12.
CLOSES = [108 * HOUR, 114 * HOUR, 180 * HOUR]
# Instants, and the day each belongs to.
DAYS = [
    (0, 0), (24 * HOUR - 1, 0), (24 * HOUR, 1), (107 * HOUR, 4), (108 * HOUR - 1, 4),
    (108 * HOUR, 4), (114 * HOUR - 1, 4), (114 * HOUR, 7), (130 * HOUR, 7), (180 * HOUR - 1, 7),
    (180 * HOUR, 7), (192 * HOUR - 1, 7), (192 * HOUR, 8), (400 * HOUR, 16),
]  # fmt: skip


@pytest.mark.parametrize("seed", range(20))
def test_a_day_is_the_same_in_whatever_order_it_is_asked_for(seed: int) -> None:
    asked = []

    def closes_of() -> list[int]:
        asked.append(1)
        return CLOSES

    clock = DayClock(Limits(daily_reset="session"), closes_of)
    chance = random.Random(seed)
    for _ in range(30):
        now, day = chance.choice(DAYS)
        assert clock.day_at(now) == day
    assert len(asked) == 1


def test_a_day_ends_with_the_first_close_of_all() -> None:
    clock = DayClock(Limits(daily_reset="session"), lambda: [108 * HOUR, 180 * HOUR])
    assert [clock.day_at(now * HOUR) for now in (107, 108, 119, 121)] == [4, 7, 7, 7]


@pytest.mark.parametrize("closes", [[], None])
def test_days_without_a_close_end_at_midnight_in_whatever_order(closes: list[int] | None) -> None:
    clock = DayClock(Limits(daily_reset="session"), lambda: closes)
    for day in (0, 5, 1, 1, 9, 0):
        assert clock.day_at(24 * HOUR * day) == day
        assert clock.day_at(24 * HOUR * (day + 1) - 1) == day
