"""The same bars give the same columns and hash, whatever container they come in."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pyrt.data import BarColumns, load
from pyrt.errors import DataError, UnknownName
from tests.data.tables import (
    FIRST_NS,
    MINUTE_NS,
    assert_same_bars,
    minute_columns,
    minute_frame,
)

NEW_YORK = "America/New_York"


def title_case(frame: pd.DataFrame) -> object:
    return frame.rename(columns=str.title).rename_axis("Datetime")


def yfinance_wide(frame: pd.DataFrame) -> object:
    wide = pd.concat({"SPY": frame.rename(columns=str.title)}, axis=1).swaplevel(axis=1)
    wide.columns.names = ["Price", "Ticker"]
    return wide.tz_convert(NEW_YORK)


def alpaca_df(frame: pd.DataFrame) -> object:
    frame = frame.assign(trade_count=3.0, vwap=frame["close"])
    return pd.concat({"SPY": frame}, names=["symbol", "timestamp"])


def integer_columns(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.reset_index(drop=True).assign(
        ts_event=FIRST_NS + MINUTE_NS * np.arange(len(frame)), symbol="SPY"
    )


def with_close(frame: pd.DataFrame) -> pd.DataFrame:
    table = integer_columns(frame)
    return table.assign(ts_close=table["ts_event"] + MINUTE_NS)


def in_unit(unit: str):
    def convert(frame: pd.DataFrame) -> object:
        return frame.set_axis(frame.index.as_unit(unit))

    return convert


FRAMES = {
    "lower case, UTC index": lambda f: f,
    "title case, index called Datetime": title_case,
    "upper case": lambda f: f.rename(columns=str.upper),
    "New York index": lambda f: f.tz_convert(NEW_YORK),
    "unnamed index": lambda f: f.rename_axis(None),
    "timestamp column": lambda f: f.reset_index(),
    "long with Ticker and Date-time": lambda f: f.reset_index(names="Date_Time").assign(
        Ticker="SPY"
    ),
    "integer nanoseconds and symbol": integer_columns,
    "ts_event and ts_close": with_close,
    "extra columns": lambda f: f.assign(note="x", RSI=50.0),
    "columns in another order": lambda f: f[["volume", "close", "low", "high", "open"]],
    "one block of floats": lambda f: pd.DataFrame(f.to_numpy(), index=f.index, columns=f.columns),
    "seconds": in_unit("s"),
    "milliseconds": in_unit("ms"),
    "microseconds": in_unit("us"),
    "ISO text": lambda f: f.set_axis(
        pd.Index([t.isoformat() for t in f.index], dtype=object)
    ).rename_axis("timestamp"),
    "objects of one zone": lambda f: f.set_axis(
        pd.Index(list(f.index), dtype=object, name="timestamp")
    ),
    "Decimal prices": lambda f: f.assign(close=[Decimal(str(p)) for p in f["close"]]),
    "nullable numbers": lambda f: f.convert_dtypes(),
    "Arrow-backed numbers": lambda f: f.reset_index().convert_dtypes(dtype_backend="pyarrow"),
    "Alpaca": alpaca_df,
    "yfinance": yfinance_wide,
    "dict": lambda f: {"SPY": f},
    "dict of arrow": lambda f: {"SPY": pa.Table.from_pandas(f)},
    "Arrow with pandas' index": lambda f: pa.Table.from_pandas(f),
    "Arrow in chunks": lambda f: pa.concat_tables(
        [pa.Table.from_pandas(f.iloc[:7]), pa.Table.from_pandas(f.iloc[7:])]
    ),
    "Arrow of integers": lambda f: pa.Table.from_pandas(integer_columns(f)),
    "columns": lambda f: minute_columns(len(f)),
    "list of columns": lambda f: [minute_columns(len(f))],
}


@pytest.mark.parametrize("form", FRAMES)
def test_a_container_gives_the_same_columns_and_hash(form: str) -> None:
    data = FRAMES[form](minute_frame())
    label = None if form == "ts_event and ts_close" else "open"
    loaded = load(data, default_symbol="SPY", label=label)
    assert len(loaded) == 1
    assert_same_bars(loaded.columns[0], minute_columns())


def test_bars_as_alpaca_answers_them_are_known_to_be_stamped_at_their_open() -> None:
    letters = {"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"}
    answer = minute_frame().rename(columns=letters).rename_axis("t").reset_index()
    answer["t"] = answer["t"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    answer["n"], answer["vw"] = 12, 1.5
    assert_same_bars(load(answer, symbol="SPY").columns[0], minute_columns())
    assert_same_bars(
        load(answer[list("tohlcv")], symbol="SPY", label="open").columns[0], minute_columns()
    )


FILES = {
    "bars.parquet": lambda f, p: f.to_parquet(p),
    "plain.parquet": lambda f, p: integer_columns(f).to_parquet(p, index=False),
    "groups.parquet": lambda f, p: pq.write_table(pa.Table.from_pandas(f), p, row_group_size=7),
    "bars.csv": lambda f, p: f.to_csv(p),
    "unnamed.csv": lambda f, p: f.rename_axis(None).to_csv(p),
    "numbered.csv": lambda f, p: f.reset_index().to_csv(p),
    "packed.csv.gz": lambda f, p: f.to_csv(p),
    "integers.csv": lambda f, p: integer_columns(f).to_csv(p, index=False),
}


@pytest.mark.parametrize("name", FILES)
def test_a_file_gives_the_same_columns_and_hash(name: str, tmp_path: Path) -> None:
    path = tmp_path / name
    FILES[name](minute_frame(), path)
    for given in (path, str(path), [path]):
        loaded = load(given, default_symbol="SPY", label="open")
        assert_same_bars(loaded.columns[0], minute_columns())


def test_a_directory_of_files_is_one_table_in_order_of_names(tmp_path: Path) -> None:
    frame = minute_frame()
    frame.iloc[:10].to_parquet(tmp_path / "2024-01.parquet")
    frame.iloc[10:].to_parquet(tmp_path / "2024-02.parquet")
    for given in (tmp_path, [tmp_path / "2024-01.parquet", tmp_path / "2024-02.parquet"]):
        loaded = load(given, symbol="SPY", label="open")
        assert_same_bars(loaded.columns[0], minute_columns())


def test_a_pattern_takes_the_files_that_fit_it_alone(tmp_path: Path) -> None:
    frame = minute_frame()
    frame.iloc[10:].to_parquet(tmp_path / "bars-SPY-2.parquet")
    frame.iloc[:10].to_parquet(tmp_path / "bars-SPY-1.parquet")
    frame.to_parquet(tmp_path / "quotes-SPY-1.parquet")
    loaded = load(tmp_path / "bars-SPY*.parquet", symbol="SPY", label="open")
    assert_same_bars(loaded.columns[0], minute_columns())
    with pytest.raises(UnknownName, match=r"no file .*trades-\*"):
        load(tmp_path / "trades-*.parquet", symbol="SPY", label="open")


def test_files_in_the_wrong_order_are_unsorted_rows(tmp_path: Path) -> None:
    frame = minute_frame()
    frame.iloc[10:].to_parquet(tmp_path / "a.parquet")
    frame.iloc[:10].to_parquet(tmp_path / "b.parquet")
    with pytest.raises(DataError, match=r"row 20: .*repair=\"sort\""):
        load(tmp_path, symbol="SPY", label="open")


@pytest.mark.parametrize("interleaved", [False, True])
def test_a_long_frame_is_split_by_symbol_in_order_of_appearance(interleaved: bool) -> None:
    parts = [minute_frame(20, seed).assign(symbol=s) for seed, s in ((1, "SPY"), (2, "AAPL"))]
    long = pd.concat(parts)
    if interleaved:
        long = long.sort_index(kind="stable")
    loaded = load(long, label="open")
    assert [c.symbol for c in loaded.columns] == ["SPY", "AAPL"]
    assert_same_bars(loaded.columns[0], minute_columns(20, 1, "SPY"))
    assert_same_bars(loaded.columns[1], minute_columns(20, 2, "AAPL"))


def test_symbol_keeps_those_asked_for() -> None:
    parts = [minute_frame(20, n).assign(symbol=s) for n, s in enumerate(("A", "B", "C"))]
    loaded = load(pd.concat(parts), label="open", symbol=["C", "A"])
    assert [c.symbol for c in loaded.columns] == ["A", "C"]
    as_dict = {s: minute_frame(20, n) for n, s in enumerate(("A", "B", "C"))}
    assert [c.symbol for c in load(as_dict, label="open", symbol="B").columns] == ["B"]


@pytest.mark.parametrize("as_dict", [False, True])
def test_an_unknown_symbol_is_answered_with_close_names(as_dict: bool) -> None:
    frames = {s: minute_frame(5) for s in ("AAPL", "MSFT")}
    data = frames if as_dict else pd.concat([f.assign(symbol=s) for s, f in frames.items()])
    with pytest.raises(UnknownName, match="Did you mean AAPL"):
        load(data, label="open", symbol="APPL")


def test_a_wide_frame_has_no_row_where_a_symbol_has_none() -> None:
    late = minute_frame().iloc[10:]
    wide = pd.concat({"SPY": minute_frame(), "NEW": late}, axis=1)
    loaded = load(wide, label="open")
    assert [len(c) for c in loaded.columns] == [30, 20]
    assert loaded.columns[1].ts_open[0] == FIRST_NS + 10 * MINUTE_NS


def test_row_numbers_of_a_wide_frame_are_those_of_the_frame() -> None:
    bad = minute_frame().iloc[10:].copy()
    bad.iloc[2, bad.columns.get_loc("low")] = -1.0
    wide = pd.concat({"SPY": minute_frame(), "NEW": bad}, axis=1)
    with pytest.raises(DataError, match=r"row 12: not above zero \(low=-1\.0\)"):
        load(wide, label="open")


def test_a_table_without_a_symbol_asks_for_one() -> None:
    with pytest.raises(DataError, match='Write symbol="SPY"'):
        load(minute_frame(), label="open")


def test_two_tables_of_one_stream_are_refused() -> None:
    with pytest.raises(DataError, match="two tables hold 1m bars of SPY"):
        load([minute_columns(), minute_columns()])


def test_a_dict_entry_of_several_symbols_is_refused() -> None:
    both = pd.concat([minute_frame(5).assign(symbol=s) for s in "AB"])
    with pytest.raises(DataError, match="its symbol column holds A, B"):
        load({"A": both}, label="open")


def test_columns_are_views_of_a_frame_and_read_only() -> None:
    frame = minute_frame(1_000)
    columns = load(frame, symbol="SPY", label="open").columns[0]
    assert isinstance(columns, BarColumns)
    assert np.shares_memory(columns.close, frame["close"].to_numpy())
    with pytest.raises(ValueError, match="read-only"):
        columns.close[0] = 1.0


def test_missing_volume_is_zero_and_said_so() -> None:
    loaded = load(minute_frame().drop(columns="volume"), symbol="SPY", label="open")
    assert not loaded.columns[0].volume.any()
    assert loaded.provenance["tables"][0]["volume"] == "there is none; zeros"


def test_adjusted_close_is_ignored_unless_asked_for() -> None:
    frame = minute_frame().rename(columns=str.title)
    frame["Adj Close"] = frame["Close"] / 2
    raw = load(frame, symbol="SPY", label="open")
    assert_same_bars(raw.columns[0], minute_columns())
    assert "not used" in raw.provenance["adjustment"]
    halved = load(frame, symbol="SPY", label="open", adjusted=True)
    np.testing.assert_array_equal(halved.columns[0].close, minute_columns().close / 2)
    np.testing.assert_allclose(halved.columns[0].high, minute_columns().high / 2, rtol=1e-15)
    assert halved.provenance["adjustment"] == "splits and dividends (column adj_close)"


def test_a_missing_file_is_answered_with_close_names(tmp_path: Path) -> None:
    minute_frame().to_parquet(tmp_path / "spy_1m.parquet")
    with pytest.raises(UnknownName, match=r"Did you mean spy_1m\.parquet"):
        load(tmp_path / "spy_1min.parquet")


def test_a_file_that_is_no_parquet_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing more")
    with pytest.raises(DataError, match=r"broken\.parquet cannot be read"):
        load(tmp_path / "broken.parquet")
    (tmp_path / "bars.xlsx").write_bytes(b"")
    with pytest.raises(DataError, match="neither Parquet nor CSV"):
        load(tmp_path / "bars.xlsx")


def test_an_object_that_is_no_table_says_what_to_give() -> None:
    with pytest.raises(DataError, match="Give a DataFrame, a dict of symbol"):
        load(3)
    with pytest.raises(DataError, match="list of tables is empty"):
        load([])


def test_a_dict_of_columns_is_no_dict_of_symbols() -> None:
    records = minute_frame(3).reset_index(names="timestamp")
    for given in (records.to_dict("list"), records.to_dict("records")):
        with pytest.raises(DataError, match=r"columns as its keys.*pandas\.DataFrame"):
            load(given, symbol="SPY")


@pytest.mark.parametrize(
    ("write", "remedy"),
    [
        ({"sep": ";"}, "Separate the fields with commas"),
        ({"sep": "\t"}, "Separate the fields with commas"),
        ({"header": False}, "The first line holds values"),
    ],
)
def test_a_text_file_of_another_form_says_which(
    write: dict[str, Any], remedy: str, tmp_path: Path
) -> None:
    minute_frame(5).to_csv(tmp_path / "bars.csv", index_label="timestamp", **write)
    with pytest.raises(DataError, match=remedy):
        load(tmp_path / "bars.csv", symbol="SPY")


def test_what_was_loaded_is_data() -> None:
    frame = pd.DataFrame({"ts_event": FIRST_NS + np.arange(3), "price": 1.0, "size": 2.0})
    once = load(frame, symbol="SPY")
    for again in (load(once), load([once])):
        assert [table.symbol for table in again.columns] == ["SPY"]
        assert again.columns[0].price.tolist() == [1.0, 1.0, 1.0]
