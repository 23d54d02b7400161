"""Data read while the run goes on give the run of data loaded whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pyrt import BacktestEngine, Strategy
from pyrt.backtest import past
from pyrt.data import ParquetStream
from pyrt.errors import StrategyError

MINUTE = 60_000_000_000


def write_bars(path: Path, symbol: str, n: int, seed: int, *, skip: float = 0.0) -> Path:
    """Bars of one symbol; a share `skip` of the minutes has none."""
    rng = np.random.default_rng(seed)
    close = (100 + np.cumsum(rng.normal(0, 0.1, n))).round(2)
    ts = 1_600_000_020_000_000_000 + MINUTE * np.arange(n)
    frame = pd.DataFrame(
        {
            "ts_event": ts,
            "ts_close": ts + MINUTE,
            "symbol": symbol,
            "open": np.concatenate((close[:1], close[:-1])),
            "high": close + 0.5,
            "low": close - 0.5,
            "close": close,
            "volume": 1000.0,
        }
    )
    frame["high"] = frame[["open", "close", "high"]].max(axis=1)
    frame["low"] = frame[["open", "close", "low"]].min(axis=1)
    frame[rng.random(n) >= skip].to_parquet(path, index=False, row_group_size=777)
    return path


class Swing(Strategy):
    def on_start(self):
        for symbol in ("A", "B", "C"):
            self.subscribe_bars(symbol, "1m")
        self.subscribe_bars("A", "5m")

    def on_bar(self, bar):
        position = self.position(bar.symbol)
        if bar.close < bar.open and position.is_flat:
            self.buy(bar.symbol, 3, limit_price=round(bar.close - 0.05, 2), stop_loss=bar.close - 2)
        elif bar.close > bar.open + 0.1 and position.is_long:
            self.close(bar.symbol)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("bars")
    return [
        write_bars(folder / "a.parquet", "A", 5_000, 1),
        write_bars(folder / "b.parquet", "B", 3_000, 2, skip=0.4),
        write_bars(folder / "c.parquet", "C", 4_000, 3, skip=0.1),
    ]


def run(sources):
    engine = BacktestEngine()
    for source in sources:
        engine.add_data(source)
    engine.add_strategy(Swing())
    return engine.run()


def test_streams_and_tables_give_the_same_run(files):
    whole = run(files)
    streamed = run([ParquetStream(path, chunk_rows=1_000) for path in files])
    assert whole.summary["fills"] > 300
    assert streamed.run_hash == whole.run_hash
    assert streamed.events_processed == whole.events_processed
    pd.testing.assert_series_equal(streamed.equity, whole.equity)


def test_where_chunks_end_changes_nothing(files):
    hashes = {
        run([ParquetStream(path, chunk_rows=rows) for path in files]).run_hash
        for rows in (1_000, 1_333, 100_000)
    }
    assert len(hashes) == 1


class Prints(Strategy):
    def on_start(self):
        self.subscribe_trades("X")
        self.heard = []
        self.count = 0

    def on_trade(self, trade):
        self.count += 1
        if self.count % 50 == 0:
            if self.position("X").is_flat:
                self.buy("X", 5, limit_price=round(trade.price + 0.05, 2))
            else:
                self.close("X")

    def on_status(self, status):
        self.heard.append((status.status, status.ts_event))


def write_ticks(folder: Path) -> tuple[Path, Path]:
    """Three sessions of a stock that falls far enough for pauses; 2024-01-02 to 01-04."""
    rng = np.random.default_rng(7)
    pieces = []
    for day in range(3):
        opens = 1_704_205_800_000_000_000 + day * 86_400_000_000_000
        times = opens - 60_000_000_000 + np.sort(rng.integers(0, 1_500_000_000_000, 4_000))
        # A slide of 8 % between the 5th and the 6th minute, and noise.
        slide = np.clip((times - opens - 300_000_000_000) / 60_000_000_000, 0, 1)
        price = 50 * (1 - 0.08 * slide) + rng.normal(0, 0.01, len(times))
        pieces.append(pd.DataFrame({"ts_event": times, "price": price.round(2)}))
    ticks = pd.concat(pieces, ignore_index=True).assign(symbol="X", size=100.0)
    quotes = pd.DataFrame({
        "ts_event": ticks["ts_event"] + 1, "symbol": "X",
        "bid_price": (ticks["price"] - 0.01).round(2), "bid_size": 500.0,
        "ask_price": (ticks["price"] + 0.01).round(2), "ask_size": 500.0,
    })  # fmt: skip
    paths = folder / "trades.parquet", folder / "quotes.parquet"
    for path, table in zip(paths, (ticks, quotes), strict=True):
        table.to_parquet(path, index=False, row_group_size=900)
    return paths


def test_price_bands_of_streams_are_those_of_tables(tmp_path: Path) -> None:
    trades, quotes = write_ticks(tmp_path)
    runs = []
    for streamed in (False, True):
        engine = BacktestEngine()
        engine.add_venue("sim", luld="tier1")
        for path in (trades, quotes):
            engine.add_data(ParquetStream(path, chunk_rows=1_000) if streamed else str(path))
        strategy = engine.add_strategy(Prints())
        runs.append((engine.run(progress=False), strategy.heard))
    (whole, heard), (chunks, heard_too) = runs
    assert heard_too == heard
    assert {status for status, _ in heard} >= {"limit_state", "halted", "trading"}
    assert len(whole.fills) > 20
    pd.testing.assert_frame_equal(whole.fills, chunks.fills)
    assert chunks.run_hash == whole.run_hash


class LooksBack(Strategy):
    """Asks at some bars for the ones before."""

    bars: int = 3

    def on_start(self):
        self.subscribe_bars("A", "1m")
        self.count = 0
        self.found = []

    def on_bar(self, bar):
        self.count += 1
        if self.count in (100, 999, 1_000, 1_001, 2_500, 5_000):
            self.request_history("A", "1m", self.bars, self.take)

    def take(self, bars):
        self.found.append((self.count, [(b.ts_event, b.open, b.close) for b in bars]))


def looking_back(source, bars=3):
    engine = BacktestEngine()
    engine.add_data(source)
    strategy = engine.add_strategy(LooksBack(bars=bars))
    engine.run()
    return strategy.found


@pytest.mark.parametrize("bars", [3, 1_800])
def test_strategies_look_back_on_streamed_bars_as_on_tables(files, bars, monkeypatch):
    monkeypatch.setattr(past, "KEPT_BARS", 1_800)
    found = looking_back(files[0], bars)
    assert [len(rows) for _, rows in found] == [min(bars, count) for count, _ in found]
    assert len(found) == 6
    for chunk_rows in (1_000, 1_333, 100_000):
        assert looking_back(ParquetStream(files[0], chunk_rows=chunk_rows), bars) == found


@pytest.mark.parametrize("chunk_rows", [1_000, 100_000])
def test_streamed_bars_that_are_gone_are_refused_and_not_left_out(files, chunk_rows, monkeypatch):
    monkeypatch.setattr(past, "KEPT_BARS", 1_800)
    with pytest.raises(StrategyError, match="last 1,800 are kept"):
        looking_back(ParquetStream(files[0], chunk_rows=chunk_rows), 1_801)
