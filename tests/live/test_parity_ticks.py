"""Recorded prints and quotes: a strategy on ticks gives the same fills in both worlds."""

from __future__ import annotations

from typing import Any

import pytest

from pyrt import Strategy, load
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
