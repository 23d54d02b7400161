"""What `make profile` draws: one backtest, repeated long enough to be sampled.

`make profile ARGS=orders` profiles a run with an order at every bar, `ARGS=cross` (the default)
the moving-average cross, `ARGS=empty` the engine alone.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent))

from benchmarks import engine, orders
from benchmarks.timing import bars
from pyrt import BacktestEngine, load

SECONDS = 10.0
CHOICES = {"empty": engine.Empty, "cross": engine.SmaCross, "orders": orders.Steady}


def main(choice: str) -> None:
    """Run one strategy over the same bars again and again."""
    loaded = load(bars(500_000), symbol="X", label="open")
    end = time.monotonic() + SECONDS
    while time.monotonic() < end:
        run = BacktestEngine(cash=1e9)
        run.add_loaded(loaded)
        run.add_strategy(CHOICES[choice]())
        result = run.run()
        print(f"{result.elapsed_s / result.events_processed * 1e9:.0f} ns a bar", flush=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "cross")
