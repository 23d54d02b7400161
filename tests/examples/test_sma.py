"""The two crosses against the same rules written with pandas and a loop."""

from __future__ import annotations

import pandas as pd
import pytest

from .loading import daily, example
from .paper import Paper, assert_same_fills


def signals(bars: pd.DataFrame, fast: int, slow: int) -> pd.Series:
    """True where the fast average is above the slow one, NaN while either is not there."""
    means = [bars["close"].rolling(n).mean() for n in (fast, slow)]
    return (means[0] - means[1]).dropna()


def test_the_cross_trades_where_pandas_says() -> None:
    result = example("sma_cross").run()
    bars = daily("GOOG")
    dates = [f"{date:%Y-%m-%d}" for date in bars.index]
    gap = signals(bars, 50, 200).reindex(bars.index)
    paper = Paper()
    for i in range(1, len(bars)):
        before = gap.iloc[i - 1]
        if before > 0 and paper.held("GOOG") == 0:
            paper.trade(dates[i], "GOOG", 100.0, bars["open"].iloc[i])
        elif before < 0 and paper.held("GOOG") > 0:
            paper.trade(dates[i], "GOOG", -100.0, bars["open"].iloc[i])
    assert_same_fills(result, paper)
    assert len(paper.fills) == 11
    closes = {"GOOG": bars["close"].iloc[-1]}
    assert result.summary["final_equity"] == pytest.approx(paper.equity(closes), abs=1e-6)
    assert result.summary["final_equity"] == pytest.approx(121_797.0, abs=1e-6)


def all_in(symbol: str, *, hold: bool) -> tuple[Paper, float]:
    """Buy 0.95 of the equity in whole shares: once, or while the fast average is above."""
    bars = daily(symbol, adjusted=True)
    gap = signals(bars, 50, 200).reindex(bars.index)
    closes, opens = bars["close"].to_numpy(), bars["open"].to_numpy()
    paper = Paper(slippage=2e-4, per_share=0.005, minimum=1.0)
    first = int(bars.index.searchsorted(pd.Timestamp("2005-08-01")))
    for i in range(first + 1, len(bars)):
        date, held = f"{bars.index[i]:%Y-%m-%d}", paper.held(symbol)
        wanted = hold or gap.iloc[i - 1] > 0
        if wanted and held == 0:
            budget = 0.95 * paper.equity({symbol: closes[i - 1]})
            paper.trade(date, symbol, float(int(budget / closes[i - 1])), opens[i])
        elif held and not wanted:
            paper.trade(date, symbol, -held, opens[i])
    return paper, paper.equity({symbol: closes[-1]})


@pytest.mark.parametrize("symbol", ["AAPL", "GOOG", "IBM", "MSFT"])
def test_cross_and_hold_come_out_as_a_loop_says(symbol: str) -> None:
    ((cross, hold),) = example("sma_50_200").run(symbols=(symbol,)).values()
    for result, hold_it in ((cross, False), (hold, True)):
        paper, equity = all_in(symbol, hold=hold_it)
        assert_same_fills(result, paper)
        assert result.summary["final_equity"] == pytest.approx(equity, rel=1e-8)
        assert result.summary["start"].startswith("2005-08-01T20:00")


def test_the_table_states_the_result_as_it_came_out() -> None:
    module = example("sma_50_200")
    table = module.table(module.run(symbols=("GOOG",)))
    assert table.splitlines()[2].split() == [
        *("GOOG", "6.2%", "13.9%", "41.0%", "64.0%", "0.39", "0.56", "5"),
    ]
