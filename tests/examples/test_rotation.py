"""Rotation against the same rules in a loop over one table of all symbols."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from .loading import daily, example
from .paper import Paper, assert_same_fills

SYMBOLS = ("AAPL", "GOOG", "IBM", "MSFT")
SHARE = 0.96 / 2


def rotate() -> tuple[Paper, dict[str, float]]:
    """Sell on a month's second session what is too much, buy on its third what is too little."""
    tables = {symbol: daily(symbol, adjusted=True) for symbol in SYMBOLS}
    dates = pd.DatetimeIndex(tables["GOOG"].index)
    opens, closes = (
        pd.DataFrame({s: t[column].reindex(dates) for s, t in tables.items()})
        for column in ("open", "close")
    )
    means = pd.DataFrame(
        {s: t["close"].rolling(126).mean().reindex(dates) for s, t in tables.items()}
    )
    paper = Paper(slippage=2e-4, per_share=0.005, minimum=1.0)
    chosen: list[str] = []
    session = 0
    for i in range(len(dates) - 1):
        new_month = i == 0 or dates[i].month != dates[i - 1].month
        session = 1 if new_month else session + 1
        today = closes.iloc[i].to_dict()
        equity = paper.equity(today)
        target = {s: np.floor(SHARE * equity / today[s] * 1e9) / 1e9 for s in SYMBOLS}
        orders: dict[str, float] = {}
        if session == 1:
            strength = (closes.iloc[i] / means.iloc[i]).dropna()
            chosen = sorted(strength.index, key=lambda s: -strength[s])[:2]
            for s in SYMBOLS:
                if s not in chosen:
                    orders[s] = -paper.held(s)
                elif paper.held(s) * today[s] > SHARE * equity:
                    orders[s] = target[s] - paper.held(s)
        elif session == 2:
            orders = {s: target[s] - paper.held(s) for s in chosen}
        for s, change in orders.items():
            if change:
                paper.trade(f"{dates[i + 1]:%Y-%m-%d}", s, change, opens[s].iloc[i + 1])
    return paper, closes.iloc[-1].to_dict()


@pytest.fixture(scope="module", name="result")
def _result() -> object:
    pytest.importorskip("bokeh_sampledata")
    return example("rotation").run()


def test_months_are_traded_as_a_loop_says(result) -> None:
    paper, closes = rotate()
    assert_same_fills(result, paper)
    assert len(paper.fills) == 350
    assert result.summary["final_equity"] == pytest.approx(paper.equity(closes), rel=1e-8)


def test_nothing_is_traded_before_all_are_listed(result) -> None:
    assert f"{result.fills['ts_event'].iloc[0]:%Y-%m-%d}" == "2004-08-23"


def test_purchases_are_never_cut_to_the_cash(result) -> None:
    done = result.orders[result.orders["status"] == "FILLED"]
    assert (done["quantity"] == done["filled_quantity"]).all()
    assert result.equity_curve["cash"].min() > 0
