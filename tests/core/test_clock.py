from __future__ import annotations

import numpy as np
import pytest

from pyrt.core.clock import Clock
from pyrt.core.times import duration_ns, format_ns, timestamp_ns
from pyrt.errors import ConfigError, UnknownName


def test_names_are_unique_and_the_later_one_stands():
    clock = Clock()
    clock.set_alert("a", 10, None)
    clock.set_alert("a", 20, None)
    assert len(clock) == 1
    assert clock.names() == ["a"]


def test_canceling_what_is_not_set_names_it():
    with pytest.raises(UnknownName, match="no timer 'b'"):
        Clock().cancel("b")


def test_a_timer_needs_a_positive_interval_and_a_future():
    clock = Clock()
    with pytest.raises(ConfigError, match="interval is 0"):
        clock.set_timer("t", 0, None)
    with pytest.raises(ConfigError, match="lies before the present"):
        clock.set_alert("t", -1, None)


@pytest.mark.parametrize(
    ("text", "ns"),
    [("5m", 300 * 10**9), ("250ms", 250 * 10**6), ("1.5h", 5400 * 10**9), (7, 7)],
)
def test_durations_are_read_from_text(text, ns):
    assert duration_ns(text) == ns


@pytest.mark.parametrize("text", ["", "5", "m5", "-1s", None, True])
def test_what_is_no_duration_is_named(text):
    with pytest.raises(ConfigError, match="is not a duration"):
        duration_ns(text)


@pytest.mark.parametrize(
    "text",
    [
        "2013-10-07T13:30:00Z",
        "2024-02-29T23:59:59.123456789Z",
        "1970-01-01T00:00:00Z",
        "2026-11-01T05:30:00.5Z",
    ],
)
def test_points_in_time_survive_the_trip_to_the_nanosecond(text):
    assert format_ns(timestamp_ns(text)) == text


def test_offsets_count():
    assert timestamp_ns("2013-10-07T09:30:00-04:00") == timestamp_ns("2013-10-07T13:30:00Z")


def test_numpy_s_times_and_numbers_are_points_in_time():
    expected = timestamp_ns("2013-10-07T13:30:00Z")
    assert timestamp_ns(np.datetime64("2013-10-07T13:30")) == expected
    assert timestamp_ns(np.int64(expected)) == expected
    assert duration_ns(np.int32(5)) == 5
    with pytest.raises(ConfigError, match=r"NaT.*is not a point in time"):
        timestamp_ns(np.datetime64("NaT"))
