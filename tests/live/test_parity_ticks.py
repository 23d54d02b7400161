"""Recorded prints and quotes: a strategy on ticks gives the same fills in both worlds."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt import Strategy, load
from pyrt.adapters.alpaca.simulator.session import make_core
from pyrt.core.times import timestamp_ns
from tests.live.worlds import backtested, lived

SECOND = 1_000_000_000


class Ticks(Strategy):
    """Rests just below the print, leaves when a ten-second bar ends, tidies up by a timer."""

    symbol: str = "SPY"
    every: int = 400

    def on_start(self):
        self.subscribe_trades(self.symbol)
        self.subscribe_bars(self.symbol, "10s")
        self.set_timer("tidy", "7s")
        self.count = 0

    def on_trade(self, trade):
        self.count += 1
        if self.count % self.every == 50 and self.position(self.symbol).is_flat:
            self.buy(self.symbol, 30, limit_price=round(trade.price - 0.01, 2))

    def on_bar(self, bar):
        if self.position(self.symbol).is_long:
            self.close(self.symbol)

    def on_timer(self, event):
        self.cancel_all(self.symbol)


def recorded(shared_data: Any, name: str, start: str, seconds: int) -> list[Any]:
    import pyarrow.parquet as pq

    first = timestamp_ns(start)
    span = [("ts_event", ">=", first), ("ts_event", "<", first + seconds * SECOND)]
    table = pq.read_table(shared_data / f"{name}.parquet", filters=span)
    frame = table.to_pandas()[["ts_event", "symbol", "price", "size"]]
    return load(frame, symbol=frame.symbol.iloc[0]).columns


@pytest.mark.parametrize("start", ["2013-10-07T13:35:00Z", "2013-10-09T17:00:00Z"])
def test_recorded_prints_trade_alike(shared_data, start):
    data = recorded(shared_data, "eq_trades_SPY_20131007_20131011", start, 60)
    expected = backtested([Ticks(every=60)], data)
    assert len(expected.fills) > 2
    live = lived([Ticks(every=60)], data)
    # On ticks a backtest writes one point of equity a second: the last may lie before the end.
    assert live.fills == expected.fills
    assert live.equity == live.account


class Banded(Strategy):
    """Enters in a slide, leaves by quotes; keeps what it is told of the state of trading."""

    def on_start(self):
        self.subscribe_trades("SPY")
        self.subscribe_quotes("SPY")
        self.told = []
        self.count = 0

    def on_trade(self, trade):
        self.count += 1
        if self.count % 60 == 10 and self.position("SPY").is_flat:
            self.buy("SPY", 10, limit_price=round(trade.price + 0.02, 2))
        elif self.count % 60 == 40 and self.position("SPY").is_long:
            self.close("SPY")

    def on_status(self, status):
        self.told.append((status.status, status.ts_event))


def test_price_bands_pause_alike_and_are_told_alike():
    rng = np.random.default_rng(3)
    opens = timestamp_ns("2024-01-02T14:30:00Z")
    times = np.sort(rng.integers(opens, opens + 1_500 * SECOND, 3_000))
    # Eight percent down between the fifth and the sixth minute.
    slide = np.clip((times - opens - 300 * SECOND) / (60 * SECOND), 0, 1)
    price = (100 * (1 - 0.08 * slide) + rng.normal(0, 0.01, len(times))).round(2)
    trades = pd.DataFrame({"ts_event": times, "symbol": "SPY", "price": price, "size": 100.0})
    quotes = pd.DataFrame({
        "ts_event": times + 1_000, "symbol": "SPY",
        "bid_price": (price - 0.01).round(2), "bid_size": 500.0,
        "ask_price": (price + 0.01).round(2), "ask_size": 500.0,
    })  # fmt: skip
    data = [*load(trades).columns, *load(quotes).columns]
    here, there = Banded(), Banded()
    expected = backtested([here], data, luld="tier1")
    assert {state for state, _ in here.told} >= {"limit_state", "halted", "trading"}
    assert len(expected.fills) > 10
    core = make_core(data, fees="alpaca", account="cash", luld="tier1")
    live = lived([there], data, core=core)
    assert live.differs_in(expected) == ""
    assert [state for state, _ in there.told] == [state for state, _ in here.told]


class Maker(Strategy):
    """Quotes beside the touch of a coin's book, and takes from time to time."""

    def on_start(self):
        self.subscribe_book("BTC/USD")
        self.count = 0

    def on_book(self, book):
        self.count += 1
        if self.count % 40 == 5 and self.position("BTC/USD").is_flat:
            self.buy("BTC/USD", "0.01", limit_price=round(book.best_bid, 2))
        elif self.count % 40 == 25:
            self.cancel_all("BTC/USD")
        elif self.count % 40 == 30 and self.position("BTC/USD").is_long:
            self.sell("BTC/USD", self.position("BTC/USD").quantity_exact)


def test_recorded_books_trade_alike(shared_data):
    """The simulator's venue matches on the recorded levels and prints, as a backtest's does."""
    data: list[Any] = []
    until = 0
    for kind in ("l2", "trades"):
        path = shared_data / f"crypto_{kind}_BTCUSDT_binance_spot_20240808_09.parquet"
        frame = pd.read_parquet(path)
        until = until or int(frame["ts_recv"].min()) + 60 * SECOND
        frame = frame[frame["ts_recv"] < until].assign(symbol="BTC/USD")
        data += load(frame).columns
    # Without fees: Alpaca does not tell makers from takers, and keeps its fees in coins.
    expected = backtested([Maker()], data, fees="none")
    assert len(expected.fills) > 10
    core = make_core(data, fees="none", account="cash")
    live = lived([Maker()], data, core=core, fees="none")
    assert live.differs_in(expected) == ""
