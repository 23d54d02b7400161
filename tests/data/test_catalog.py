"""A catalog returns what was written, by symbol and time, and says what it does not have."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pyrt.data import BarColumns, BookColumns, Catalog, QuoteColumns, TradeColumns, load
from pyrt.data.catalog import MARKER
from pyrt.data.columns import take
from pyrt.errors import ConfigError, DataError, UnknownName
from tests.data.tables import FIRST_NS, MINUTE_NS, assert_same_bars, minute_columns


def ticks(kind: str) -> QuoteColumns | TradeColumns | BookColumns:
    ts, one = FIRST_NS + np.arange(4), np.ones(4)
    sides = np.array([1, -1, 0, 1], np.int8)
    if kind == "quotes":
        missing = np.array([1.0, np.nan, 1.0, 1.0])
        return QuoteColumns("BTC/USD", ts, ts + 9, missing, np.nan_to_num(missing), one + 1, one)
    if kind == "trades":
        return TradeColumns("BTC/USD", ts, ts, one, one, sides)
    actions, flags = np.array([3, 4, 8, 5], np.int8), np.zeros(4, np.int32)
    return BookColumns("BTC/USD", ts, ts + 1, sides, one, one, actions, flags, ts, ts)


def test_bars_come_back_as_they_were_written(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.write(minute_columns(100))
    assert_same_bars(catalog.read("bars", "SPY"), minute_columns(100))
    assert_same_bars(Catalog(tmp_path).read("bars", "SPY", "60s"), minute_columns(100))


@pytest.mark.parametrize("kind", ["quotes", "trades", "book"])
def test_ticks_come_back_as_they_were_written(tmp_path: Path, kind: str) -> None:
    catalog = Catalog(tmp_path)
    path = catalog.write(ticks(kind))
    assert catalog.read(kind, "BTC/USD").content_hash() == ticks(kind).content_hash()
    assert load(path).columns[0].content_hash() == ticks(kind).content_hash()


def test_a_stored_file_loads_by_itself(tmp_path: Path) -> None:
    path = Catalog(tmp_path).write(minute_columns(100))
    assert_same_bars(load(path).columns[0], minute_columns(100))


def test_files_of_one_symbol_are_joined_in_order_of_time(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), minute_columns(100)
    for span in (slice(60, 100), slice(0, 25), slice(25, 60)):
        catalog.write(take(whole, span))
    assert_same_bars(catalog.read("bars", "SPY"), whole)
    assert [entry.start_ns for entry in catalog.entries()] == [
        whole.ts_init[0],
        whole.ts_init[25],
        whole.ts_init[60],
    ]


def test_files_with_and_without_arrival_times_are_joined(tmp_path: Path) -> None:
    catalog, late = Catalog(tmp_path), ticks("trades")
    catalog.write(late)
    later = TradeColumns(
        late.symbol, late.ts_event + 50, late.ts_init + 60, late.price, late.size, late.aggressor
    )
    catalog.write(later)
    stored = catalog.read("trades", "BTC/USD")
    np.testing.assert_array_equal(stored.ts_init, np.concatenate([late.ts_init, later.ts_init]))


def test_a_span_reads_bars_that_lie_in_it(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), minute_columns(100)
    catalog.write(take(whole, slice(0, 50)))
    catalog.write(take(whole, slice(50, 100)))
    start, end = FIRST_NS + 40 * MINUTE_NS, FIRST_NS + 60 * MINUTE_NS
    part = catalog.read("bars", "SPY", start=start, end=end)
    assert isinstance(part, BarColumns)
    assert_same_bars(part, take(whole, slice(40, 60)))
    with pytest.raises(DataError, match="no bars in that span"):
        catalog.read("bars", "SPY", start="2030-01-01")


def test_overlapping_rows_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    catalog, whole = Catalog(tmp_path), minute_columns(100)
    catalog.write(take(whole, slice(0, 50)))
    with pytest.raises(DataError, match="overlap"):
        catalog.write(take(whole, slice(49, 80)))
    assert len(catalog.entries()) == 1
    with pytest.raises(DataError, match="no rows"):
        catalog.write(take(whole, slice(0, 0)))


def test_unknown_names_are_answered_with_close_ones(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.write(minute_columns(10))
    with pytest.raises(UnknownName, match="Did you mean SPY"):
        catalog.read("bars", "SPYY")
    with pytest.raises(UnknownName, match=r"has no 5m bars of 'SPY'. Known are 1m"):
        catalog.read("bars", "SPY", "5m")
    with pytest.raises(UnknownName, match="has no quotes"):
        catalog.read("quotes", "SPY")


def test_two_timeframes_ask_which(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    catalog.write(minute_columns(10))
    ts = FIRST_NS + np.array([0, 10**15])
    one = np.ones(2)
    catalog.write(
        BarColumns("SPY", 3_600 * 10**9, "1h", ts, ts + 10, ts + 10, one, one, one, one, one)
    )
    with pytest.raises(ConfigError, match='Write timeframe="1h"'):
        catalog.read("bars", "SPY")
    assert catalog.read("bars", "SPY", "1m").timeframe == "1m"
    assert len(load(catalog)) == 2


def test_load_takes_a_catalog_or_its_path(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    for symbol in ("SPY", "QQQ"):
        catalog.write(minute_columns(20, symbol=symbol))
    assert [c.symbol for c in load(catalog).columns] == ["QQQ", "SPY"]
    assert [c.symbol for c in load(str(tmp_path), symbol="SPY").columns] == ["SPY"]
    with pytest.raises(UnknownName, match="Did you mean QQQ"):
        load(catalog, symbol="QQ")


def test_symbols_need_not_be_file_names(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path)
    path = catalog.write(minute_columns(5, symbol="../BTC/USD %"))
    assert path.is_relative_to(tmp_path)
    assert catalog.symbols() == ["../BTC/USD %"]
    assert len(catalog.read("bars", "../BTC/USD %")) == 5


def test_a_catalog_of_another_version_is_refused(tmp_path: Path) -> None:
    Catalog(tmp_path).write(minute_columns(5))
    (tmp_path / MARKER).write_text(json.dumps({"version": 99}))
    with pytest.raises(DataError, match="has version 99"):
        Catalog(tmp_path)


def test_a_write_that_fails_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import pyarrow.parquet as pq

    def fail(*args: object, **kwargs: object) -> None:
        Path(str(args[1])).write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(pq, "write_table", fail)
    with pytest.raises(OSError, match="disk full"):
        Catalog(tmp_path).write(minute_columns(5))
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] == [MARKER]
