"""Days under Alpaca's rules: a listed stock's is its session, a coin's is the day of UTC."""

from __future__ import annotations

import pandas as pd

from pyrt import Strategy, backtest

DAYS = ("2024-11-26", "2024-11-27", "2024-11-29", "2024-12-02")


class Listens(Strategy):
    symbol: str = "SPY"

    def on_start(self) -> None:
        self.subscribe_bars(self.symbol, "1d")
        self.ends: list[str] = []

    def on_bar(self, bar) -> None:
        self.ends.append(pd.Timestamp(bar.ts_event, unit="ns").isoformat())
        if len(self.ends) == 1:
            self.buy(self.symbol, 1)


def days(dates) -> pd.DataFrame:
    index = pd.DatetimeIndex(dates)
    return pd.DataFrame(
        {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 1e6}, index=index
    )


def test_a_day_ends_with_its_session_and_half_days_end_early():
    listens = Listens()
    result = backtest(listens, {"SPY": days(DAYS)}, venue="alpaca", progress=False)
    assert listens.ends == [
        "2024-11-26T21:00:00",
        "2024-11-27T21:00:00",
        "2024-11-29T18:00:00",
        "2024-12-02T21:00:00",
    ]
    # What is ordered after a close waits for the next session's open.
    assert list(result.fills["ts_event"]) == [pd.Timestamp("2024-11-27T14:30Z")]


def test_a_coin_s_day_ends_at_midnight():
    listens = Listens(symbol="BTC/USD")
    dates = ("2024-11-29", "2024-11-30", "2024-12-01")
    backtest(listens, {"BTC/USD": days(dates)}, venue="alpaca", label="open", progress=False)
    assert listens.ends == ["2024-11-30T00:00:00", "2024-12-01T00:00:00", "2024-12-02T00:00:00"]


def test_days_that_are_no_sessions_are_kept():
    listens = Listens()
    dates = ("2024-11-27", "2024-11-28", "2024-11-29")
    backtest(listens, {"SPY": days(dates)}, venue="alpaca", label="open", progress=False)
    assert listens.ends == ["2024-11-28T00:00:00", "2024-11-29T00:00:00", "2024-11-30T00:00:00"]
