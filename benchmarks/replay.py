"""How far a paced replay is from its clock: quotes at random gaps, at 10x and 100x."""

from __future__ import annotations

import numpy as np
import pandas as pd

from benchmarks.timing import Row, row
from pyrt import BacktestEngine, Quote, Strategy

SECONDS = 6.0
"""Of the clock, for each speed."""
GAP_S = 0.002
"""Mean time between instants, of the clock."""


class Empty(Strategy):
    """Takes quotes and does nothing with them."""

    def on_start(self) -> None:
        self.subscribe_quotes("X")

    def on_quote(self, quote: Quote) -> None:
        pass


def quotes(speed: float) -> pd.DataFrame:
    """Return quotes at exponential gaps that take `SECONDS` at a speed."""
    draw = np.random.default_rng(1)
    gaps = draw.exponential(GAP_S * speed * 1e9, int(SECONDS / GAP_S)).astype(np.int64)
    start = pd.Timestamp("2024-01-02 15:00", tz="UTC").value
    size = np.full(len(gaps), 100.0)
    return pd.DataFrame(
        {
            "ts_event": start + np.cumsum(gaps),
            "bid_price": np.full(len(gaps), 100.0),
            "bid_size": size,
            "ask_price": np.full(len(gaps), 100.01),
            "ask_size": size,
        }
    )


def late_ms(speed: float) -> float:
    """Return the 99th percentile of what instants came after they were due, in ms."""
    engine = BacktestEngine(speed=speed)
    engine.add_data(quotes(speed), symbol="X", kind="quotes")
    engine.add_strategy(Empty())
    engine.run()
    return float(np.quantile(np.asarray(engine.pace.late_ns), 0.99)) / 1e6


def measure() -> list[Row]:
    """Measure at the two speeds that have a budget."""
    return [
        row("replay_late_p99_10x", late_ms(10), "ms"),
        row("replay_late_p99_100x", late_ms(100), "ms"),
    ]
