"""Recorded market data of every kind load, and agree with what is known about them."""

from __future__ import annotations

import json

import numpy as np
import pyarrow.parquet as pq
import pytest

from pyrt.data import BarColumns, BookColumns, ParquetStream, QuoteColumns, TradeColumns, load
from pyrt.errors import DataError
from tests.recorded import RECORDED, recorded

KINDS = {
    "_trades_": (TradeColumns, {}),
    "_quotes_": (QuoteColumns, {}),
    "_l2_": (BookColumns, {}),
    "_mbo_": (BookColumns, {}),
    "lob_orders": (BookColumns, {}),
    "_bars_": (BarColumns, {}),
    "close_1d": (BarColumns, {"kind": "closes"}),
    "_quotebars_": (BarColumns, {"price": "mid", "repair": "drop_nan"}),
}
FILES = sorted(path.name for path in RECORDED.glob("*.parquet"))


def options_of(name: str) -> tuple[type, dict[str, str]] | None:
    return next((found for part, found in KINDS.items() if part in name), None)


@pytest.mark.parametrize("name", FILES or ["eq_bars_1m.parquet"])
def test_every_recorded_file_loads_or_says_that_it_holds_no_events(name: str) -> None:
    path = recorded(name)
    found = options_of(name)
    if found is None:
        with pytest.raises(DataError, match="fit neither bars"):
            load(path)
        return
    kind, options = found
    loaded = load(path, **options)
    assert all(isinstance(columns, kind) for columns in loaded.columns)
    dropped = loaded.provenance["repairs"].get("drop_nan", 0)
    assert loaded.provenance["rows"] + dropped == pq.read_metadata(path).num_rows
    assert json.loads(json.dumps(loaded.provenance)) == loaded.provenance


def test_daily_bars_of_the_calendar_have_no_gap_and_end_at_16() -> None:
    path = recorded("eq_bars_1d_1998_2021.parquet")
    spy = load(path, symbol="SPY", calendar="XNYS")
    assert spy.provenance["gaps"] == 0
    bars = spy.columns[0]
    lengths, counts = np.unique((bars.ts_close - bars.ts_open) / 3.6e12, return_counts=True)
    assert lengths[np.argmax(counts)] == 6.5
    # QQQ traded under another name from 2004-12-01 to 2011-03-22.
    assert load(path, symbol="QQQ", calendar="XNYS").provenance["gaps"] == 1


@pytest.mark.parametrize("ends", ["ts_event", "ts_close"])
@pytest.mark.parametrize("calendar", [None, "XNYS"])
def test_the_label_of_recorded_minutes_is_read_off_their_sessions(
    ends: str, calendar: str | None
) -> None:
    path = recorded("eq_bars_1m_5us_20181112_20181121.parquet")
    table = pq.read_table(path)
    names = ["ts_event" if name == ends else name for name in table.column_names]
    other = "ts_close" if ends == "ts_event" else "ts_event"
    index = table.column_names.index(other)
    relabeled = table.rename_columns(names).remove_column(index)
    truth, read = load(path), load(relabeled, calendar=calendar)
    assert read.provenance["label"] == ("open" if ends == "ts_event" else "close")
    for expected, actual in zip(truth.columns, read.columns, strict=True):
        assert actual.content_hash() == expected.content_hash()


@pytest.mark.parametrize(
    "name", ["eq_bars_1m", "crypto_bars_1m_BTCPERP_202201", "eq_bars_1h_1998_2021"]
)
def test_a_label_that_recorded_stamps_do_not_show_is_asked_for(name: str) -> None:
    table = pq.read_table(recorded(f"{name}.parquet")).drop_columns(["ts_close"])
    with pytest.raises(DataError, match='write label="open"'):
        load(table)


def test_a_stream_of_recorded_quotes_has_the_hash_of_the_load() -> None:
    path = recorded("eq_quotes_BAC_20131007_20131011.parquet")
    stream = ParquetStream(path)
    rows = sum(len(chunk) for chunk in stream)
    loaded = load(path)
    assert rows == len(loaded.columns[0]) == 1_375_574
    assert stream.content_hash() == loaded.columns[0].content_hash()
    record = loaded.provenance["tables"][0]
    assert (record["crossed"], record["one_sided"]) == (75, 1)
