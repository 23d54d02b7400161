"""What a bar costs when the moving-average cross is declared by `when`, beside bare calls."""

from __future__ import annotations

import subprocess
from pathlib import Path

from benchmarks.engine import EVENTS, REPEATS, Empty, bar_views, run
from benchmarks.timing import Row, bars, call_ns, median, paired, rounds, row
from pyrt import Strategy, load
from pyrt.indicators import SMA, is_flat, is_long


class SmaCrossWhen(Strategy):
    """The strategy of the README, declared: Python is called for orders only."""

    symbol: str = "X"
    fast: int = 50
    slow: int = 200
    size: float = 100

    def on_start(self) -> None:
        stream = self.subscribe_bars(self.symbol, "1m")
        fast = self.attach(SMA(self.fast), stream)
        slow = self.attach(SMA(self.slow), stream)
        self.when((fast > slow) & is_flat(self.symbol), self.enter)
        self.when((fast < slow) & is_long(self.symbol), self.leave)

    def enter(self) -> None:
        self.buy(self.symbol, self.size)

    def leave(self) -> None:
        self.close(self.symbol)


class Silent(Strategy):
    """Subscribes to bars and defines no handler: what the engine costs by itself."""

    def on_start(self) -> None:
        self.subscribe_bars("X", "1m")


ROOT = Path(__file__).resolve().parent.parent
VECTORBT = ROOT / "build" / "vectorbt" / "bin" / "python"


def vectorbt_ns() -> float:
    """Return what a bar costs in vectorbt, which has an interpreter of its own."""
    command = [VECTORBT, "-m", "benchmarks.vectorbt_cross", str(EVENTS), str(REPEATS)]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return float(done.stdout)


def measure() -> list[Row]:
    """Measure all rows in the same rounds."""
    views = bar_views(EVENTS)
    loaded = load(bars(EVENTS), symbol="X", label="open")
    found = rounds(
        {
            "bare_call": lambda: call_ns(Empty().on_bar, views),
            "no_handler_bar": lambda: run(Silent(), loaded),
            "sma_cross_when": lambda: run(SmaCrossWhen(), loaded),
        },
        REPEATS,
    )
    bare = found["bare_call"]
    when, vectorbt = median(found["sma_cross_when"]), vectorbt_ns()
    return [
        row("no_handler_bar", median(found["no_handler_bar"]), "ns/bar"),
        row(
            "sma_cross_when",
            when,
            "ns/bar",
            paired(found["sma_cross_when"], bare),
        ),
        row("vectorbt_cross", vectorbt, "ns/bar", vectorbt / when),
    ]
