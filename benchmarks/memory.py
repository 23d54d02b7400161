"""What runs leave in memory: bytes of a closed order, and growth over a thousand runs."""

from __future__ import annotations

import gc
from typing import Any

from benchmarks.orders import Steady
from benchmarks.timing import Row, bars, resident_bytes, row
from pyrt import BacktestEngine, Bar, Strategy, load

FIRST, LAST = 100_000, 600_000
RUNS, WARM_UP = 1_000, 50
RUN_BARS = 10_000


class Weighed(Steady):
    """Notes resident memory at two bars far apart; keeps nothing."""

    def on_start(self) -> None:
        super().on_start()
        self.seen = 0
        self.weights: list[int] = []

    def on_bar(self, bar: Bar) -> None:
        super().on_bar(bar)
        self.seen += 1
        if self.seen in (FIRST, LAST):
            gc.collect()
            self.weights.append(resident_bytes())


class Hundredth(Strategy):
    """Trades at every fiftieth bar: two hundred orders in a run."""

    def on_start(self) -> None:
        self.subscribe_bars("X", "1m")
        self.seen = 0

    def on_bar(self, bar: Bar) -> None:
        self.seen += 1
        if self.seen % 50 == 0:
            (self.sell if self.seen % 100 == 0 else self.buy)("X", 1)


def growth(strategy: Weighed, loaded: Any) -> float:
    """Return bytes a bar that a run adds between its two weighings."""
    run(strategy, loaded)
    return (strategy.weights[1] - strategy.weights[0]) / (LAST - FIRST)


def run(strategy: Strategy, loaded: Any) -> Any:
    """Run once and return the result."""
    engine = BacktestEngine(cash=1e9)
    engine.add_loaded(loaded)
    engine.add_strategy(strategy)
    return engine.run()


def grown_over_runs() -> float:
    """Return megabytes that a thousand runs add, after some to warm up."""
    loaded = load(bars(RUN_BARS), symbol="X", label="open")
    weights = []
    for number in range(WARM_UP + RUNS):
        if number == WARM_UP:
            gc.collect()
            weights.append(resident_bytes())
        result = run(Hundredth(), loaded)
        if len(result.orders) < 100 or result.events_processed < RUN_BARS:
            raise RuntimeError(f"the run had {len(result.orders)} orders; 100 are asked for")
    gc.collect()
    return (resident_bytes() - weights[0]) / 1e6


def measure() -> list[Row]:
    """Weigh orders beside the same bars without any, then repeat small runs."""
    loaded = load(bars(LAST + 1), symbol="X", label="open")
    bare = growth(Weighed(orders=False), loaded)
    full = growth(Weighed(), loaded)
    return [
        row("memory_closed_order", full - bare, "bytes/order"),
        row("run_memory_growth", grown_over_runs(), "MB"),
    ]
