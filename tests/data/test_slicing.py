"""Start, end and warm-up: which rows are of the run, which are kept before it."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyrt.data import load
from pyrt.data.slicing import cut, moment
from pyrt.errors import ConfigError
from tests.data.tables import FIRST_NS, MINUTE_NS, minute_columns

BARS = minute_columns(50)


@pytest.mark.parametrize(
    ("value", "tz", "text"),
    [
        ("2024-01-02", None, "2024-01-02T00:00Z"),
        ("2024-01-02", "America/New_York", "2024-01-02T05:00Z"),
        ("2024-01-02 09:30", "America/New_York", "2024-01-02T14:30Z"),
        ("2024-01-02T09:30-05:00", "Asia/Tokyo", "2024-01-02T14:30Z"),
        (dt.date(2024, 1, 2), None, "2024-01-02T00:00Z"),
        (dt.datetime(2024, 1, 2, 9, tzinfo=dt.UTC), None, "2024-01-02T09:00Z"),
        (pd.Timestamp("2024-01-02", tz="America/New_York"), None, "2024-01-02T05:00Z"),
        (np.int64(1_704_153_600_000_000_000), None, "2024-01-02T00:00Z"),
    ],
)
def test_a_moment_is_read_in_its_own_zone_or_the_given_one(
    value: object, tz: str | None, text: str
) -> None:
    assert moment(value, tz) == pd.Timestamp(text).value


def test_an_end_without_a_time_is_the_end_of_that_day() -> None:
    assert moment("2024-01-02", None, is_end=True) == pd.Timestamp("2024-01-03", tz="UTC").value
    whole = moment("2024-03-10", "America/New_York", is_end=True)
    assert whole == pd.Timestamp("2024-03-11", tz="America/New_York").value
    timed = moment("2024-01-02T00:00", None, is_end=True)
    assert timed == pd.Timestamp("2024-01-02", tz="UTC").value


@pytest.mark.parametrize(
    "value",
    ["soon", None, "2024-13-01", float("nan"), 20240201, 1_706_745_600, 1_706_745_600_000_000],
)
def test_what_is_no_moment_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="no point in time"):
        moment(value, None)
    with pytest.raises(ConfigError, match="no point in time"):
        moment("2024-03-10 02:30", "America/New_York")


@given(
    st.none() | st.integers(-3, 55), st.none() | st.integers(-3, 55), st.none() | st.integers(0, 60)
)
def test_rows_of_the_run_and_before_it_follow_the_definition(
    first: int | None, last: int | None, warmup: int | None
) -> None:
    start = None if first is None else FIRST_NS + first * MINUTE_NS - 1
    end = None if last is None else FIRST_NS + last * MINUTE_NS
    part, kept = cut(BARS, start, end, warmup)
    run = [
        row
        for row in range(50)
        if (start is None or BARS.ts_open[row] >= start)
        and (end is None or BARS.ts_close[row] <= end)
    ]
    assert part.close[kept:].tolist() == BARS.close[run].tolist()
    before = [row for row in range(50) if start is not None and BARS.ts_open[row] < start]
    before = before if warmup is None else before[len(before) - min(warmup, len(before)) :]
    assert part.close[:kept].tolist() == BARS.close[before].tolist()


def test_load_keeps_rows_before_the_start_and_counts_those_of_the_run() -> None:
    start = "2024-01-02T14:40Z"
    everything = load(BARS, start=start)
    assert everything.warmup_rows == (10,)
    assert everything.provenance["rows"] == 40
    some = load(BARS, start=start, end="2024-01-02T14:45Z", warmup_bars=4)
    assert some.warmup_rows == (4,)
    assert len(some.columns[0]) == 9
    assert np.shares_memory(some.columns[0].close, BARS.close)
