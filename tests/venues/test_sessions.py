"""Sessions against exchange_calendars itself, and against dates worked out by hand."""

from __future__ import annotations

import dataclasses
import datetime as dt
from zoneinfo import ZoneInfo

import exchange_calendars
import numpy as np
import pandas as pd
import pytest

from pyrt.errors import DataError, UnknownName
from pyrt.venues import sessions as module
from pyrt.venues.sessions import NS_PER_DAY, SessionTable, sessions

# exchange_calendars itself still calls names that pandas has deprecated.
pytestmark = pytest.mark.filterwarnings("ignore:.*is deprecated:DeprecationWarning")

UTC = dt.UTC
NY = ZoneInfo("America/New_York")
LONDON = ZoneInfo("Europe/London")
CALENDARS = ["XNYS", "XNAS", "XLON", "CMES"]


def ns(*parts: int, tz: dt.tzinfo = UTC) -> int:
    return int(dt.datetime(*parts, tzinfo=tz).timestamp()) * 1_000_000_000


def long_table(name: str) -> SessionTable:
    return sessions(name, ns(1998, 3, 1), ns(2027, 9, 1))


@pytest.fixture(scope="module", params=CALENDARS)
def pair(
    request: pytest.FixtureRequest,
) -> tuple[SessionTable, exchange_calendars.ExchangeCalendar]:
    table = long_table(request.param)
    oracle = exchange_calendars.get_calendar(request.param, start="1997-12-01", end="2028-02-01")
    return table, oracle


def instants(table: SessionTable, oracle: exchange_calendars.ExchangeCalendar) -> np.ndarray:
    """Every close and open of some years, one nanosecond around each, and random minutes."""
    inside = (table.open > table.start_ns + 9 * NS_PER_DAY) & (
        table.close < table.end_ns - 9 * NS_PER_DAY
    )
    edges = np.concatenate([table.open[inside], table.close[inside]])[::97]
    rng = np.random.default_rng(7)
    low, high = edges.min(), edges.max()
    return np.concatenate([edges, edges - 1, edges + 1, rng.integers(low, high, 500)])


def test_rows_are_those_of_the_exchange_calendar_1998_to_2027(pair):
    table, oracle = pair
    schedule = oracle.schedule.loc["1998-01-01":"2027-12-31"]
    dates = schedule.index.to_numpy().astype("datetime64[D]").astype(np.int32)
    rows = np.isin(table.date, dates)
    assert rows.sum() == len(schedule) > 7000
    np.testing.assert_array_equal(table.date[rows], dates)
    utc = lambda column: column.dt.tz_localize(None).to_numpy().astype("M8[ns]").astype(np.int64)  # noqa: E731
    np.testing.assert_array_equal(table.open[rows], utc(schedule["open"]))
    np.testing.assert_array_equal(table.close[rows], utc(schedule["close"]))
    early = oracle.early_closes.to_numpy().astype("datetime64[D]").astype(np.int32)
    np.testing.assert_array_equal(
        table.date[rows & table.early_close], np.intersect1d(early, dates)
    )


def test_next_and_previous_agree_with_the_exchange_calendar(pair):
    table, oracle = pair
    for ts in instants(table, oracle):
        at = pd.Timestamp(int(ts), tz="UTC")
        # The oracle's own arrays, searched the slow way: the first later, the last not later.
        opens, closes = oracle.opens.dropna(), oracle.closes
        assert table.next_open(int(ts)) == opens[opens > at].iloc[0].value
        assert table.next_close(int(ts)) == closes[closes > at].iloc[0].value
        assert table.previous_close(int(ts)) == closes[closes <= at].iloc[-1].value


def test_next_open_agrees_with_the_calendars_own_next_open():
    table = long_table("XNYS")
    oracle = exchange_calendars.get_calendar("XNYS", start="1997-12-01", end="2028-02-01")
    for text in ("2024-07-03 16:59", "2024-07-03 17:00", "2024-03-10 05:00", "2001-09-11 12:00"):
        at = pd.Timestamp(text, tz="UTC")
        assert table.next_open(at.value) == oracle.next_open(at).value
        assert table.next_close(at.value) == oracle.next_close(at).value


def test_is_open_agrees_with_the_calendars_minutes(pair):
    table, oracle = pair
    minutes = pd.date_range("2024-02-26", "2024-04-05", freq="7min", tz="UTC")
    expected = np.array([oracle.is_open_on_minute(m, ignore_breaks=True) for m in minutes])
    ts = minutes.tz_localize(None).to_numpy().astype("M8[ns]").astype(np.int64)
    np.testing.assert_array_equal(table.is_open(ts), expected)
    assert 0 < expected.sum() < len(expected)


