"""Every fault of a table is named with its rows and what to write, all of them in one error."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from pyrt.data import load
from pyrt.errors import ConfigError, DataError, UnknownName
from tests.data.tables import FIRST_NS, MINUTE_NS, minute_columns, minute_frame

UTC, NEW_YORK = "UTC", "America/New_York"


def cell(row: int, column: str, value: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.copy()
        frame.iloc[row, frame.columns.get_loc(column)] = value
        return frame

    return change


def indexed(make: Callable[[pd.DatetimeIndex], object]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    return lambda frame: frame.set_axis(make(frame.index)).rename_axis("timestamp")


def stamped(values: Callable[[int], object]) -> Callable[[pd.DataFrame], pd.DataFrame]:
    def change(frame: pd.DataFrame) -> pd.DataFrame:
        frame = frame.reset_index(drop=True)
        return frame.assign(timestamp=[values(row) for row in range(len(frame))])

    return change


def _mixed(index: pd.DatetimeIndex) -> pd.Index:
    zones = [UTC if row < 20 else NEW_YORK for row in range(len(index))]
    return pd.Index([t.tz_convert(z) for t, z in zip(index, zones)], dtype=object)


def _half_naive(index: pd.DatetimeIndex) -> pd.Index:
    return pd.Index(
        [t.tz_localize(None) if row == 4 else t for row, t in enumerate(index)], dtype=object
    )


FAULTS = {
    # name: (change, code, pieces of the message)
    "NaN": (cell(7, "open", np.nan), "nan", ["row 7: NaN (open=nan)", 'repair="drop_nan"']),
    "NaN volume": (cell(7, "volume", np.nan), "nan", ["row 7: NaN (volume=nan)", '"ffill"']),
    "infinite": (cell(3, "high", np.inf), "infinite", ["row 3: infinite (high=inf)"]),
    "zero": (cell(3, "low", 0.0), "price", ["row 3: not above zero (low=0.0)"]),
    "negative": (cell(3, "low", -2.0), "price", ["row 3: not above zero (low=-2.0)"]),
    "too large": (
        cell(3, "high", 1e10),
        "too_large",
        ["row 3: not below 9,223,372,037", "(high=10000000000.0)", 'repair="drop_invalid"'],
    ),
    "negative volume": (
        cell(9, "volume", -1.0),
        "volume",
        ["row 9: below zero (volume=-1.0)", 'repair="drop_invalid"'],
    ),
    "high under low": (cell(5, "high", 1.0), "high_low", ["row 5: high < low", 'repair="clip"']),
    "open outside": (cell(5, "open", 500.0), "high_low", ["row 5: open or close outside"]),
    "duplicate": (
        lambda f: f.iloc[[0, 1, 2, 2, 3]],
        "duplicate",
        ["row 3: 2024-01-02T14:32:00Z is there already", 'repair="drop_duplicates"'],
    ),
    "unsorted": (
        lambda f: f.iloc[[0, 1, 3, 2, 4, 5]],
        "unsorted",
        ["row 3: 2024-01-02T14:32:00Z comes after 2024-01-02T14:33:00Z", 'repair="sort"'],
    ),
    "naive": (lambda f: f.tz_localize(None), "naive_time", ["no time zone", 'tz="America/New_']),
    "mixed zones": (
        indexed(_mixed),
        "mixed_zones",
        ["rows 20, 21, 22 and 7 more", "America/New_York, UTC", 'repair="utc"'],
    ),
    "mixed offsets in text": (
        indexed(lambda i: pd.Index([str(t) for t in _mixed(i)], dtype=object)),
        "mixed_zones",
        ["rows 20, 21, 22 and 7 more", 'repair="utc"'],
    ),
    "naive among aware": (
        indexed(_half_naive),
        "mixed_zones",
        ["row 4", "write every stamp with its offset"],
    ),
    "naive text among aware": (
        indexed(lambda i: pd.Index([str(t) for t in _half_naive(i)], dtype=object)),
        "mixed_zones",
        ["row 4: timestamp has no time zone (2024-01-02 14:34:00)"],
    ),
    "missing stamp": (
        indexed(lambda i: i.where(np.arange(len(i)) != 6)),
        "missing_time",
        ["row 6: timestamp is missing", 'repair="drop_nan"'],
    ),
    "seconds as integers": (
        stamped(lambda row: FIRST_NS // 10**9 + 60 * row),
        "implausible_time",
        ["timestamp is 1704205800", "1970-01-01T00:00:01.7042058Z", 'unit="s"'],
    ),
    "milliseconds as integers": (
        stamped(lambda row: FIRST_NS // 10**6 + 60_000 * row),
        "implausible_time",
        ['unit="ms"'],
    ),
    "microseconds as integers": (
        stamped(lambda row: FIRST_NS // 10**3 + 60_000_000 * row),
        "implausible_time",
        ["1970-01-20T", 'unit="us"'],
    ),
    "microseconds read as nanoseconds": (
        indexed(lambda i: pd.to_datetime(i.as_unit("us").asi8, unit="ns", utc=True)),
        "implausible_time",
        ["timestamp is 1970-01-20T17:23:25.8", "pandas.to_datetime"],
    ),
    "nanoseconds read as microseconds": (
        indexed(lambda i: pd.DatetimeIndex(i.as_unit("ns").asi8.view("M8[us]"), tz="UTC")),
        "implausible_time",
        ["outside the years 1900 to 2100"],
    ),
    "dates written as numbers": (
        stamped(lambda row: 20240102 + row),
        "implausible_time",
        ["timestamp is 20240102", 'format="%Y%m%d"'],
    ),
    "zero stamp": (
        stamped(lambda row: 0 if row == 2 else FIRST_NS + MINUTE_NS * row),
        "implausible_time",
        ["row 2: timestamp is 0"],
    ),
    "float stamps": (
        stamped(lambda row: float(FIRST_NS + MINUTE_NS * row)),
        "not_a_time",
        ["type float64", "int64 nanoseconds"],
    ),
    "day and month unclear": (
        stamped(lambda row: f"01/02/2024 09:{row:02d}"),
        "not_a_time",
        ["'01/02/2024 09:00', no ISO 8601 time", "pandas.to_datetime"],
    ),
    "text prices": (
        lambda f: f.assign(open=[f"{p}" for p in f["open"]]),
        "not_a_number",
        ["open is '", "pandas.to_numeric"],
    ),
    "two timeframes in one": (
        lambda f: pd.concat(
            [
                f.iloc[:20],
                f.iloc[20:].set_axis(
                    f.index[19] + pd.to_timedelta(np.arange(1, 11) * 30, unit="s")
                ),
            ]
        ),
        "overlap",
        ["rows 20, 21, 22 and 7 more: a 1m bar starts at"],
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_its_rows_and_what_to_write(name: str) -> None:
    change, code, pieces = FAULTS[name]
    with pytest.raises(DataError) as caught:
        load(change(minute_frame()), symbol="SPY", label="open")
    assert caught.value.code == code
    for piece in pieces:
        assert piece in str(caught.value)


def test_all_faults_come_in_one_error_with_all_repairs() -> None:
    frame = cell(3, "open", np.nan)(cell(8, "high", 1.0)(minute_frame()))
    frame = frame.iloc[[0, 2, 1, *range(3, 30), 29]].tz_localize(None)
    with pytest.raises(DataError) as caught:
        load(frame, symbol="SPY")
    assert caught.value.code == "bad_table"
    assert caught.value.values["problems"] == [
        "nan",
        "high_low",
        "unsorted",
        "duplicate",
        "label",
        "naive_time",
    ]
    assert caught.value.values["rows"]["duplicate"] == [30]
    assert 'repair=["drop_nan", "sort", "drop_duplicates", "clip"]' in str(caught.value)


def test_row_numbers_count_in_the_table_as_given_not_within_a_symbol() -> None:
    frames = [minute_frame(10).assign(symbol="A"), minute_frame(10).assign(symbol="B")]
    long = cell(14, "low", -1.0)(pd.concat(frames))
    with pytest.raises(DataError, match="row 14: not above zero"):
        load(long, label="open")
    mixed = long.sort_index(kind="stable")
    with pytest.raises(DataError, match="row 9: not above zero"):
        load(mixed, label="open")


REPAIRED = {
    "drop_nan": (cell(7, "open", np.nan), 29, 1),
    "drop_invalid": (cell(7, "low", -1.0), 29, 1),
    "clip": (cell(7, "open", 500.0), 30, 1),
    "drop_duplicates": (lambda f: f.iloc[[0, 1, 1, *range(2, 30)]], 30, 1),
    "sort": (lambda f: f.iloc[[1, 0, *range(2, 30)]], 30, 2),
    "utc": (indexed(_mixed), 30, None),
}


@pytest.mark.parametrize("repair", REPAIRED)
def test_a_repair_mends_what_it_says_and_is_counted(repair: str) -> None:
    change, rows, touched = REPAIRED[repair]
    loaded = load(change(minute_frame()), symbol="SPY", label="open", repair=repair)
    assert len(loaded.columns[0]) == rows
    assert loaded.provenance["repairs"] == ({} if touched is None else {repair: touched})


@pytest.mark.parametrize("repair", ["sort", "drop_duplicates", "utc"])
def test_repaired_rows_equal_those_that_were_never_broken(repair: str) -> None:
    change = REPAIRED[repair][0]
    loaded = load(change(minute_frame()), symbol="SPY", label="open", repair=repair)
    assert loaded.columns[0].content_hash() == minute_columns().content_hash()


def test_the_last_of_duplicates_is_kept() -> None:
    frame = minute_frame().iloc[[0, 1, 1, 2]]
    frame = cell(2, "volume", 77.0)(frame)
    loaded = load(frame, symbol="SPY", label="open", repair="drop_duplicates")
    assert loaded.columns[0].volume[1] == 77.0


def test_clip_widens_high_and_low_to_hold_open_and_close() -> None:
    frame = cell(0, "close", 1.0)(cell(0, "high", 50.0)(minute_frame(3)))
    bar = load(frame, symbol="SPY", label="open", repair="clip").columns[0]
    assert bar.low[0] == 1.0
    assert bar.high[0] == max(frame.iloc[0][["open", "high", "low", "close"]])


def test_ffill_makes_flat_bars_without_volume() -> None:
    frame = minute_frame(5)
    for name in ("open", "high", "low", "close", "volume"):
        frame = cell(2, name, np.nan)(frame)
    frame = cell(3, "close", np.nan)(frame)
    loaded = load(frame, symbol="SPY", label="open", repair="ffill")
    bars, last = loaded.columns[0], frame["close"].iloc[1]
    for row in (2, 3):
        assert [bars.open[row], bars.high[row], bars.low[row], bars.close[row]] == [last] * 4
        assert bars.volume[row] == 0.0
    assert loaded.provenance["repairs"] == {"ffill": 2}


def test_ffill_never_reaches_across_symbols() -> None:
    second = cell(0, "close", np.nan)(minute_frame(5)).assign(symbol="B")
    long = pd.concat([minute_frame(5).assign(symbol="A"), second])
    with pytest.raises(DataError, match="row 5: NaN"):
        load(long, label="open", repair="ffill")


def test_a_clock_that_shows_a_time_twice_or_never_is_named() -> None:
    walls = pd.to_datetime(["2024-03-10 01:30", "2024-03-10 02:30", "2024-11-03 01:30"])
    frame = minute_frame(3).set_axis(walls)
    with pytest.raises(DataError, match=r"rows 1, 2: .*skip or show twice"):
        load(frame, symbol="SPY", label="open", timeframe="1m", tz=NEW_YORK)


def test_naive_times_are_read_in_tz() -> None:
    frame = minute_frame().tz_convert(NEW_YORK).tz_localize(None)
    loaded = load(frame, symbol="SPY", label="open", tz=NEW_YORK)
    assert loaded.columns[0].content_hash() == minute_columns().content_hash()


def test_midnights_of_early_1970_are_no_trap() -> None:
    days = pd.date_range("1969-12-29", periods=30, freq="B", tz="UTC")
    loaded = load(minute_frame().set_axis(days), symbol="IBM")
    assert loaded.columns[0].ts_open[0] == -3 * 86_400 * 10**9


@pytest.mark.parametrize(
    ("options", "error", "piece"),
    [
        ({"label": "left"}, ConfigError, "label='left'"),
        ({"repair": "sorted"}, ConfigError, "Did you mean sort"),
        ({"repair": ["ffill", "drop_nan"]}, ConfigError, "exclude each other"),
        ({"kind": "bar"}, ConfigError, "Did you mean bars"),
        ({"timeframe": "5 minutes"}, ConfigError, "not a timeframe"),
        ({"tz": "America/New_Yrok"}, UnknownName, "Did you mean America/New_York"),
        ({"start": "yesterday-ish"}, ConfigError, "no point in time"),
        ({"warmup_bars": -1}, ConfigError, "negative"),
    ],
)
def test_an_option_that_is_none_says_what_to_write(
    options: dict[str, object], error: type[Exception], piece: str
) -> None:
    with pytest.raises(error, match=piece):
        load(minute_frame(), symbol="SPY", **options)


def test_misspelled_columns_are_recognized_as_such() -> None:
    with pytest.raises(DataError, match="is 'opne' the open"):
        load(minute_frame().rename(columns={"open": "opne"}), symbol="SPY")
    with pytest.raises(DataError, match="two columns are called 'close'"):
        load(minute_frame().assign(Close=1.0), symbol="SPY")
    with pytest.raises(DataError, match="no column and no index holds times"):
        load(minute_frame().reset_index(drop=True), symbol="SPY")


def test_a_table_that_fits_two_kinds_asks_which() -> None:
    both = minute_frame().assign(bid_price=1.0, ask_price=2.0, price=1.5, size=1.0)
    with pytest.raises(DataError, match=r'fit bars and quotes and trades.*kind="bars"'):
        load(both, symbol="SPY", label="open")
    assert load(both, symbol="SPY", label="open", kind="bars").provenance["kind"] == "bars"


def test_reversed_rows_are_one_fault_not_two() -> None:
    with pytest.raises(DataError) as caught:
        load(minute_frame().iloc[::-1], symbol="SPY", label="open")
    assert caught.value.code == "unsorted"


def test_empty_tables_are_refused() -> None:
    with pytest.raises(DataError, match="no rows"):
        load(minute_frame(0), symbol="SPY")
    gone = minute_frame(2).assign(open=np.nan)
    with pytest.raises(DataError, match="no row is left"):
        load(gone, symbol="SPY", timeframe="1m", label="open", repair="drop_nan")


def test_dates_of_python_are_read_as_days() -> None:
    days = [dt.date(2024, 1, 2) + dt.timedelta(days=n) for n in range(3)]
    loaded = load(minute_frame(3).set_axis(pd.Index(days, name="date")), symbol="SPY")
    assert loaded.provenance["label_how"] == "dates name their sessions"


def test_a_time_that_clocks_skip_is_the_only_fault_of_its_rows() -> None:
    """Stamps that name no instant say nothing about which bars overlap."""
    stamps = pd.date_range("2024-03-10 01:00", periods=200, freq="min")
    with pytest.raises(DataError) as caught:
        load(minute_frame(200).set_axis(stamps), symbol="SPY", label="open", tz=NEW_YORK)
    assert caught.value.code == "ambiguous_time"
    assert caught.value.values["rows"] == {"ambiguous_time": list(range(60, 80))}
