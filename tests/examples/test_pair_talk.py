"""The pair that talks: signals as pandas finds them, and trades that follow each of them."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from pyrt import Signal

from .loading import daily, example
from .paper import Paper, assert_same_fills

PAIR = ("IBM", "MSFT")


def states() -> pd.Series:
    """1 long the first, -1 short it, 0 out; one value a session from the 60th on."""
    closes = [daily(symbol, adjusted=True)["close"] for symbol in PAIR]
    ratio = np.log(closes[0] / closes[1])
    score = ((ratio - ratio.rolling(60).mean()) / ratio.rolling(60).std(ddof=0)).dropna()
    state, found = 0, []
    for value in score:
        if state == 0:
            state = -int(np.sign(value)) if abs(value) > 2.0 else 0
        elif state * value >= 0:
            state = 0
        found.append(state)
    return pd.Series(found, score.index)


def follow(state: pd.Series) -> tuple[Paper, dict[str, float]]:
    """Trade 20,000 a leg at the open after each change of state."""
    bars = {symbol: daily(symbol, adjusted=True) for symbol in PAIR}
    dates = bars["IBM"].index
    paper = Paper(per_share=0.005, minimum=1.0)
    before = 0
    for date, now in state.items():
        i = dates.get_loc(date) + 1
        if now != before and i < len(dates):
            for symbol, sign in zip(PAIR, (now, -now)):
                units = 20_000 // bars[symbol]["close"].iloc[i - 1]
                quantity = sign * units - paper.held(symbol)
                paper.trade(f"{dates[i]:%Y-%m-%d}", symbol, quantity, bars[symbol]["open"].iloc[i])
        before = now
    return paper, {symbol: bars[symbol]["close"].iloc[-1] for symbol in PAIR}


def test_every_signal_is_traded_at_the_next_open() -> None:
    result = example("pair_talk").run()
    paper, closes = follow(states())
    assert_same_fills(result, paper)
    assert len(paper.fills) == 220
    assert result.summary["final_equity"] == pytest.approx(paper.equity(closes), rel=1e-8)
    assert set(result.fills["strategy"]) == {"Trader"}


def test_signals_carry_the_time_of_the_bars_they_come_from() -> None:
    pytest.importorskip("bokeh_sampledata")
    module = example("pair_talk")
    heard: list[Signal] = []

    class Listener(module.Trader):
        def on_signal(self, signal: Signal) -> None:
            assert signal.ts_event == self.now
            heard.append(signal)

    from bokeh_sampledata.stocks import data

    from pyrt import backtest

    backtest([module.Watcher(), Listener()], data, symbol=PAIR, calendar="XNYS", adjusted=True)
    changes = states()
    changes = changes[changes != changes.shift(fill_value=0)]
    assert len(heard) == 2 * len(changes)
    sides = {1: "buy", -1: "sell", 0: "flat"}
    assert [s.side for s in heard[::2]] == [sides[state] for state in changes]
    assert [s.side for s in heard[1::2]] == [sides[-state] for state in changes]
    assert all(0.0 <= signal.confidence <= 1.0 for signal in heard)
