"""Bars of several lengths in one strategy: each is that of the prints, whoever asked first."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pyrt import Strategy, backtest
from pyrt.data.aggregation_time import TimeBars

START = 1_704_205_800_000_000_000  # 2024-01-02 14:30 UTC
SECOND = 1_000_000_000


def prints() -> pd.DataFrame:
    """Return ten minutes of prints, none of which falls on the end of a bar; one gap of 90 s."""
    rng = np.random.default_rng(5)
    times = START + np.sort(rng.integers(1, 600 * SECOND, 2_000))
    times = times[(times < START + 200 * SECOND) | (times > START + 290 * SECOND)]
    price = (100 + np.cumsum(rng.normal(0, 0.02, len(times)))).round(2)
    return pd.DataFrame({"ts_event": times, "symbol": "X", "price": price, "size": 10.0})


def resampled(table: pd.DataFrame, rule: str) -> list[tuple[Any, ...]]:
    grid = table.set_index(pd.to_datetime(table["ts_event"], utc=True)).resample(rule)
    bars = grid["price"].ohlc().assign(volume=grid["size"].sum()).dropna()
    return [(ts.value, *row) for ts, row in zip(bars.index, bars.to_numpy().tolist(), strict=True)]


class Several(Strategy):
    def __init__(self, *asked: Any) -> None:
        super().__init__()
        self._asked = asked
        self.bars: dict[str, list[tuple[Any, ...]]] = {}
        self.closed: list[tuple[int, str]] = []

    def on_start(self) -> None:
        for timeframe in self._asked:
            self.subscribe_bars("X", timeframe)

    def on_bar(self, bar: Any) -> None:
        row = (bar.ts_open, bar.open, bar.high, bar.low, bar.close, bar.volume)
        self.bars.setdefault(bar.timeframe, []).append(row)
        self.closed.append((bar.ts_event, bar.timeframe))


RULES = {"30s": "30s", "1m": "1min", "5m": "5min"}


@pytest.mark.parametrize("asked", list(itertools.permutations(RULES)))
def test_bars_are_those_of_the_prints_in_any_order_of_asking(asked: tuple[str, ...]) -> None:
    table = prints()
    strategy = Several(*asked)
    backtest(strategy, table, progress=False)
    for timeframe, rule in RULES.items():
        expected = resampled(table, rule)
        # The last one is not over when the prints end.
        assert strategy.bars[timeframe] == expected[:-1]
    # At one instant the finest comes first.
    order = list(RULES)
    assert strategy.closed == sorted(strategy.closed, key=lambda c: (c[0], order.index(c[1])))


def test_named_bars_of_bars_that_are_made_hold_the_last_of_them() -> None:
    class Chain(Several):
        def on_start(self) -> None:
            self.subscribe_bars("X", "30s")
            self.subscribe_bars("X", TimeBars("1m"), source="30s", name="minutes")
            self.subscribe_bars("X", TimeBars("5m"), source="30s", name="fives")

    strategy = Chain()
    table = prints()
    backtest(strategy, table, progress=False)
    assert strategy.bars["minutes"] == resampled(table, "1min")[:-1]
    assert strategy.bars["fives"] == resampled(table, "5min")[:-1]
