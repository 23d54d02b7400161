"""Columns: types and lengths are held, arrays are read-only, equal rows have equal hashes."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import pyrt.data
from pyrt.core.suggest import did_you_mean, suggest
from pyrt.data import QuoteColumns, TradeColumns
from pyrt.data.checks import count_off_grid, to_grid
from pyrt.data.columns import BookColumns, array_names, hasher_of, take
from pyrt.data.timeframe import format_timeframe, parse_timeframe
from pyrt.errors import ConfigError, DataError
from tests.data.tables import minute_columns


def quotes(rows: int = 5) -> QuoteColumns:
    ts = np.arange(rows, dtype=np.int64)
    size = np.ones(rows)
    return QuoteColumns("EURUSD", ts, ts, size, size, size + 1, size)


def test_arrays_are_contiguous_exact_and_read_only() -> None:
    ts = np.arange(10, dtype=np.int64)[::2]
    trades = TradeColumns("X", ts, ts, ts.astype(np.float32), ts, np.zeros(5, np.int8))
    assert trades.price.dtype == np.float64
    assert trades.size.dtype == np.float64
    for name in array_names(trades):
        array = getattr(trades, name)
        assert array.flags.c_contiguous
        assert not array.flags.writeable
    assert len(trades) == 5


def test_the_callers_array_stays_writable() -> None:
    ts = np.arange(5, dtype=np.int64)
    columns = TradeColumns("X", ts, ts, np.ones(5), np.ones(5), np.zeros(5, np.int8))
    ts[0] = -1
    assert columns.ts_event[0] == -1


@pytest.mark.parametrize(
    ("field", "value", "piece"),
    [
        ("ts_event", np.ones(5), "float64"),
        ("ts_event", np.zeros(5, "M8[ns]"), "datetime64"),
        ("bid_price", np.ones(4), "4 rows, others 5"),
        ("bid_price", np.ones((5, 1)), "2 dimensions"),
    ],
)
def test_columns_of_another_type_or_length_are_refused(
    field: str, value: np.ndarray, piece: str
) -> None:
    with pytest.raises(DataError, match=piece):
        dataclasses.replace(quotes(), **{field: value})


def test_a_timeframe_must_match_its_length_and_becomes_canonical() -> None:
    bars = minute_columns()
    assert dataclasses.replace(bars, timeframe="60s").timeframe == "1m"
    with pytest.raises(DataError, match="'1h' is not 60000000000 ns"):
        dataclasses.replace(bars, timeframe="1h")


def test_the_hash_is_that_of_the_documented_bytes() -> None:
    trades = TradeColumns(
        "AB",
        np.array([1, 2]),
        np.array([1, 3]),
        np.array([10.5, 11.0]),
        np.array([1.0, 0.0]),
        np.array([1, -1], np.int8),
    )
    expected = hashlib.blake2b(digest_size=32)

    def text(value: str) -> None:
        expected.update(len(value).to_bytes(8, "little") + value.encode())

    for value in ("trades", "AB", "", "2"):
        text(value)
    for name in ("ts_event", "ts_init", "price", "size", "aggressor"):
        text(name)
        array = getattr(trades, name)
        expected.update(hashlib.blake2b(array.tobytes(), digest_size=32).digest())
    assert trades.content_hash() == expected.digest()


@pytest.mark.parametrize("name", ["ts_open", "ts_close", "ts_init", "open", "close", "volume"])
def test_the_hash_changes_with_any_value_of_any_column(name: str) -> None:
    bars = minute_columns(100)
    changed = getattr(bars, name).copy()
    changed[57] += 1 if name.startswith("ts_") else 1e-9
    assert dataclasses.replace(bars, **{name: changed}).content_hash() != bars.content_hash()


def test_the_hash_changes_with_symbol_timeframe_order_and_length() -> None:
    bars = minute_columns(100)
    hashes = {
        bars.content_hash(),
        minute_columns(100, symbol="QQQ").content_hash(),
        dataclasses.replace(bars, timeframe_ns=120_000_000_000, timeframe="2m").content_hash(),
        take(bars, slice(0, 99)).content_hash(),
        take(bars, np.arange(99, -1, -1)).content_hash(),
    }
    assert len(hashes) == 5


def test_one_nan_and_one_zero_count_for_the_hash() -> None:
    odd = np.array([-np.nan, np.nan])
    assert np.signbit(odd[0])
    first = dataclasses.replace(quotes(2), bid_price=odd, bid_size=np.array([0.0, 0.0]))
    second = dataclasses.replace(
        quotes(2), bid_price=np.array([np.nan, np.nan]), bid_size=np.array([-0.0, 0.0])
    )
    assert first.content_hash() == second.content_hash()


@given(st.lists(st.integers(0, 200), max_size=4))
def test_a_hash_by_chunks_is_the_hash_of_the_whole(cuts: list[int]) -> None:
    bars = minute_columns(200)
    hasher = hasher_of(bars)
    edges = [0, *sorted(cuts), 200]
    for start, stop in itertools.pairwise(edges):
        part = take(bars, slice(start, stop))
        hasher.update(*(getattr(part, name) for name in array_names(part)))
    assert hasher.digest() == bars.content_hash()


def test_take_of_a_slice_is_a_view() -> None:
    bars = minute_columns(100)
    part = take(bars, slice(10, 20))
    assert np.shares_memory(part.close, bars.close)
    assert len(part) == 10


def test_book_columns_without_order_ids_have_no_such_array() -> None:
    ts, code, one = np.arange(3), np.zeros(3, np.int8), np.ones(3)
    book = BookColumns("X", ts, ts, code, one, one, code, np.zeros(3, np.int32), ts)
    assert "order_id" not in array_names(book)
    with_ids = dataclasses.replace(book, order_id=ts)
    assert with_ids.content_hash() != book.content_hash()


@example(4_503_599_627_370_491)
@given(st.integers(1, 2**53 - 1))
def test_a_price_of_whole_nanos_is_on_the_grid(nanos: int) -> None:
    price = np.array([nanos / 1e9])
    assert count_off_grid(price) == 0
    assert to_grid(price)[0] == price[0]


@given(st.integers(1, 4_000_000 * 10**9))
def test_the_next_float_is_off_the_grid(nanos: int) -> None:
    # Below 2**22 floats are spaced by less than 1e-9, so the neighbor is no multiple of it.
    assert count_off_grid(np.nextafter(np.array([nanos / 1e9]), np.inf)) == 1


def test_counting_off_the_grid_passes_over_nan_and_spans_blocks() -> None:
    prices = np.full(70_000, 1.25)
    prices[[3, 40_000]] = np.nan
    prices[[5, 69_999]] = 1 / 3
    assert count_off_grid(prices) == 2


@given(st.integers(1, 999_999), st.sampled_from("smhdw"))
def test_timeframes_round_trip_through_their_canonical_text(count: int, unit: str) -> None:
    seconds = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}[unit] * count
    if seconds <= 100 * 366 * 86_400:
        length = parse_timeframe(f"{count}{unit}")
        assert length == seconds * 10**9
        assert parse_timeframe(format_timeframe(length)) == length


@pytest.mark.parametrize("text", ["", "m", "0m", "1M", "1.5h", "-1d", "1 m", "01h", "1y", "99999w"])
def test_other_texts_are_no_timeframes(text: str) -> None:
    with pytest.raises(ConfigError, match="not a timeframe"):
        parse_timeframe(text)


@pytest.mark.parametrize("length", [0, -60, 1, 1_500_000_000])
def test_other_lengths_have_no_text(length: int) -> None:
    with pytest.raises(ConfigError, match="whole number of seconds"):
        format_timeframe(length)


def test_suggestions_ignore_case_and_fall_back_to_what_is_known() -> None:
    assert suggest("spy", ["SPY", "QQQ"]) == ["SPY"]
    assert did_you_mean("zzz", ["A", "B"]) == "Known are A, B"
    assert did_you_mean("zzz", [f"S{n}" for n in range(9)]).endswith("and 4 more")


def test_importing_the_package_loads_neither_pandas_nor_pyarrow() -> None:
    code = (
        "import sys, pyrt.data as d; [getattr(d, n) for n in d.__all__];"
        "print(sorted({'pandas', 'pyarrow', 'exchange_calendars'} & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def test_an_unknown_name_of_the_package_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'lode'"):
        _ = pyrt.data.lode
