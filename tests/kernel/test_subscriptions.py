"""Streams a strategy asks for: what is found, and what an error tells it to do."""

from __future__ import annotations

import pandas as pd
import pytest

from pyrt import Strategy, backtest
from pyrt.errors import StrategyError

BARS = pd.DataFrame(
    {"open": 100.0, "high": 101.0, "low": 99.0, "close": 100.0, "volume": 1.0},
    index=pd.date_range("2024-01-02T14:30", periods=30, freq="1min", tz="UTC"),
)


class Listener(Strategy):
    def on_start(self) -> None:
        self.subscribe_bars("SPY", "1m")


def test_a_symbol_asked_of_data_that_name_none_is_answered_with_how_to_name_it() -> None:
    with pytest.raises(StrategyError, match=r"Write symbol='SPY', or .*\{'SPY': frame\}"):
        backtest(Listener(), BARS, label="open", progress=False)


def test_a_misspelled_symbol_is_answered_with_the_nearest() -> None:
    with pytest.raises(StrategyError, match="Did you mean SPX"):
        backtest(Listener(), {"SPX": BARS, "QQQ": BARS}, label="open", progress=False)
