"""What the tests of signals share: bars with ties, and runs that note when conditions are true."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from pyrt import Strategy, backtest


def walk(rows: int, seed: int, *, step: int = 3, tz_start: str = "2024-03-04 09:00") -> Any:
    """Return minute bars of a walk in cents; small steps make ties and crosses frequent."""
    rng = np.random.default_rng(seed)
    close = 10_000 + np.cumsum(rng.integers(-step, step + 1, rows))
    first = np.concatenate([[10_000], close[:-1]]) + rng.integers(-1, 2, rows)
    high = np.maximum(first, close) + rng.integers(0, 3, rows)
    low = np.minimum(first, close) - rng.integers(0, 3, rows)
    return pd.DataFrame(
        {
            "open": first / 100,
            "high": high / 100,
            "low": low / 100,
            "close": close / 100,
            "volume": rng.integers(1, 9, rows).astype(float),
        },
        index=pd.date_range(tz_start, periods=rows, freq="min", tz="UTC"),
    )


class Noting(Strategy):
    """Notes the row and time of each event at which its condition is true."""

    def prepare(self, make: Callable[[Any, Any], Any]) -> Noting:
        """Say how to make the condition, given the strategy and its stream."""
        self.make = make
        return self

    def on_start(self) -> None:
        self.bars = self.subscribe_bars("X", "1m")
        self.true_rows: list[int] = []
        self.true_times: list[int] = []
        self.when(self.make(self, self.bars), self.note, stream=self.bars)

    def note(self, bar: Any) -> None:
        """Take the bar down."""
        self.true_rows.append(self.bars.count - 1)
        self.true_times.append(bar.ts_event)


def run(strategy: Strategy, data: Any, **options: Any) -> Any:
    """Run a strategy over bars of X stamped at their open."""
    return backtest(strategy, {"X": data}, label="open", progress=False, **options)


def noting(data: Any, make: Callable[[Any, Any], Any], **options: Any) -> Noting:
    """Run one condition over bars and return the strategy with what it noted."""
    strategy = Noting().prepare(make)
    run(strategy, data, **options)
    return strategy


def true_rows(data: Any, make: Callable[[Any, Any], Any], **options: Any) -> list[int]:
    """Return the rows at which a condition is true."""
    return noting(data, make, **options).true_rows