@pytest.mark.parametrize(
    ("calendar", "instant", "is_open", "day", "why"),
    [
        ("XNYS", ns(2024, 3, 8, 14, 29), False, "2024-03-08", "winter: opens 14:30 UTC"),
        ("XNYS", ns(2024, 3, 8, 14, 30), True, "2024-03-08", "the open belongs to the session"),
        ("XNYS", ns(2024, 3, 11, 13, 30), True, "2024-03-11", "summer time: opens 13:30 UTC"),
        ("XNYS", ns(2024, 3, 11, 20, 0), False, "2024-03-12", "the close belongs to the next"),
        ("XNYS", ns(2024, 3, 11, 20, 0) - 1, True, "2024-03-11", "the last nanosecond"),
        ("XNYS", ns(2024, 11, 29, 18, 0) - 1, True, "2024-11-29", "half day until 13:00"),
        ("XNYS", ns(2024, 11, 29, 18, 0), False, "2024-12-02", "half day over at 13:00"),
        ("XNYS", ns(2024, 7, 4, 15, 0), False, "2024-07-05", "holiday"),
        ("XNYS", ns(2001, 9, 12, 15, 0), False, "2001-09-17", "closed after 11 September 2001"),
        ("XLON", ns(2024, 3, 28, 8, 0), True, "2024-03-28", "London before summer time: 08:00"),
        ("XLON", ns(2024, 4, 2, 7, 0), True, "2024-04-02", "London in summer time: 07:00 UTC"),
        ("XLON", ns(2024, 12, 24, 12, 30), False, "2024-12-27", "half day until 12:30"),
        ("CMES", ns(2024, 3, 11, 1, 0), True, "2024-03-11", "Sunday evening in Chicago"),
        ("CMES", ns(2024, 3, 9, 12, 0), False, "2024-03-11", "Saturday"),
    ],
)
def test_hand_worked_instants(calendar, instant, is_open, day, why):
    table = sessions(calendar, instant, instant)
    assert table.is_open(instant) is is_open, why
    row = table.session_of(instant)
    assert str(np.datetime64(int(table.date[row]), "D")) == day, why


def test_arrays_and_scalars_give_the_same_answers(pair):
    table, oracle = pair
    ts = instants(table, oracle)
    for method in (
        table.is_open,
        table.session_of,
        table.next_open,
        table.next_close,
        table.previous_close,
    ):
        many = method(ts)
        assert many.shape == ts.shape
        assert [method(int(t)) for t in ts[:200]] == many[:200].tolist()
    assert table.is_open(np.array([], dtype=np.int64)).shape == (0,)


def test_close_of_date_takes_days_dates_and_arrays():
    table = sessions("XNYS", ns(2024, 6, 1), ns(2024, 8, 1))
    half_day = ns(2024, 7, 3, 17, 0)
    days = (dt.date(2024, 7, 3) - dt.date(1970, 1, 1)).days
    assert table.close_of_date(dt.date(2024, 7, 3)) == half_day
    assert table.close_of_date(days) == half_day
    closes = table.close_of_date(np.array([days, days + 2], dtype=np.int32))
    assert closes.tolist() == [half_day, ns(2024, 7, 5, 20, 0)]


@pytest.mark.parametrize("date", [dt.date(2024, 7, 4), dt.date(2024, 7, 6), dt.date(1900, 1, 1)])
def test_a_date_without_a_session_is_named(date):
    table = sessions("XNYS", ns(2024, 6, 1), ns(2024, 8, 1))
    with pytest.raises(DataError, match=str(date)):
        table.close_of_date(date)
    days = (date - dt.date(1970, 1, 1)).days
    with pytest.raises(DataError, match=str(date)):
        table.close_of_date(np.array([table.date[0], days], dtype=np.int64))


def test_around_the_clock_calendar_is_made_of_utc_days():
    table = sessions("24/7", ns(1998, 1, 1), ns(2027, 1, 1))
    midnight = ns(2024, 2, 29)
    assert table.is_open(midnight)
    assert table.is_open(midnight - 1)
    assert table.next_open(midnight) == midnight + NS_PER_DAY
    assert table.next_close(midnight - 1) == midnight
    assert table.previous_close(midnight) == midnight
    assert table.close_of_date(dt.date(2024, 2, 29)) == midnight + NS_PER_DAY
    np.testing.assert_array_equal(table.open[1:], table.close[:-1])
    assert not table.early_close.any()
    edge = np.array([table.start_ns, table.end_ns - 1])
    assert table.is_open(edge).all()
    assert (table.next_open(edge) > edge).all()
    assert (table.previous_close(edge) <= edge).all()


