"""Time bars: hand-worked tables, and random events beside the slow twin."""

from __future__ import annotations

import datetime as dt
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from pyrt.data.aggregation_grid import TimeGrid
from pyrt.data.aggregation_time import TimeBars
from pyrt.errors import ConfigError, DataError
from tests.reference import aggregation as slow

S = 10**9
M = 60 * S
H = 60 * M
D = 24 * H
NEVER = 2**63 - 1


def ns(text: str) -> int:
    """UTC wall time to nanoseconds."""
    return int(dt.datetime.fromisoformat(text + "+00:00").timestamp()) * S


def sessions(*pairs: tuple[str, str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    return (
        np.array([ns(opens) for opens, _ in pairs]),
        np.array([ns(closes) for _, closes in pairs]),
    )


# Thanksgiving week of 2013 in New York (UTC-5): Thursday closed, Friday a half day.
WEEK = sessions(
    ("2013-11-25 14:30", "2013-11-25 21:00"),
    ("2013-11-26 14:30", "2013-11-26 21:00"),
    ("2013-11-27 14:30", "2013-11-27 21:00"),
    ("2013-11-29 14:30", "2013-11-29 18:00"),
    ("2013-12-02 14:30", "2013-12-02 21:00"),
)


def intervals(rows: NDArray[Any]) -> list[tuple[int, int]]:
    return list(zip(rows["ts_open"].tolist(), rows["ts_close"].tolist()))


# Intervals


def test_utc_intervals_are_multiples_from_the_epoch() -> None:
    assert TimeGrid("5m").interval(7 * M) == (5 * M, 10 * M)
    assert TimeGrid("5m").interval(10 * M) == (10 * M, 15 * M)
    assert TimeGrid("1m").interval(-1) == (-M, 0)


def test_weeks_start_on_monday() -> None:
    start, end = TimeGrid("1w").interval(ns("2024-02-29 12:00")) or (0, 0)
    assert (start, end) == (ns("2024-02-26 00:00"), ns("2024-03-04 00:00"))


def test_session_intervals_count_from_the_open_and_end_at_the_close() -> None:
    grid = TimeGrid("1h", WEEK)
    last = grid.interval(ns("2013-11-25 20:45"))
    assert last == (ns("2013-11-25 20:30"), ns("2013-11-25 21:00"))
    half_day_last = grid.interval(ns("2013-11-29 17:59"))
    assert half_day_last == (ns("2013-11-29 17:30"), ns("2013-11-29 18:00"))
    assert grid.interval(ns("2013-11-29 18:00")) is None
    assert grid.interval(ns("2013-11-28 15:00")) is None
    assert grid.interval(ns("2014-01-02 15:00")) is None


def test_a_day_is_a_session_and_a_week_its_sessions_from_monday() -> None:
    inside = ns("2013-11-29 15:00")
    half_day = (ns("2013-11-29 14:30"), ns("2013-11-29 18:00"))
    assert TimeGrid("1d", WEEK).interval(inside) == half_day
    week = (ns("2013-11-25 14:30"), ns("2013-11-29 18:00"))
    assert TimeGrid("1w", WEEK).interval(inside) == week
    assert TimeGrid("7d", WEEK).interval(inside) == week


def test_a_session_that_opens_the_evening_before_belongs_to_its_own_day() -> None:
    futures = sessions(
        ("2013-10-06 22:00", "2013-10-07 21:15"),  # opens on Sunday, is Monday's
        ("2013-10-10 22:00", "2013-10-11 21:15"),
        ("2013-10-13 22:00", "2013-10-14 21:15"),
    )
    week = TimeGrid("1w", futures).interval(ns("2013-10-06 23:00"))
    assert week == (ns("2013-10-06 22:00"), ns("2013-10-11 21:15"))


@pytest.mark.parametrize(
    "table",
    [
        ([], []),
        ([0, 10], [5]),
        ([5], [5]),
        ([0, 4], [5, 9]),
        ([10, 0], [15, 5]),
    ],
)
def test_sessions_that_are_not_a_sorted_table_are_refused(table: Any) -> None:
    with pytest.raises(ConfigError):
        TimeGrid("1m", table)


def test_a_timeframe_of_a_day_and_a_bit_does_not_fit_sessions() -> None:
    TimeGrid("36h")
    with pytest.raises(ConfigError, match="36h"):
        TimeGrid("36h", WEEK)


# Trades to bars

#        second  price  size
PRINTS = [
    (0, 10.0, 100),
    (30, 12.0, 100),
    (59, 11.0, 200),
    (60, 11.5, 50),  # at the end of the first minute: belongs to the second
    (119, 10.5, 150),
    (240, 13.0, 10),  # minutes 2 and 3 have no trade
    (300, 14.0, 10),
]


def test_trades_become_bars_of_half_open_minutes() -> None:
    ts, price, size = np.array(PRINTS).T
    rows = TimeBars("1m").batch_trades(ts * S, price, size)
    assert rows.tolist() == [
        (0, M, 10.0, 12.0, 10.0, 11.0, 400.0, (1000 + 1200 + 2200) / 400, 3),
        (M, 2 * M, 11.5, 11.5, 10.5, 10.5, 200.0, (575 + 1575) / 200, 2),
        (4 * M, 5 * M, 13.0, 13.0, 13.0, 13.0, 10.0, 13.0, 1),
    ]


def test_finish_completes_the_bar_under_way() -> None:
    ts, price, size = np.array(PRINTS).T
    rows = TimeBars("1m").batch_trades(ts * S, price, size, finish=True)
    assert rows[-1].tolist() == (5 * M, 6 * M, 14.0, 14.0, 14.0, 14.0, 10.0, 14.0, 1)


def test_gaps_are_filled_only_when_asked() -> None:
    ts, price, size = np.array(PRINTS).T
    rows = TimeBars("1m", fill_gaps=True).batch_trades(ts * S, price, size)
    assert intervals(rows) == [(i * M, (i + 1) * M) for i in range(5)]
    for flat in rows[2:4].tolist():
        assert flat[2:7] == (10.5, 10.5, 10.5, 10.5, 0.0)
        assert np.isnan(flat[7])
        assert flat[8] == 0


def test_a_bar_is_complete_when_its_time_is_over_though_no_trade_comes() -> None:
    bars = TimeBars("1m")
    bars.update_trade(5 * S, 10.0, 1.0)
    assert bars.next_due == M
    assert bars.update_time(M - 1) == 0
    assert bars.update_time(M) == 1
    assert intervals(bars.bars) == [(0, M)]
    assert bars.update_time(M) == 0
    assert bars.next_due == NEVER


def test_time_alone_fills_gaps_and_says_when_it_is_due_next() -> None:
    bars = TimeBars("1m", fill_gaps=True)
    assert bars.next_due == NEVER
    bars.update_trade(5 * S, 10.0, 1.0)
    assert bars.update_time(3 * M) == 3
    assert bars.next_due == 4 * M
    assert bars.bars["volume"].tolist() == [1.0, 0.0, 0.0]


def test_gaps_are_not_filled_outside_sessions() -> None:
    bars = TimeBars("1h", sessions=WEEK, fill_gaps=True)
    bars.update_trade(ns("2013-11-29 17:00"), 10.0, 1.0)
    assert bars.update_time(ns("2013-12-02 15:30")) == 3
    assert intervals(bars.bars) == [
        (ns("2013-11-29 16:30"), ns("2013-11-29 17:30")),
        (ns("2013-11-29 17:30"), ns("2013-11-29 18:00")),
        (ns("2013-12-02 14:30"), ns("2013-12-02 15:30")),
    ]


def test_trades_outside_sessions_are_counted_and_left_out() -> None:
    bars = TimeBars("1d", sessions=WEEK)
    for clock, price in [("14:29", 1.0), ("14:30", 10.0), ("17:59", 11.0), ("18:00", 99.0)]:
        bars.update_trade(ns(f"2013-11-29 {clock}"), price, 1.0)
    assert bars.outside == 2
    assert bars.bars[["open", "high", "low", "close"]].tolist() == [(10.0, 11.0, 10.0, 11.0)]


def test_a_week_leaves_out_the_nights_inside_it() -> None:
    bars = TimeBars("1w", sessions=WEEK)
    bars.update_trade(ns("2013-11-25 15:00"), 10.0, 1.0)
    bars.update_trade(ns("2013-11-26 03:00"), 99.0, 1.0)
    bars.update_trade(ns("2013-11-26 15:00"), 11.0, 1.0)
    assert (bars.outside, bars.update_end()) == (1, 1)
    assert bars.bars["high"].tolist() == [11.0]


# Late trades


def test_a_trade_after_its_interval_is_counted_as_late() -> None:
    bars = TimeBars("1m")
    bars.update_trade(5 * S, 10.0, 1.0)
    assert bars.update_trade(61 * S, 11.0, 1.0) == 1
    assert bars.update_trade(59 * S, 99.0, 1.0) == 0
    assert bars.late == 1
    assert bars.update_end() == 1
    assert bars.bars["high"].tolist() == [11.0]


def test_within_the_grace_an_ended_interval_still_takes_trades() -> None:
    bars = TimeBars("1m", grace_ns=2 * S)
    bars.update_trade(5 * S, 10.0, 1.0)
    assert bars.update_trade(61 * S, 11.0, 1.0) == 0
    assert bars.update_trade(59 * S, 12.0, 1.0) == 0
    assert bars.next_due == 62 * S
    assert bars.update_time(62 * S) == 1
    assert bars.bars[["ts_close", "high", "close", "count"]].tolist() == [(M, 12.0, 12.0, 2)]
    assert bars.update_trade(59 * S, 99.0, 1.0) == 0
    assert (bars.late, bars.next_due) == (1, 122 * S)


def test_a_trade_within_the_grace_may_open_an_interval_before_the_present_one() -> None:
    bars = TimeBars("1m", grace_ns=2 * M)
    bars.update_trade(125 * S, 12.0, 1.0)
    bars.update_trade(5 * S, 10.0, 1.0)
    bars.update_trade(65 * S, 11.0, 1.0)
    assert bars.update_end() == 3
    assert bars.bars["open"].tolist() == [10.0, 11.0, 12.0]


def test_a_late_trade_is_no_reason_to_make_a_bar() -> None:
    bars = TimeBars("1m")
    bars.update_time(10 * M)
    assert bars.update_trade(5 * M, 10.0, 1.0) == 0
    assert (bars.late, bars.update_end()) == (1, 0)


# Bars to bars

MINUTES = [
    # minute, o, h, l, c, v
    (0, 10.0, 11.0, 9.0, 10.5, 100.0),
    (1, 10.5, 12.0, 10.0, 11.0, 200.0),
    (4, 11.0, 11.5, 8.5, 9.0, 100.0),
    (5, 9.0, 9.5, 9.0, 9.5, 50.0),
]


def test_bars_become_a_larger_bar_as_soon_as_the_last_one_ends() -> None:
    bars = TimeBars("5m")
    done = [bars.update_bar(m * M, (m + 1) * M, *prices) for m, *prices in MINUTES[:3]]
    assert done == [0, 0, 1]
    vwap = (10.166666666666666 * 100 + 11.0 * 200 + 9.666666666666666 * 100) / 400
    assert bars.bars.tolist() == [(0, 5 * M, 10.0, 12.0, 8.5, 9.0, 400.0, vwap, 3)]


def test_a_missing_last_bar_leaves_the_larger_one_to_time() -> None:
    bars = TimeBars("5m")
    bars.update_bar(0, M, *MINUTES[0][1:])
    assert bars.update_time(5 * M - 1) == 0
    assert bars.update_time(5 * M) == 1
    assert bars.update_bar(4 * M, 5 * M, *MINUTES[2][1:]) == 0
    assert bars.late == 1


def test_a_bar_with_parts_in_two_intervals_is_an_error_that_changes_nothing() -> None:
    bars = TimeBars("5m")
    bars.update_bar(0, M, *MINUTES[0][1:])
    with pytest.raises(DataError, match="5m"):
        bars.update_bar(4 * M, 6 * M, *MINUTES[1][1:])
    assert bars.update_end() == 1
    assert bars.bars["count"].tolist() == [1]
    with pytest.raises(DataError):
        TimeBars("1h", sessions=WEEK).update_bar(
            ns("2013-11-25 15:00"), ns("2013-11-25 16:00"), 1, 1, 1, 1
        )


def test_a_bar_that_begins_before_the_open_counts_for_the_session() -> None:
    """Vendors' hour bars of New York start at 09:00 and hold what traded from 09:30."""
    bars = TimeBars("30m", sessions=WEEK)
    bars.update_bar(ns("2013-11-25 14:00"), ns("2013-11-25 15:00"), *MINUTES[0][1:])
    assert intervals(bars.bars) == [(ns("2013-11-25 14:30"), ns("2013-11-25 15:00"))]
    bars.update_bar(ns("2013-11-25 12:00"), ns("2013-11-25 13:00"), *MINUTES[0][1:])
    assert bars.outside == 1


def test_daily_bars_become_weeks() -> None:
    bars = TimeBars("1w", sessions=WEEK)
    done = [
        bars.update_bar(int(opens), int(closes), *MINUTES[i % 3][1:])
        for i, (opens, closes) in enumerate(list(zip(*WEEK))[:4])
    ]
    assert done == [0, 0, 0, 1]  # the half day on Friday completes the week


# Quotes to bars


@pytest.mark.parametrize(
    ("price", "expected"),
    [("bid", (9.0, 10.0)), ("ask", (11.0, 13.0)), ("mid", (10.0, 11.5))],
)
def test_quotes_become_bars_of_the_chosen_price(price: str, expected: Any) -> None:
    bars = TimeBars("1m", quote_price=price)
    rows = bars.batch_quotes([0, 1, 2, M], [9.0, np.nan, 10.0, 1.0], [11.0, np.nan, 13.0, 1.0])
    assert rows[["open", "close"]].tolist() == [expected]
    assert (rows["volume"][0], rows["count"][0]) == (0.0, 2)
    assert np.isnan(rows["vwap"][0])


def test_a_quote_without_the_price_still_tells_the_time() -> None:
    bars = TimeBars("1m", quote_price="bid")
    bars.update_quote(0, 9.0, 11.0)
    assert bars.update_quote(M, np.nan, 11.0) == 1


# Refusals


def test_settings_that_make_no_sense_are_refused() -> None:
    for wrong in ({"grace_ns": -1}, {"grace_ns": D + 1}, {"quote_price": "last"}):
        with pytest.raises(ConfigError):
            TimeBars("1m", **wrong)
    with pytest.raises(ConfigError):
        TimeBars("1 minute")


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ConfigError, match=r"\[2, 1, 2, 2\]"):
        TimeBars("1m").batch_trades([1, 2], [1.0], [1.0, 1.0])


# Beside the twin

STEPS = {"1s": S, "3s": 3 * S, "1m": M, "1d": D, "2d": 2 * D, "1w": 7 * D, "2w": 14 * D}
PRICES = st.integers(1, 400).map(lambda n: n / 4)
SIZES = st.sampled_from([0.0, 1.0, 100.0, 0.1])


@st.composite
def session_tables(draw: st.DrawFn, scale: int) -> list[tuple[int, int]]:
    """Random sessions some steps long, some touching, some with a pause between."""
    table, at = [], 0
    for _ in range(draw(st.integers(1, 6))):
        opens = at + draw(st.sampled_from([0, 1, scale // 2, scale, 5 * scale]))
        closes = opens + draw(st.sampled_from([1, scale // 3, scale, 7 * scale // 2]))
        table.append((opens, closes))
        at = closes
    return table


@st.composite
def settings_and_events(draw: st.DrawFn) -> tuple[Any, ...]:
    timeframe = draw(st.sampled_from(sorted(STEPS)))
    step = STEPS[timeframe]
    scale = min(step, D)
    table = draw(st.none() | session_tables(scale))
    grace = draw(st.sampled_from([0, 0, 1, step // 2, step * 2])) if step < D else 0
    stamps = st.integers(0, 20).map(lambda n: n * scale // 4) | st.integers(0, 20 * scale)
    kinds = st.sampled_from(["trade", "trade", "time", "bar"])
    widths = st.integers(1, scale // 2)
    events = draw(st.lists(st.tuples(kinds, stamps, widths, PRICES, SIZES), max_size=25))
    if draw(st.booleans()):
        events.sort(key=lambda event: event[1])
    return timeframe, table, grace, draw(st.booleans()), events


def play(bars: TimeBars, twin: slow.SlowTimeBars, event: tuple[Any, ...]) -> int:
    """Give one event to both; return how many bars the fast one completed."""
    kind, ts, width, price, size = event
    if kind == "time":
        twin.advance(ts)
        return bars.update_time(ts)
    if kind == "trade":
        twin.add(slow.trade(ts, price, size))
        return bars.update_trade(ts, price, size)
    made = slow.bar(ts, ts + width, price, price + 1, price - 0.25, price + 0.5, size)
    try:
        twin.add(made)
    except ValueError:
        with pytest.raises(DataError):
            bars.update_bar(*made[:7])
        return 0
    return bars.update_bar(*made[:7])


@settings(deadline=None)
@given(settings_and_events())
def test_time_bars_equal_the_twin_to_the_last_bit(case: tuple[Any, ...]) -> None:
    timeframe, table, grace, fill_gaps, events = case
    arrays = None if table is None else (np.array(table)[:, 0], np.array(table)[:, 1])
    bars = TimeBars(timeframe, sessions=arrays, grace_ns=grace, fill_gaps=fill_gaps)
    twin = slow.SlowTimeBars(STEPS[timeframe], table, grace, fill_gaps)
    seen: list[Any] = []
    for event in events:
        if play(bars, twin, event):
            seen.extend(bars.bars.tolist())
        assert repr(seen) == repr([tuple(row) for row in twin.rows()])
        assert (bars.late, bars.outside) == (twin.late, twin.outside)
        assert twin.now is None or bars.next_due > twin.now
    if bars.update_end():
        seen.extend(bars.bars.tolist())
    twin.finish()
    assert repr(seen) == repr([tuple(row) for row in twin.rows()])
