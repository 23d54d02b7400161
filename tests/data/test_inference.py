"""Timeframe and label: inferred from the first 1,000 rows, where certain, else asked for."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.data import BarColumns, Loaded, load
from pyrt.data.inference import label_by_sessions, most_frequent
from pyrt.errors import DataError
from tests.data.tables import prices

NEW_YORK = "America/New_York"
HOUR_NS = 3_600_000_000_000
DAY_NS = 24 * HOUR_NS


def frame_at(index: pd.DatetimeIndex | pd.Index) -> pd.DataFrame:
    return pd.DataFrame(prices(len(index)), index=index)


def sessions(
    first: str, days: int, step: str, start: str = "09:30", stop: str = "15:59"
) -> pd.DatetimeIndex:
    """Return stamps from `start` to `stop` New York on business days."""
    parts = [
        pd.date_range(f"{day.date()} {start}", f"{day.date()} {stop}", freq=step, tz=NEW_YORK)
        for day in pd.bdate_range(first, periods=days)
    ]
    return parts[0].append(parts[1:])


INTRADAY = {
    # name: (stamps, label)
    "minutes by open": (sessions("2024-03-05", 4, "1min"), "open"),
    "minutes by open across DST": (sessions("2024-03-07", 4, "1min"), "open"),
    "minutes by close": (sessions("2024-03-05", 4, "1min", "09:31", "16:00"), "close"),
    "hours by open": (sessions("2024-03-05", 9, "1h"), "open"),
    "half hours by close": (sessions("2024-03-05", 9, "30min", "10:00", "16:00"), "close"),
    "extended hours": (sessions("2024-03-05", 3, "1min", "04:00", "19:59"), ""),
    "no whole session": (sessions("2024-03-05", 1, "1min", "09:30", "12:00"), ""),
    "around the clock": (pd.date_range("2024-03-05", periods=2_000, freq="min", tz="UTC"), ""),
}


@pytest.mark.parametrize("name", INTRADAY)
@pytest.mark.parametrize("calendar", [None, "XNYS"])
def test_an_intraday_label_is_read_off_whole_sessions_or_asked_for(
    name: str, calendar: str | None
) -> None:
    stamps, label = INTRADAY[name]
    if not label:
        with pytest.raises(DataError, match='write label="open"') as caught:
            load(frame_at(stamps), symbol="SPY", calendar=calendar)
        assert caught.value.code == "label"
        return
    loaded = load(frame_at(stamps), symbol="SPY", calendar=calendar)
    assert loaded.provenance["label"] == label
    bars = loaded.columns[0]
    expected = stamps.as_unit("ns").asi8
    np.testing.assert_array_equal(bars.ts_open if label == "open" else bars.ts_close, expected)
    assert set((bars.ts_close - bars.ts_open).tolist()) == {bars.timeframe_ns}


def test_naive_stamps_of_sessions_only_lack_a_zone() -> None:
    walls = sessions("2024-03-05", 4, "1min").tz_localize(None)
    with pytest.raises(DataError) as caught:
        load(frame_at(walls), symbol="SPY")
    assert caught.value.code == "naive_time"
    assert load(frame_at(walls), symbol="SPY", tz=NEW_YORK).provenance["label"] == "open"


def test_a_calendar_that_never_closes_decides_nothing() -> None:
    stamps = pd.date_range("2024-03-05", periods=2_000, freq="min", tz="UTC")
    with pytest.raises(DataError, match="uncertain"):
        load(frame_at(stamps), symbol="BTC", calendar="24/7")


def test_sources_known_to_stamp_the_open_need_no_label() -> None:
    stamps = pd.date_range("2024-03-05", periods=50, freq="min", tz="UTC")
    alpaca = frame_at(stamps).assign(trade_count=1, vwap=100.0)
    assert "Alpaca" in load(alpaca, symbol="BTC/USD").provenance["label_how"]
    yahoo = frame_at(stamps).assign(Dividends=0.0, **{"Stock Splits": 0.0})
    assert "yfinance" in load(yahoo, symbol="BTC-USD").provenance["label_how"]


def test_a_label_that_is_given_wins_over_the_source() -> None:
    stamps = pd.date_range("2024-03-05", periods=50, freq="min", tz="UTC")
    alpaca = frame_at(stamps).assign(trade_count=1, vwap=100.0)
    loaded = load(alpaca, symbol="BTC/USD", label="close")
    assert (loaded.provenance["label"], loaded.provenance["label_how"]) == ("close", "given")


def test_ts_close_makes_a_label_needless_and_label_close_wrong() -> None:
    stamps = pd.date_range("2024-03-05", periods=50, freq="min", tz="UTC")
    frame = frame_at(stamps).rename_axis("ts_event").reset_index()
    frame["ts_close"] = frame["ts_event"] + pd.Timedelta("1min")
    assert load(frame, symbol="BTC").provenance["label"] == "ts_close"
    with pytest.raises(DataError, match="contradicts the column ts_close"):
        load(frame, symbol="BTC", label="close")
    frame.loc[3, "ts_close"] = frame.loc[3, "ts_event"]
    with pytest.raises(DataError, match=r"row 3: ts_close .* is not after ts_event"):
        load(frame, symbol="BTC")


DAILY: dict[str, tuple[Callable[[], object], str]] = {
    "naive business days": (lambda: pd.bdate_range("2024-01-02", periods=9), "UTC"),
    "midnights UTC": (lambda: pd.bdate_range("2024-01-02", periods=9, tz="UTC"), "UTC"),
    "midnights New York": (
        lambda: pd.bdate_range("2024-03-05", periods=9, tz=NEW_YORK),
        NEW_YORK,
    ),
    "midnights New York in UTC": (
        lambda: pd.bdate_range("2024-03-05", periods=9, tz=NEW_YORK).tz_convert("UTC"),
        NEW_YORK,
    ),
}


@pytest.mark.parametrize("name", DAILY)
def test_daily_midnights_of_weekdays_name_sessions(name: str) -> None:
    make, zone = DAILY[name]
    index = make()
    loaded = load(frame_at(index), symbol="SPY")
    local = index.tz_convert(zone) if index.tz is not None else index.tz_localize(zone)
    bars = loaded.columns[0]
    assert loaded.provenance["label"] == "open"
    np.testing.assert_array_equal(bars.ts_open, local.as_unit("ns").asi8)
    ends = (local + pd.DateOffset(days=1)).as_unit("ns").asi8
    np.testing.assert_array_equal(bars.ts_close, ends)


@pytest.mark.parametrize("name", DAILY)
@pytest.mark.parametrize("label", [None, "open", "close"])
def test_with_a_calendar_a_daily_bar_is_its_session(name: str, label: str | None) -> None:
    index = DAILY[name][0]()
    dates = index if index.tz is None else index.tz_convert(DAILY[name][1])
    bars = load(frame_at(index), symbol="SPY", calendar="XNYS", label=label).columns[0]
    for row, date in enumerate(dates):
        opens = pd.Timestamp(f"{date.date()} 09:30", tz=NEW_YORK)
        assert bars.ts_open[row] == opens.value
        assert bars.ts_close[row] - bars.ts_open[row] == 6.5 * HOUR_NS


def test_a_half_day_ends_at_its_own_close() -> None:
    days = pd.DatetimeIndex(["2023-11-22", "2023-11-24", "2023-11-27"])  # Thanksgiving's Friday
    bars = load(frame_at(days), symbol="SPY", calendar="XNYS", timeframe="1d").columns[0]
    hours = ((bars.ts_close - bars.ts_open) / HOUR_NS).tolist()
    assert hours == [6.5, 3.5, 6.5]


def test_a_date_that_is_no_session_is_named() -> None:
    days = pd.DatetimeIndex(["2024-01-12", "2024-01-15", "2024-01-16"])  # a Monday holiday
    with pytest.raises(DataError, match="row 1: 2024-01-15 is no session of XNYS"):
        load(frame_at(days), symbol="SPY", calendar="XNYS", timeframe="1d")


@pytest.mark.parametrize(("clock", "label"), [("16:00", "close"), ("09:30", "open")])
def test_daily_stamps_at_a_session_edge_find_their_session(clock: str, label: str) -> None:
    days = [
        pd.Timestamp(f"{d.date()} {clock}", tz=NEW_YORK)
        for d in pd.bdate_range("2024-01-02", periods=5)
    ]
    bars = load(
        frame_at(pd.DatetimeIndex(days)), symbol="SPY", calendar="XNYS", label=label
    ).columns[0]
    edge = bars.ts_close if label == "close" else bars.ts_open
    np.testing.assert_array_equal(edge, pd.DatetimeIndex(days).as_unit("ns").asi8)


def test_stamps_of_tokyo_midnights_find_the_session_after_them() -> None:
    days = pd.bdate_range("2024-01-09", periods=5, tz="Asia/Tokyo").tz_convert("UTC")
    bars = load(frame_at(days), symbol="7203", calendar="XTKS", label="open").columns[0]
    assert pd.Timestamp(bars.ts_open[0], tz="UTC") == pd.Timestamp("2024-01-09T00:00Z")


def test_days_of_a_market_that_never_rests_ask_for_a_label() -> None:
    days = pd.date_range("2024-01-01", periods=30, tz="UTC")
    with pytest.raises(DataError, match="uncertain"):
        load(frame_at(days), symbol="BTC")
    opened = load(frame_at(days), symbol="BTC", label="open").columns[0]
    closed = load(frame_at(days), symbol="BTC", label="close").columns[0]
    np.testing.assert_array_equal(opened.ts_open, days.as_unit("ns").asi8)
    np.testing.assert_array_equal(closed.ts_close, days.as_unit("ns").asi8)


def test_dates_name_their_days_even_on_weekends() -> None:
    days = pd.date_range("2024-01-01", periods=30).rename("Date")
    loaded = load(frame_at(days), symbol="BTC-USD")
    assert loaded.provenance["label_how"] == "dates name their sessions"
    assert loaded.columns[0].ts_close[0] == pd.Timestamp("2024-01-02", tz="UTC").as_unit("ns").value


def test_weekday_midnights_given_as_close_still_name_their_session() -> None:
    days = pd.bdate_range("2024-01-02", periods=9)
    given = load(frame_at(days), symbol="SPY", label="close")
    assert "skip weekends" in given.provenance["label_how"]
    plain = load(frame_at(days), symbol="SPY").columns[0]
    assert given.columns[0].content_hash() == plain.content_hash()


@pytest.mark.parametrize(
    ("label", "start", "end"),
    [("open", "2024-01-08", "2024-01-15"), ("close", "2024-01-02", "2024-01-09")],
)
def test_weeks_cover_seven_days_from_or_to_their_date(label: str, start: str, end: str) -> None:
    mondays = pd.date_range("2024-01-08", periods=5, freq="7D")
    loaded = load(frame_at(mondays), symbol="SPY", label=label)
    bars = loaded.columns[0]
    assert bars.timeframe == "1w"
    assert pd.Timestamp(bars.ts_open[0]) == pd.Timestamp(start)
    assert pd.Timestamp(bars.ts_close[0]) == pd.Timestamp(end)
    with pytest.raises(DataError, match="uncertain"):
        load(frame_at(mondays), symbol="SPY")


def test_the_timeframe_is_the_most_frequent_step() -> None:
    index = pd.DatetimeIndex(np.cumsum([5, 5, 5, 60, 5, 5]) * 60 * 10**9, tz="UTC")
    loaded = load(frame_at(index + pd.Timedelta("20000D")), symbol="X", label="open")
    assert loaded.provenance["timeframe"] == "5m"
    assert most_frequent(np.array([0, 3, 2, 3, 2, -9])) == 2
    assert most_frequent(np.array([0, -1])) is None


@pytest.mark.parametrize("rows", [1, 2])
def test_a_timeframe_without_evidence_is_asked_for(rows: int) -> None:
    stamps = pd.DatetimeIndex(["2024-01-02T10:00:00Z", "2024-01-02T10:00:00.5Z"][:rows])
    with pytest.raises(DataError, match="timeframe is unknown"):
        load(frame_at(stamps), symbol="X", label="open")
    loaded = load(frame_at(stamps[:1]), symbol="X", label="open", timeframe="60s")
    assert loaded.provenance["timeframe"] == "1m"


def test_symbols_of_one_table_share_a_timeframe() -> None:
    dense = pd.date_range("2024-01-02", periods=50, freq="min", tz="UTC")
    long = pd.concat([frame_at(dense).assign(symbol="A"), frame_at(dense[::7]).assign(symbol="B")])
    loaded = load(long, label="open")
    assert {c.timeframe for c in loaded.columns if isinstance(c, BarColumns)} == {"1m"}
    assert [t["gaps"] for t in loaded.provenance["tables"]] == [0, 7]


def outcome(frame: pd.DataFrame) -> Loaded | str:
    """Return what a load gives: the result, or the code of the error."""
    try:
        return load(frame, symbol="SPY")
    except DataError as error:
        return error.code


FUTURES: dict[str, Callable[[int], pd.DatetimeIndex]] = {
    "another timeframe": lambda n: pd.date_range("2030-01-01", periods=n, freq="h", tz="UTC"),
    "stamps at closes": lambda n: sessions("2030-01-01", 60, "1min", "09:31", "16:00")[:n],
    "weekends": lambda n: pd.date_range("2030-01-05", periods=n, freq="D", tz="UTC"),
}


@pytest.mark.parametrize("future", FUTURES)
@settings(max_examples=15, deadline=None)
@given(cut=st.integers(1_000, 1_900), extra=st.integers(0, 3_000))
def test_later_rows_never_change_what_was_decided(future: str, cut: int, extra: int) -> None:
    minutes = sessions("2024-03-05", 6, "1min")[:cut].tz_convert("UTC")
    days = pd.bdate_range("2016-01-04", periods=cut, tz="UTC")
    for past in (minutes, days):
        index = past.append(FUTURES[future](extra).tz_convert("UTC"))
        before, after = outcome(frame_at(past)), outcome(frame_at(index))
        assert isinstance(before, Loaded)
        # Bars of another timeframe may overlap: an error is no other reading of the past.
        if after != "overlap":
            assert isinstance(after, Loaded)
            for name in ("timeframe", "label", "label_how"):
                assert after.provenance[name] == before.provenance[name]
            ends = [loaded.columns[0].ts_close[: len(past)] for loaded in (before, after)]
            np.testing.assert_array_equal(*ends)


@pytest.mark.parametrize("cut", [2, 100, 389, 390, 500, 1_000, 1_500])
def test_a_shorter_past_gives_the_same_label_or_none(cut: int) -> None:
    stamps = sessions("2024-03-05", 4, "1min")
    whole, part = outcome(frame_at(stamps)), outcome(frame_at(stamps)[:cut])
    assert isinstance(whole, Loaded)
    if cut < 390:
        assert part == "label"
    else:
        assert isinstance(part, Loaded)
        ends = (part.columns[0].ts_close, whole.columns[0].ts_close[:cut])
        np.testing.assert_array_equal(*ends)


def test_label_by_sessions_needs_stamps_and_sessions() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert label_by_sessions(none, np.array([0]), np.array([10]), 1) == ""
    assert label_by_sessions(np.array([1]), none, none, 1) == ""
    opens, closes = np.array([0, 100]), np.array([10, 110])
    assert label_by_sessions(np.arange(0, 10), opens, closes, 1) == "open"
    assert label_by_sessions(np.arange(1, 11), opens, closes, 1) == "close"
    assert label_by_sessions(np.arange(0, 11), opens, closes, 1) == ""
    assert label_by_sessions(np.array([0, 50]), opens, closes, 1) == ""


def test_a_time_among_later_dates_changes_nothing_before_it() -> None:
    days = pd.date_range("2016-01-01", periods=1_200, name="Date")
    before = outcome(frame_at(days))
    timed = days.append(pd.DatetimeIndex(["2030-01-07 09:30", "2030-01-08 09:30"], name="Date"))
    after = outcome(frame_at(timed.rename("Date")))
    assert isinstance(before, Loaded)
    assert isinstance(after, Loaded)
    ends = [loaded.columns[0].ts_close[:1_200] for loaded in (before, after)]
    np.testing.assert_array_equal(*ends)
    assert after.provenance["label_how"] == before.provenance["label_how"]