def test_a_lunch_break_is_closed():
    table = sessions("XHKG", ns(2024, 5, 6), ns(2024, 5, 7))
    hong_kong = ZoneInfo("Asia/Hong_Kong")
    at = [ns(2024, 5, 7, 11, 59, tz=hong_kong), ns(2024, 5, 7, 12, 0, tz=hong_kong)]
    at += [ns(2024, 5, 7, 12, 59, tz=hong_kong), ns(2024, 5, 7, 13, 0, tz=hong_kong)]
    assert [table.is_open(t) for t in at] == [True, False, False, True]
    assert table.session_of(at[1]) == table.session_of(at[0])


def test_the_same_years_share_one_table_whatever_was_asked_before():
    wide = long_table("XNYS")
    one = sessions("XNYS", ns(2024, 3, 1), ns(2024, 4, 1))
    assert sessions("XNYS", ns(2024, 5, 1), ns(2024, 6, 1)) is one
    assert len(one) < len(wide)
    rows = np.isin(wide.date, one.date)
    np.testing.assert_array_equal(wide.close[rows], one.close)


@pytest.mark.parametrize("calendar", ["XNYS", "CMES", "XHKG"])
def test_a_table_does_not_depend_on_what_was_built_before(calendar):
    def narrow(before: tuple[int, int] | None) -> SessionTable:
        module._built.clear()
        module._from_exchange.cache_clear()
        if before is not None:
            sessions(calendar, *before)
        return sessions(calendar, ns(2012, 6, 1), ns(2013, 6, 1))

    fresh, cut = narrow(None), narrow((ns(2008, 1, 1), ns(2016, 1, 1)))
    assert cut is not fresh
    for field in dataclasses.fields(SessionTable):
        np.testing.assert_array_equal(getattr(cut, field.name), getattr(fresh, field.name))


def test_a_margin_reaches_before_and_after_the_data():
    table = sessions("XNYS", ns(2024, 1, 2), ns(2024, 12, 30))
    assert table.start_ns <= ns(2023, 12, 1)
    assert table.end_ns >= ns(2025, 3, 31)


@pytest.mark.parametrize("method", ["is_open", "session_of", "next_open", "previous_close"])
def test_an_instant_outside_the_table_raises(method):
    table = sessions("XNYS", ns(2024, 5, 1), ns(2024, 6, 1))
    for ts in (table.start_ns - 1, table.end_ns):
        with pytest.raises(DataError, match="outside the XNYS sessions"):
            getattr(table, method)(ts)
        with pytest.raises(DataError, match="outside the XNYS sessions"):
            getattr(table, method)(np.array([ns(2024, 5, 1), ts]))


def test_arrays_are_read_only():
    table = sessions("XNYS", ns(2024, 5, 1), ns(2024, 6, 1))
    with pytest.raises(ValueError, match="read-only"):
        table.close[0] = 0


@pytest.mark.parametrize(
    ("name", "suggestion"), [("XNYX", "XNYS"), ("nyse", "NYSE"), ("24-7", "24/7")]
)
def test_an_unknown_calendar_suggests_close_names(name, suggestion):
    with pytest.raises(UnknownName, match="Did you mean") as caught:
        sessions(name, ns(2024, 1, 1), ns(2024, 2, 1))
    assert suggestion in caught.value.values["suggestions"]


def test_years_without_recorded_holidays_are_refused():
    with pytest.raises(DataError, match="recorded from 1960-01-01"):
        sessions("XHKG", ns(1959, 12, 31), ns(1961, 1, 1))
    table = sessions("XHKG", ns(1960, 1, 20), ns(1961, 1, 1))
    assert table.is_open(ns(1960, 3, 1, 3))
    assert table.is_open(table.start_ns)
    assert sessions("XHKG", table.start_ns, ns(1961, 1, 1)) is table
    for ts in (table.start_ns, np.array([table.start_ns])):
        with pytest.raises(DataError, match="no session on that side"):
            table.previous_close(ts)
    with pytest.raises(DataError, match="not recorded"):
        sessions("XHKG", ns(1950, 1, 1), ns(1951, 1, 1))


def test_years_beyond_the_recorded_holidays_are_refused():
    table = sessions("XHKG", ns(2049, 1, 1), ns(2049, 12, 31, 23, 59))
    assert table.end_ns == ns(2050, 1, 1)
    for ts in (table.end_ns - 1, np.array([table.end_ns - 1])):
        with pytest.raises(DataError, match="no session on that side"):
            table.next_open(ts)
    with pytest.raises(DataError, match="to 2049-12-31 only"):
        sessions("XHKG", ns(2049, 1, 1), ns(2050, 1, 1))


def test_a_span_that_ends_before_it_starts_is_refused():
    with pytest.raises(DataError, match="ends before"):
        sessions("XNYS", 10, 9)


def test_an_alias_names_the_same_sessions():
    alias = sessions("NYSE", ns(2024, 1, 1), ns(2024, 2, 1))
    plain = sessions("XNYS", ns(2024, 1, 1), ns(2024, 2, 1))
    np.testing.assert_array_equal(alias.open, plain.open)
