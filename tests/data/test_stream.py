"""A Parquet stream gives the rows of a load in chunks, with the same checks, in bounded memory."""

from __future__ import annotations

import threading
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyrt.data import BarColumns, ParquetStream, QuoteColumns, load
from pyrt.data.columns import array_names
from pyrt.data.stream import READ_AHEAD
from pyrt.errors import ConfigError, DataError, UnknownName
from tests.data.tables import FIRST_NS, MINUTE_NS, minute_columns, minute_frame

ROWS = 5_000


@pytest.fixture(scope="module")
def bars_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stream") / "spy.parquet"
    minute_frame(ROWS).to_parquet(path, row_group_size=1_700)
    return path


def joined(stream: ParquetStream, name: str) -> np.ndarray:
    return np.concatenate([getattr(chunk, name) for chunk in stream])


def quotes(rows: int) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "ts_event": FIRST_NS + np.arange(rows) // 3,
            "symbol": np.where(np.arange(rows) % 5 == 0, "QQQ", "SPY"),
            "bid_price": 10.0 + np.arange(rows) % 7,
            "bid_size": 1.0,
            "ask_price": 11.0 + np.arange(rows) % 7,
            "ask_size": 2.0,
        }
    )


@pytest.mark.parametrize("chunk_rows", [1_000, 1_700, 3_000, 100_000])
def test_chunks_joined_are_the_table(bars_file: Path, chunk_rows: int) -> None:
    whole = minute_columns(ROWS)
    for name in array_names(whole):
        stream = ParquetStream(bars_file, symbol="SPY", label="open", chunk_rows=chunk_rows)
        np.testing.assert_array_equal(joined(stream, name), getattr(whole, name))


def test_the_content_hash_is_that_of_a_load_and_known_at_the_end(bars_file: Path) -> None:
    stream = ParquetStream(bars_file, symbol="SPY", label="open", chunk_rows=1_000)
    assert stream.next_chunk() is not None
    with pytest.raises(DataError, match="known at its end"):
        stream.content_hash()
    assert sum(len(chunk) for chunk in stream) == ROWS - 1_000
    assert stream.rows == ROWS
    assert stream.content_hash() == minute_columns(ROWS).content_hash()
    assert stream.next_chunk() is None


def test_a_closed_stream_ends_its_thread_and_has_no_hash(bars_file: Path) -> None:
    with ParquetStream(bars_file, symbol="SPY", label="open", chunk_rows=1_000) as stream:
        assert stream.next_chunk() is not None
    assert stream.next_chunk() is None
    assert not [t for t in threading.enumerate() if t.name == "pyrt-parquet"]
    with pytest.raises(DataError, match="known at its end"):
        stream.content_hash()


def test_reading_ahead_stops_when_enough_chunks_wait(tmp_path: Path) -> None:
    path = tmp_path / "long.parquet"
    minute_frame(40_000).to_parquet(path)
    stream = ParquetStream(path, symbol="SPY", label="open", chunk_rows=1_000)
    taken = stream.next_chunk()
    assert taken is not None
    for _ in range(200):
        if stream._queue.full():
            break
        threading.Event().wait(0.01)
    assert stream._queue.qsize() == READ_AHEAD
    stream.close()


@pytest.mark.parametrize("symbol", ["SPY", "QQQ"])
def test_one_symbol_is_taken_out_of_several(tmp_path: Path, symbol: str) -> None:
    path = tmp_path / "quotes.parquet"
    quotes(4_000).to_parquet(path, row_group_size=1_500)
    whole = load(path, symbol=symbol).columns[0]
    stream = ParquetStream(path, symbol=symbol, chunk_rows=1_000)
    assert all(isinstance(chunk, QuoteColumns) for chunk in stream)
    assert stream.content_hash() == whole.content_hash()


def test_several_symbols_without_a_choice_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "quotes.parquet"
    quotes(2_000).to_parquet(path)
    with pytest.raises(DataError, match="holds QQQ, SPY, and a stream is of one symbol"):
        ParquetStream(path).next_chunk()
    with pytest.raises(UnknownName, match="Did you mean SPY"):
        ParquetStream(path, symbol="SPYY").next_chunk()


def test_a_file_that_names_no_symbol_asks_for_one(bars_file: Path) -> None:
    with pytest.raises(DataError, match="does not say which symbol"):
        ParquetStream(bars_file, label="open").next_chunk()


def broken(rows: int, at: int, change: str) -> pd.DataFrame:
    frame = minute_frame(rows)
    if change == "duplicate":
        return frame.iloc[[*range(at), at - 1, *range(at, rows)]]
    if change == "back":
        return frame.iloc[[*range(at), at - 5, *range(at, rows)]]
    frame.iloc[at, frame.columns.get_loc("low")] = -1.0
    return frame


