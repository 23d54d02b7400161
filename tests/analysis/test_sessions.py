"""Days and annualization."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pyrt.analysis import sessions
from pyrt.errors import ConfigError

HOUR = 3_600_000_000_000


def stamps(*times: str) -> np.ndarray:
    return pd.DatetimeIndex(list(times)).as_unit("ns").asi8


def dates(days: np.ndarray) -> list[str]:
    return [str(day) for day in days.astype("datetime64[D]")]


def test_a_bar_that_closes_at_midnight_belongs_to_the_day_it_ends() -> None:
    ts = stamps("2024-01-05 12:00", "2024-01-06 00:00", "2024-01-06 00:01")
    assert dates(sessions.session_days(ts)) == ["2024-01-05", "2024-01-05", "2024-01-06"]


def test_weekday_stamps_at_midnight_are_dates() -> None:
    ts = stamps("2024-01-04", "2024-01-05", "2024-01-08")
    assert dates(sessions.session_days(ts)) == ["2024-01-04", "2024-01-05", "2024-01-08"]


def test_daily_closes_at_the_next_midnight_are_the_days_before() -> None:
    ts = stamps("2024-01-05", "2024-01-06", "2024-01-09")  # Thursday, Friday, Monday bars
    assert dates(sessions.session_days(ts)) == ["2024-01-04", "2024-01-05", "2024-01-08"]


def test_sunday_evening_belongs_to_monday_where_no_saturday_trades() -> None:
    ts = stamps("2024-01-05 21:00", "2024-01-07 23:00", "2024-01-08 10:00")
    assert dates(sessions.session_days(ts)) == ["2024-01-05", "2024-01-08", "2024-01-08"]


def test_sundays_stay_sundays_where_saturdays_trade() -> None:
    ts = stamps("2024-01-06 12:00", "2024-01-07 12:00", "2024-01-08 12:00")
    assert len(set(sessions.session_days(ts).tolist())) == 3


def test_a_time_zone_names_the_session_of_an_evening_print() -> None:
    ts = stamps("2024-01-06 00:30")  # Friday 19:30 in New York
    found = sessions.session_days(ts, timezone="America/New_York")
    assert dates(found) == ["2024-01-05"]


@pytest.mark.parametrize(
    ("calendar", "instant", "session"),
    [
        ("XNYS", "2024-01-06 00:30", "2024-01-05"),
        ("CMES", "2024-01-07 23:30", "2024-01-08"),  # opens on Sunday evening
        ("24/7", "2024-01-06 12:00", "2024-01-06"),
    ],
)
def test_a_calendar_names_the_session(calendar: str, instant: str, session: str) -> None:
    assert dates(sessions.session_days(stamps(instant), calendar=calendar)) == [session]


def test_an_unknown_calendar_is_named() -> None:
    with pytest.raises(ConfigError, match="XMARS"):
        sessions.session_days(stamps("2024-01-06 00:30"), calendar="XMARS")


@pytest.mark.parametrize(
    ("index", "periods", "reason"),
    [
        (pd.bdate_range("2024-01-01", periods=60), 252.0, "data on weekdays only"),
        (pd.date_range("2024-01-01", periods=60), 365.0, "data on seven days a week"),
        (pd.date_range("2024-01-01", periods=60, freq="7D"), 52.0, "weekly data"),
        (pd.date_range("2024-01-01", periods=24, freq="MS"), 12.0, "monthly data"),
        (pd.date_range("2020-01-01", periods=12, freq="QS"), 4.0, "quarterly data"),
        (pd.date_range("2010-01-01", periods=12, freq="YS"), 1.0, "yearly data"),
        (pd.DatetimeIndex([]), 252.0, "data on weekdays only"),
    ],
)
def test_periods_per_year_follow_from_the_dates(
    index: pd.DatetimeIndex, periods: float, reason: str
) -> None:
    days = index.as_unit("ns").asi8 // sessions.NS_PER_DAY
    found = sessions.annualization(days)
    assert (found.periods_per_year, found.reason) == (periods, reason)


def test_one_stray_saturday_in_a_year_does_not_make_crypto() -> None:
    index = pd.bdate_range("2024-01-01", "2024-12-31").append(pd.DatetimeIndex(["2024-06-01"]))
    days = np.sort(index.as_unit("ns").asi8 // sessions.NS_PER_DAY)
    assert sessions.annualization(days).periods_per_year == 252.0


def test_a_calendar_settles_what_three_days_cannot() -> None:
    days = np.array([19_723, 19_724, 19_725])
    assert sessions.annualization(days, "24/7").periods_per_year == 365.0


def test_the_last_point_of_each_day_is_found() -> None:
    assert sessions.last_of_day(np.array([1, 1, 2, 5, 5, 5])).tolist() == [1, 2, 5]
    assert sessions.last_of_day(np.empty(0, dtype=np.int64)).tolist() == []
