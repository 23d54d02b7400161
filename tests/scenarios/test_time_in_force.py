"""How long orders work: sessions, days, dates, openings and closings."""

from __future__ import annotations

import pandas as pd
import pytest

from pyrt.core.instruments import Instrument
from tests.backtest.harness import MINUTE, START, SYMBOL, Run, frame, play

DAY = 1440 * MINUTE
FLAT = (100, 100, 100, 100)
# Friday 2024-01-05: New York trades 14:30 to 21:00 UTC.
FRIDAY_CLOSE = int(pd.Timestamp("2024-01-05T21:00Z").value)
MONDAY_OPEN = int(pd.Timestamp("2024-01-08T14:30Z").value)


def listed() -> Instrument:
    return Instrument(SYMBOL, kind="equity", calendar="XNYS", tick_size="0.01")


def around_the_weekend(steps: dict, *, rows: list | None = None) -> Run:  # type: ignore[type-arg]
    """Two minutes before Friday's close, then Monday's first two."""
    rows = rows or [FLAT, FLAT, (101, 103, 97, 102), (102, 102, 99, 100)]
    friday = frame(rows[:2], start=FRIDAY_CLOSE - 2 * MINUTE)
    monday = frame(rows[2:], start=MONDAY_OPEN)
    return play(pd.concat([friday, monday]), steps, instrument=listed())


def stamps(run: Run) -> list[tuple[str, float]]:
    return [
        (str(pd.Timestamp(int(f["ts_event"]), tz="UTC"))[:16], float(f["price"]))
        for f in run.table("fills")
    ]


def test_a_day_order_expires_at_the_sessions_close() -> None:
    run = around_the_weekend({0: lambda s: s.buy(SYMBOL, 1, limit_price=99, time_in_force="day")})
    assert run.statuses == ["EXPIRED"]
    assert run.strategies[0].happened[-1] == ("expired", FRIDAY_CLOSE)
    assert run.reasons == ["time_in_force: it has ended"]


def test_an_order_that_arrives_exactly_at_the_close_belongs_to_the_next_session() -> None:
    run = around_the_weekend({1: lambda s: s.buy(SYMBOL, 1, limit_price=99, time_in_force="day")})
    assert run.statuses == ["FILLED"]
    assert stamps(run) == [("2024-01-08 14:31", 99)]


def test_a_gtc_order_stays_over_the_weekend() -> None:
    run = around_the_weekend({0: lambda s: s.buy(SYMBOL, 1, limit_price=99, time_in_force="gtc")})
    assert stamps(run) == [("2024-01-08 14:31", 99)]


def test_an_order_at_the_close_can_still_fill_in_the_bar_that_ends_with_it() -> None:
    rows = [FLAT, (100, 100, 98, 99), FLAT, FLAT]
    run = around_the_weekend(
        {0: lambda s: s.buy(SYMBOL, 1, limit_price=99, time_in_force="day")}, rows=rows
    )
    assert stamps(run) == [("2024-01-05 21:00", 99)]


def test_an_opening_order_waits_for_the_next_open_and_takes_its_price() -> None:
    run = around_the_weekend({0: lambda s: s.buy(SYMBOL, 1, time_in_force="opg")})
    assert stamps(run) == [("2024-01-08 14:30", 101)]


def test_a_limit_on_open_that_is_not_met_is_canceled() -> None:
    run = around_the_weekend({0: lambda s: s.buy(SYMBOL, 1, limit_price=100, time_in_force="opg")})
    assert run.statuses == ["CANCELED"]


def test_a_closing_order_takes_the_sessions_last_price() -> None:
    rows = [FLAT, (100, 103, 97, 102.5), FLAT, FLAT]
    run = around_the_weekend({0: lambda s: s.buy(SYMBOL, 1, time_in_force="cls")}, rows=rows)
    assert stamps(run) == [("2024-01-05 21:00", 102.5)]