@pytest.mark.parametrize("at", [500, 999, 1_000, 1_001, 2_500])
@pytest.mark.parametrize("change", ["duplicate", "back", "negative"])
def test_a_fault_is_found_inside_a_chunk_and_at_its_border(
    tmp_path: Path, at: int, change: str
) -> None:
    path = tmp_path / "bad.parquet"
    broken(3_000, at, change).to_parquet(path)
    stream = ParquetStream(path, symbol="SPY", label="open", chunk_rows=1_000)
    with pytest.raises(DataError, match=rf"row {at}\b"):
        list(stream)
    assert stream.next_chunk() is None


def test_row_local_repairs_are_made_and_others_refused(tmp_path: Path, bars_file: Path) -> None:
    path = tmp_path / "bad.parquet"
    broken(3_000, 1_500, "negative").to_parquet(path)
    stream = ParquetStream(path, symbol="SPY", label="open", repair="drop_invalid")
    assert sum(len(chunk) for chunk in stream) == 2_999
    for repair in ("sort", "drop_duplicates", "ffill"):
        with pytest.raises(ConfigError, match="cannot repair"):
            ParquetStream(bars_file, symbol="SPY", repair=repair)


def test_what_a_stream_cannot_repair_it_does_not_advise(tmp_path: Path) -> None:
    path = tmp_path / "bad.parquet"
    broken(2_000, 700, "back").to_parquet(path)
    with pytest.raises(DataError, match='load the whole file with repair="sort"'):
        list(ParquetStream(path, symbol="SPY", label="open"))


@pytest.mark.parametrize("group", [1, 7, 390, 999])
def test_small_row_groups_are_joined_until_a_decision_has_its_rows(
    tmp_path: Path, group: int
) -> None:
    """A timeframe is never that of the first two rows alone: here they are a gap apart."""
    frame = minute_frame(2_500).drop(index=minute_frame(2_500).index[1:30])
    frame["symbol"] = "SPY"
    path = tmp_path / "small.parquet"
    frame.to_parquet(path, row_group_size=group)
    stream = ParquetStream(path, label="open", chunk_rows=1_200)
    chunks = list(stream)
    assert {len(chunk) >= 1_000 for chunk in chunks[:-1]} == {True}
    assert max(len(chunk) for chunk in chunks) <= 1_200
    whole = load(path, label="open").columns[0]
    assert stream.content_hash() == whole.content_hash()
    assert {chunk.timeframe for chunk in chunks if isinstance(chunk, BarColumns)} == {"1m"}


def test_what_the_first_chunk_decides_holds_for_all(tmp_path: Path) -> None:
    hours = pd.date_range("2030-01-01", periods=2_000, freq="h", tz="UTC")
    late = minute_frame(2_000).set_axis(hours)
    path = tmp_path / "mixed.parquet"
    pd.concat([minute_frame(1_000), late]).to_parquet(path)
    stream = ParquetStream(path, symbol="SPY", label="open", chunk_rows=1_000)
    chunks = list(stream)
    assert {c.timeframe for c in chunks if isinstance(c, BarColumns)} == {"1m"}


def test_files_follow_each_other_and_must_be_in_order(tmp_path: Path) -> None:
    frame = minute_frame(3_000)
    first, second = tmp_path / "a.parquet", tmp_path / "b.parquet"
    frame.iloc[:1_200].to_parquet(first)
    frame.iloc[1_200:].to_parquet(second)
    stream = ParquetStream([first, second], symbol="SPY", label="open")
    assert sum(len(chunk) for chunk in stream) == 3_000
    assert stream.content_hash() == minute_columns(3_000).content_hash()
    with pytest.raises(DataError, match=r"row 1800 .* comes before the end"):
        list(ParquetStream([second, first], symbol="SPY", label="open"))


@settings(max_examples=20, deadline=None)
@given(first=st.integers(-10, ROWS), count=st.integers(0, 2_000))
def test_a_span_is_that_of_a_load(bars_file: Path, first: int, count: int) -> None:
    start, end = FIRST_NS + first * MINUTE_NS, FIRST_NS + (first + count) * MINUTE_NS
    options = {"symbol": "SPY", "label": "open", "start": start, "end": end}
    loaded = load(bars_file, warmup_bars=0, **options).columns[0]
    stream = ParquetStream(bars_file, chunk_rows=1_000, **options)
    chunks = list(stream)
    assert sum(len(chunk) for chunk in chunks) == len(loaded)
    if chunks:
        assert stream.content_hash() == loaded.content_hash()


def test_a_missing_file_is_known_before_the_first_chunk(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match=r"there is no file .*none\.parquet\. .* has no files$"):
        ParquetStream(tmp_path / "none.parquet")
    with pytest.raises(ConfigError, match="too few"):
        ParquetStream([], chunk_rows=10)
