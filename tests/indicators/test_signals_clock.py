"""Times of day follow the clocks of a place; sessions follow the calendar of the instrument."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt.errors import ConfigError
from pyrt.indicators import after_open, before_close, in_session, time_of_day
from tests.indicators.signal_runs import true_rows, walk

NEW_YORK = "America/New_York"
# The day before Thanksgiving, the holiday, and the half day after it, UTC.
SESSIONS = (
    ("2024-11-27 14:30", "2024-11-27 21:00"),
    ("2024-11-29 14:30", "2024-11-29 18:00"),
)


def minutes_of(times: Any, tz: str) -> Any:
    """Return the local minute of the day of each instant."""
    local = pd.DatetimeIndex(pd.to_datetime(times, utc=True)).tz_convert(tz)
    return np.asarray(local.hour * 60 + local.minute)


@pytest.mark.parametrize(
    ("first", "tz"),
    [
        ("2024-03-09 20:00", NEW_YORK),  # spring forward on the 10th
        ("2024-11-02 20:00", NEW_YORK),  # fall back on the 3rd
        ("2024-04-06 08:00", "Australia/Lord_Howe"),  # half an hour back
        ("2024-06-01 00:00", "Asia/Kathmandu"),  # + 5:45 all year
    ],
)
def test_time_of_day_follows_the_clocks(first: str, tz: str) -> None:
    data = walk(2_000, 1, tz_start=first)
    closes = minutes_of(data.index + pd.Timedelta(minutes=1), tz)
    found = true_rows(data, lambda s, bars: time_of_day("01:30", "09:45", tz))
    assert found == np.flatnonzero((closes >= 90) & (closes < 585)).tolist()
    assert 0 < len(found) < len(data)


def test_a_span_over_midnight_is_its_two_parts() -> None:
    data = walk(1_600, 2, tz_start="2024-05-01 00:00")
    closes = minutes_of(data.index + pd.Timedelta(minutes=1), "UTC")
    found = true_rows(data, lambda s, bars: time_of_day("23:15", "01:30", "UTC"))
    assert found == np.flatnonzero((closes >= 23 * 60 + 15) | (closes < 90)).tolist()


@pytest.mark.parametrize("wrong", [("9 o'clock", "10:00"), ("10:00", "10:00"), (930, "10:00")])
def test_a_span_that_is_none_is_refused(wrong: Any) -> None:
    with pytest.raises(ConfigError):
        time_of_day(*wrong)


def test_an_unknown_time_zone_is_refused() -> None:
    with pytest.raises(ConfigError, match="Mars"):
        time_of_day("09:30", "16:00", "Mars/Olympus")


def inside(data: Any, first: int | None = None, last: int | None = None) -> list[int]:
    """Return the rows that end in a session, or in the given minutes of its ends."""
    ends = data.index + pd.Timedelta(minutes=1)
    truth = np.zeros(len(data), bool)
    for opens, closes in SESSIONS:
        start, stop = pd.Timestamp(opens, tz="UTC"), pd.Timestamp(closes, tz="UTC")
        if last is not None:
            truth |= (ends >= stop - pd.Timedelta(minutes=last)) & (ends < stop)
        else:
            until = stop if first is None else start + pd.Timedelta(minutes=first)
            truth |= (ends >= start) & (ends < until)
    return np.flatnonzero(truth).tolist()


@pytest.mark.parametrize(
    ("make", "expected"),
    [
        (in_session, {}),
        (lambda: after_open("30m"), {"first": 30}),
        (lambda: before_close("10m"), {"last": 10}),
    ],
)
def test_sessions_know_holidays_and_half_days(make: Any, expected: dict[str, int]) -> None:
    data = walk(4_000, 3, tz_start="2024-11-27 12:00")
    found = true_rows(data, lambda s, bars: make(), venue="alpaca")
    assert found == inside(data, **expected)
    assert found


def test_around_the_clock_there_is_no_session_to_ask_for() -> None:
    with pytest.raises(Exception, match="no sessions: its calendar is 24/7"):
        true_rows(walk(5, 1), lambda s, bars: in_session())