@pytest.mark.parametrize(
    ("limit", "status"), [(102.51, "FILLED"), (102.5, "EXPIRED"), (102.4, "EXPIRED")]
)
def test_a_limit_on_close_is_met_by_a_close_within_it(limit: float, status: str) -> None:
    rows = [FLAT, (100, 103, 97, 102.5), FLAT, FLAT]
    run = around_the_weekend(
        {0: lambda s: s.buy(SYMBOL, 1, limit_price=limit, time_in_force="cls")}, rows=rows
    )
    assert run.statuses == [status]
    assert stamps(run) == ([("2024-01-05 21:00", 102.5)] if status == "FILLED" else [])


def test_a_closing_order_is_executed_where_no_bar_ends_with_the_session() -> None:
    table = pd.concat(
        [
            frame([FLAT, (100, 103, 97, 102.5)], start=FRIDAY_CLOSE - 4 * MINUTE),
            frame([FLAT], start=MONDAY_OPEN),
        ]
    )
    run = play(table, {0: lambda s: s.buy(SYMBOL, 1, time_in_force="cls")}, instrument=listed())
    assert stamps(run) == [("2024-01-05 21:00", 102.5)]


def test_bars_outside_the_session_fill_extended_hours_orders_only() -> None:
    table = frame([FLAT, (101, 103, 97, 102), FLAT], start=FRIDAY_CLOSE - MINUTE)
    run = play(
        table,
        {
            0: lambda s: [
                s.buy(SYMBOL, 1, limit_price=99, extended_hours=True),
                s.buy(SYMBOL, 2, limit_price=99),
            ]
        },
        instrument=listed(),
    )
    assert [f[1] for f in run.fills] == [1]


def test_a_bar_that_begins_before_the_open_trades_in_the_session() -> None:
    """Hourly bars on the clock hour: [14:00, 15:00) holds the first half hour of trading."""
    table = pd.concat(
        [
            frame([FLAT], start=FRIDAY_CLOSE - 60 * MINUTE),
            frame([(101, 103, 97, 102), FLAT], start=MONDAY_OPEN - 30 * MINUTE, minutes=60),
        ]
    )
    run = _hourly(table)
    assert [f[1:] for f in run.fills] == [(1, 101), (2, 101)]


def _hourly(table: pd.DataFrame) -> Run:
    from tests.backtest.harness import Script

    class Hourly(Script):
        def on_start(self) -> None:
            self.subscribe_bars(SYMBOL, "1h")

    steps = {0: lambda s: [s.buy(SYMBOL, 1), s.buy(SYMBOL, 2, time_in_force="opg")]}
    return play(table, Hourly(steps), instrument=listed(), timeframe="1h")


def test_around_the_clock_a_day_ends_at_midnight_utc() -> None:
    steps = {
        0: lambda s: [
            s.buy(SYMBOL, 1, limit_price=99, time_in_force="day"),
            s.buy(SYMBOL, 2, time_in_force="cls"),
            s.buy(SYMBOL, 4, time_in_force="opg"),
        ]
    }
    rows = [FLAT, (100, 101, 100, 100.5), (101, 101, 98, 99)]
    run = play(rows, steps, start=START + DAY - 2 * MINUTE)
    assert run.statuses == ["EXPIRED", "FILLED", "FILLED"]
    assert [(f[1], f[2]) for f in run.fills] == [(2, 100.5), (4, 101)]


def test_gtd_ends_at_its_moment_and_not_before() -> None:
    steps = {
        0: lambda s: [
            s.buy(SYMBOL, 1, limit_price=99, expires_at=START + 2 * MINUTE),
            s.buy(SYMBOL, 2, limit_price=99, expires_at=START + 2 * MINUTE + 1),
            s.buy(SYMBOL, 4, limit_price=98, expires_at=START + 2 * MINUTE),
        ]
    }
    rows = [FLAT, (100, 101, 98.5, 100), (97, 101, 96, 100)]
    run = play(rows, steps)
    assert run.statuses == ["FILLED", "FILLED", "EXPIRED"]
    assert run.strategies[0].happened[-1] == ("expired", START + 2 * MINUTE)


def test_gtd_between_two_bars_expires_at_its_own_time() -> None:
    steps = {0: lambda s: s.buy(SYMBOL, 1, limit_price=99, expires_at=START + 90_000_000_000)}
    run = play([FLAT, (100, 101, 98, 100)], steps)
    assert run.strategies[0].happened[-1] == ("expired", START + 90_000_000_000)
    assert run.fills == []
