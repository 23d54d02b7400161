"""Reasons to leave a position, by hand-worked tables of closes."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from pyrt import Strategy
from pyrt.errors import ConfigError
from pyrt.indicators import column, exit_condition, is_flat
from tests.indicators.signal_runs import run, walk


def table(closes: list[float]) -> pd.DataFrame:
    """Return bars that open at the close before; the first opens at its own close."""
    data = walk(len(closes), 1)
    data["close"] = closes
    data["open"] = [closes[0], *closes[:-1]]
    data["high"] = data[["open", "close"]].max(axis=1)
    data["low"] = data[["open", "close"]].min(axis=1)
    return data


class Entering(Strategy):
    """Trades once on row 0, filled at 100, the open of row 1; notes the rows with a reason."""

    side: int = 1

    def prepare(self, reasons: dict[str, float]) -> Entering:
        """Say what the reasons to leave are."""
        self.reasons = reasons
        return self

    def on_start(self) -> None:
        self.bars = self.subscribe_bars("X", "1m")
        self.rows: list[int] = []
        self.when(exit_condition("X", **self.reasons), self.note, stream=self.bars)
        self.when(is_flat("X"), lambda: self.target_position("X", 10 * self.side), stream=self.bars)

    def note(self) -> None:
        """Take the row down."""
        self.rows.append(self.bars.count - 1)


SCENARIOS = [
    # what, side, reasons, closes (row 0 is before the entry at 100), rows with a reason
    ("loss of exactly 2 %", 1, {"stop": 0.02}, [100, 99, 98, 98.5, 97], [2, 4]),
    ("gain of exactly 3 %", 1, {"target": 0.03}, [100, 102.99, 103, 102, 104], [2, 4]),
    ("short, loss", -1, {"stop": 0.02}, [100, 101, 102, 101.5, 103], [2, 4]),
    ("short, gain", -1, {"target": 0.03}, [100, 98, 97, 96, 99], [2, 3]),
    ("trail from the best", 1, {"trail": 0.10}, [100, 110, 120, 109, 108, 119], [4]),
    ("trail from the entry", 1, {"trail": 0.05}, [100, 99, 96, 95, 94], [3, 4]),
    ("short, trail", -1, {"trail": 0.10}, [100, 90, 80, 87.9, 88, 81], [4]),
    ("third bar held", 1, {"bars": 3}, [100, 101, 101, 101, 101], [3, 4]),
    ("whichever comes first", 1, {"stop": 0.02, "bars": 4}, [100, 98, 99, 99, 99], [1, 4]),
]


@pytest.mark.parametrize(
    ("side", "reasons", "closes", "rows"),
    [scenario[1:] for scenario in SCENARIOS],
    ids=[scenario[0] for scenario in SCENARIOS],
)
def test_a_reason_holds_where_the_table_says(
    side: int, reasons: dict[str, float], closes: list[float], rows: list[int]
) -> None:
    strategy = Entering(side=side).prepare(reasons)
    run(strategy, table([float(x) for x in closes]))
    assert strategy.rows == rows


class Reentering(Strategy):
    """Holds for three bars, again and again."""

    def on_start(self) -> None:
        bars = self.subscribe_bars("X", "1m")
        self.exit_on("X", bars=3, stream=bars)
        self.when(is_flat("X"), lambda: self.buy("X", 1), stream=bars)


def test_each_position_counts_its_own_bars() -> None:
    result = run(Reentering(), table([100.0] * 12))
    opened, closed = result.fills.ts_event[::2], result.fills.ts_event[1::2]
    minutes = [(b - a).total_seconds() / 60 for a, b in zip(opened, closed, strict=False)]
    assert minutes == [3.0] * len(minutes)
    assert len(minutes) >= 2


def test_an_exit_without_a_reason_is_refused() -> None:
    with pytest.raises(ConfigError, match="needs a reason"):
        exit_condition("X")


@pytest.mark.parametrize("wrong", [{"stop": 0}, {"target": -0.1}, {"bars": 0}, {"trail": "x"}])
def test_a_distance_that_is_none_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises((ConfigError, TypeError)):
        exit_condition("X", **wrong)


@pytest.mark.parametrize("wrong", [{"stop": 2.0}, {"stop": 1}, {"trail": 1.5}])
def test_a_percentage_in_place_of_a_fraction_is_refused(wrong: dict[str, Any]) -> None:
    """A long position can lose no more than all: such a stop never fired."""
    with pytest.raises(ConfigError, match=r"below 1\. Write 0\.02 for 2 %"):
        exit_condition("X", **wrong)
    exit_condition("X", target=2.0)


def test_an_exit_needs_prices_of_its_symbol() -> None:
    class Mixed(Strategy):
        def on_start(self) -> None:
            bars = self.subscribe_bars("X", "1m")
            self.when(column("close") > 0, lambda: None, stream=bars)
            self.exit_on("Y", stop=0.1, stream=bars)

    with pytest.raises(Exception, match="Y"):
        run(Mixed(), walk(5, 1))
