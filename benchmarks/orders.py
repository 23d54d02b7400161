"""What an order costs: submit, risk, venue, fill and portfolio; early in a run and late."""

from __future__ import annotations

import time
from array import array
from itertools import pairwise
from typing import Any

from benchmarks.timing import Row, bars, median, rounds, row
from pyrt import BacktestEngine, Bar, Strategy, load

BARS = 200_000
REPEATS = 7
ORDERS = 1_010_000
WINDOW = 10_000


class Steady(Strategy):
    """Calls a command at every bar: buys and sells one share in turn, or looks it up only."""

    orders: bool = True

    def on_start(self) -> None:
        self.subscribe_bars("X", "1m")
        self.first, self.second = self.buy, self.sell
        if not self.orders:
            self.first = self.second = self.nothing

    def nothing(self, symbol: str, quantity: float) -> None:
        """Stand in for a command in the run without orders."""

    def on_bar(self, bar: Bar) -> None:
        self.first("X", 1)
        self.first, self.second = self.second, self.first


class Clocked(Steady):
    """Notes the time at every bar and keeps every order it made, as a user may."""

    def on_start(self) -> None:
        super().on_start()
        self.stamps = array("q")
        self.kept: list[Any] = []

    def on_bar(self, bar: Bar) -> None:
        self.stamps.append(time.perf_counter_ns())
        self.kept.append(self.first("X", 1))
        self.first, self.second = self.second, self.first


def run(strategy: Strategy, loaded: Any) -> float:
    """Return ns a bar of one run."""
    engine = BacktestEngine(cash=1e9)
    engine.add_loaded(loaded)
    engine.add_strategy(strategy)
    result = engine.run()
    return result.elapsed_s / result.events_processed * 1e9


def late_against_early() -> tuple[float, float]:
    """Return ns an order around the 1,000,000th, and that over ns around the 1,000th."""
    strategy = Clocked()
    run(strategy, load(bars(ORDERS), symbol="X", label="open"))
    stamps = strategy.stamps
    steps = [after - before for before, after in pairwise(stamps)]
    early = median(steps[:WINDOW])
    late = median(steps[1_000_000 - WINDOW // 2 : 1_000_000 + WINDOW // 2])
    return late, late / early


def measure() -> list[Row]:
    """Measure an order as the difference of two runs, and its growth within one."""
    loaded = load(bars(BARS), symbol="X", label="open")
    found = rounds(
        {
            "with": lambda: run(Steady(), loaded),
            "without": lambda: run(Steady(orders=False), loaded),
        },
        REPEATS,
    )
    costs = [a - b for a, b in zip(found["with"], found["without"], strict=True)]
    late, growth = late_against_early()
    return [
        row("market_order", median(costs), "ns/order"),
        row("order_cost_flat", late, "ns/order", growth),
    ]
