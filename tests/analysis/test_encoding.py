"""Packed columns come back as the browser reads them."""

from __future__ import annotations

import base64
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.analysis.encoding import pack_numbers, pack_texts, pack_times


def unpack(column: dict[str, Any]) -> np.ndarray:
    """What templates/columns.js does."""
    data = zlib.decompress(base64.b64decode(column["data"]))
    if column["kind"] == "f64":
        return np.frombuffer(data, "<f8")
    steps = np.frombuffer(data, "<i4").astype(np.int64)
    if column["kind"] == "time":
        return column["first"] + np.concatenate(([0], np.cumsum(steps * column["unit"])))
    return np.cumsum(steps) / 10.0 ** column["decimals"]


@settings(max_examples=100, deadline=None)
@given(st.lists(st.integers(-10_000_000, 10_000_000), min_size=1, max_size=50))
def test_prices_on_cents_come_back_exactly(cents: list[int]) -> None:
    prices = np.array(cents) / 100.0
    assert unpack(pack_numbers(prices)).tolist() == prices.tolist()


@settings(max_examples=100, deadline=None)
@given(st.lists(st.floats(-1e12, 1e12), min_size=1, max_size=50))
def test_other_numbers_keep_nine_digits_of_the_largest(values: list[float]) -> None:
    found = unpack(pack_numbers(values))
    bound = max(abs(value) for value in values)
    assert found == pytest.approx(values, abs=max(bound, 1e-300) * 1e-8 + 1e-9)


def test_gaps_repeat_the_value_before_them() -> None:
    assert unpack(pack_numbers([np.nan, 1.5, np.inf, 2.5])).tolist() == [0.0, 1.5, 1.5, 2.5]


@pytest.mark.parametrize(
    ("ts", "kind"),
    [
        ([60_000_000_000, 120_000_000_000, 300_000_000_000], "time"),
        ([1_500_000, 2_000_000], "f64"),
        ([5_000_000], "time"),
        ([0, 1_000_000, 4_000_000_000_001_000_000], "f64"),
        ([9_000_000, 3_000_000], "time"),
        ([], "f64"),
    ],
)
def test_times_come_back_as_milliseconds(ts: list[int], kind: str) -> None:
    column = pack_times(np.array(ts, dtype=np.int64))
    assert column["kind"] == kind
    assert unpack(column).tolist() == [stamp / 1e6 for stamp in ts]


def test_texts_are_codes_into_their_distinct_values() -> None:
    column = pack_texts(["b", "a", "b"])
    assert column["names"] == ["b", "a"]
    assert unpack(column["codes"]).tolist() == [0, 1, 0]


def test_a_minute_of_data_takes_few_bytes() -> None:
    prices = np.round(100 * np.exp(np.cumsum(np.random.default_rng(1).normal(0, 5e-4, 10_000))), 2)
    assert len(pack_numbers(prices)["data"]) < 2 * len(prices)
