"""The ready strategies against the same rules written as loops."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pyrt import BacktestResult, backtest
from pyrt.indicators import RSI
from pyrt.strategies import BuyAndHold, RsiReversion, SmaCross


def walk(n: int, seed: int) -> pd.DataFrame:
    """Daily bars of a random walk, opens at the close before."""
    random = np.random.default_rng(seed)
    close = np.round(100 * np.exp(np.cumsum(random.normal(0.0004, 0.02, n))), 2)
    opens = np.concatenate([[100.0], close[:-1]])
    index = pd.date_range("2020-01-01", periods=n, freq="D", tz="UTC")
    return pd.DataFrame(
        {
            "open": opens,
            "high": np.maximum(opens, close) + 0.1,
            "low": np.minimum(opens, close) - 0.1,
            "close": close,
            "volume": 1e6,
        },
        index=index,
    )


def entries(result: BacktestResult) -> list[tuple[int, str]]:
    """Row of the bar at whose open each fill was made, and its side."""
    days = (result.fills["ts_event"] - pd.Timestamp("2020-01-01", tz="UTC")).dt.days
    return list(zip(days, result.fills["side"]))


def test_holding_buys_each_symbol_once_with_its_part() -> None:
    early, late = walk(120, 1), walk(120, 2).iloc[40:]
    result = backtest(
        BuyAndHold(symbols=("A", "B"), invested=0.9), {"A": early, "B": late}, label="open"
    )
    assert entries(result) == [(1, "buy"), (41, "buy")]
    first = result.fills.iloc[0]
    assert first["quantity"] == pytest.approx(0.45 * 100_000 / early["close"].iloc[0], abs=1e-8)
    equity = result.equity[result.fills["ts_event"].iloc[1]]
    second = result.fills.iloc[1]
    assert second["quantity"] == pytest.approx(0.45 * equity / late["close"].iloc[0], abs=1e-6)


@pytest.mark.parametrize("short", [False, True])
def test_the_cross_turns_where_pandas_says(short: bool) -> None:
    bars = walk(400, 3)
    result = backtest(
        SmaCross(symbol="A", fast=5, slow=20, short=short), bars, label="open", symbol="A"
    )
    gap = (bars["close"].rolling(5).mean() - bars["close"].rolling(20).mean()).to_numpy()
    stance, expected = 0, []
    for i in range(19, 399):
        wanted = 1 if gap[i] > 0 else -1 if short else 0
        if wanted != stance:
            expected.append((i + 1, "buy" if wanted > stance else "sell"))
            stance = wanted
    assert entries(result) == expected
    assert len(expected) > 10


def test_reversion_trades_weakness_above_the_trend() -> None:
    bars = walk(600, 5)
    closes = bars["close"].to_numpy()
    result = backtest(RsiReversion(symbol="A", trend=50), bars, label="open", symbol="A")
    rsi = RSI(2).batch(closes)
    mean = bars["close"].rolling(50).mean().to_numpy()
    held, expected = False, []
    for i in range(49, 599):
        if held and rsi[i] > 65:
            expected.append((i + 1, "sell"))
            held = False
        elif not held and rsi[i] < 10 and closes[i] > mean[i]:
            expected.append((i + 1, "buy"))
            held = True
    assert entries(result) == expected
    assert len(expected) > 10
