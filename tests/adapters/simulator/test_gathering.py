"""What the simulator replays: files, folders, catalogs, and a market that is made up."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyrt.adapters.alpaca.simulator.market.gathering import gather
from pyrt.adapters.alpaca.simulator.market.synthetic import (
    DEFAULT_START,
    PAIRS,
    STOCKS,
    make_market,
)
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.adapters.alpaca.simulator.streams.frames import Bar, CoinQuote, Quote, Trade
from pyrt.data import Catalog
from pyrt.errors import DataError
from tests.adapters.simulator.ticks import quotes, trades
from tests.minutes import START, minute_bars

MINUTE = 60_000_000_000


def write_bars(path: Path, symbol: str, count: int = 5) -> None:
    stamps = {"ts_event": START + MINUTE * np.arange(count)}
    stamps["ts_close"] = stamps["ts_event"] + MINUTE
    prices = dict.fromkeys(("open", "high", "low", "close", "volume"), 100.0)
    pd.DataFrame({**stamps, "symbol": symbol, **prices}).to_parquet(path)


def test_a_folder_is_every_file_of_market_data_in_it(tmp_path: Path) -> None:
    write_bars(tmp_path / "a.parquet", "SPY")
    write_bars(tmp_path / "b.parquet", "QQQ")
    write_bars(tmp_path / "c.parquet", "SPY")
    (tmp_path / "notes.csv").write_text("a,b\n1,2\n")
    rows = {"ts_event": [START], "symbol": "ES", "side": "B", "price": 1.0, "size": 1.0}
    pd.DataFrame({**rows, "action": "set", "flags": 0, "sequence": 1}).to_parquet(
        tmp_path / "d.parquet"
    )
    told: list[str] = []
    tables = gather(str(tmp_path), {}, told.append)
    assert [table.symbol for table in tables] == ["SPY", "QQQ", "ES"]
    assert len(told) == 2
    assert "c.parquet: SPY 1m bars are there already" in told[0]
    assert gather(str(tmp_path), {"symbol": ("QQQ",)})[0].symbol == "QQQ"


def test_files_named_one_by_one_must_not_hold_the_same_twice(tmp_path: Path) -> None:
    write_bars(tmp_path / "a.parquet", "SPY")
    path = str(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="two tables hold SPY 1m bars"):
        gather([path, path], {})
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no market data"):
        gather(str(tmp_path / "empty"), {})


def test_a_catalog_is_read_with_all_its_kinds(tmp_path: Path) -> None:
    catalog = Catalog(tmp_path / "catalog")
    prints = trades("QQQ", [(1.0, 10.0, 5.0), (2.0, 11.0, 5.0)])
    for table in (minute_bars("SPY", [100.0] * 5), quotes("IWM", 20), prints):
        catalog.write(table)
    tables = gather(str(tmp_path / "catalog"), {})
    assert {(table.symbol, table.kind) for table in tables} == {
        ("SPY", "bars"),
        ("IWM", "quotes"),
        ("QQQ", "trades"),
    }


def test_a_made_up_market_is_the_same_for_the_same_seed() -> None:
    first, second, other = (make_market(seed) for seed in (1, 1, 2))
    hashes = [
        [table.content_hash() for table in market.tables] for market in (first, second, other)
    ]
    assert hashes[0] == hashes[1] != hashes[2]
    assert {table.symbol for table in first.tables} == {*STOCKS, *PAIRS}
    core = make_core(first.tables, start=first.start)
    assert core.now >= DEFAULT_START
    while core.run(DEFAULT_START + 2 * MINUTE):
        continue
    kinds = {type(message) for message in core.take_messages()}
    assert kinds >= {Trade, Quote, Bar, CoinQuote}
    known = core.market.series["SPY"].known("bars", core.now)
    assert known > 4 * 390
    quote = core.market.series["SPY"].quote(core.now)
    assert quote is not None
    assert 0 < quote[1] - quote[0] < 0.2
