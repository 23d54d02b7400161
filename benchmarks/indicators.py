"""Time the indicators against TA-Lib: batch, update from Python, and feed as the engine does it.

Run `python benchmarks/indicators.py [NAME ...]`; with `--json` one object per line. Times are the
best of several runs, in nanoseconds a row.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import numpy as np
import talib

import pyrt.indicators as indicators
from pyrt.indicators import catalog

ROWS = 1_000_000
TIGHT = ("SMA", "EMA", "RSI", "MACD", "BBANDS", "ATR", "ADX", "STDDEV")


def bars() -> dict[str, np.ndarray]:
    """One million plausible bars from a fixed seed."""
    rng = np.random.default_rng(1)
    close = 100 + np.cumsum(rng.normal(0, 0.01, ROWS))
    open_ = close + rng.normal(0, 0.05, ROWS)
    return {
        "value": close,
        "open": open_,
        "high": np.maximum(open_, close) + np.abs(rng.normal(0, 0.05, ROWS)),
        "low": np.minimum(open_, close) - np.abs(rng.normal(0, 0.05, ROWS)),
        "close": close,
        "volume": rng.integers(1, 1000, ROWS).astype(np.float64),
        "periods": rng.integers(2, 30, ROWS).astype(np.float64),
    }


def best(call: Callable[[], object], runs: int) -> float:
    """Least time of `runs` calls, in nanoseconds."""
    times = []
    for _ in range(runs):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    return float(min(times))


def update_ns(name: str, row: list[float], updates: int = 200_000) -> float:
    """Time of one update from Python, the loop included."""
    update = getattr(indicators, name)().update

    def loop() -> None:
        for _ in range(updates):
            update(*row)

    return best(loop, 3) / updates


def measure(name: str, columns: dict[str, np.ndarray], runs: int) -> dict[str, object]:
    indicator = getattr(indicators, name)()
    inputs = [columns[key] for key in indicator.inputs]
    reference = getattr(talib, name)
    ours = theirs = float("inf")
    for _ in range(2):  # in turn, so that a slow moment of the machine meets both
        ours = min(ours, best(lambda: indicator.batch(*inputs), runs))
        theirs = min(theirs, best(lambda: reference(*inputs), runs))
    return {
        "name": f"indicator_batch_{name}",
        "value": round(ours / ROWS, 3),
        "unit": "ns/row",
        "ratio": round(ours / theirs, 3),
        "budget": 1.1 if name in TIGHT else 1.5,
        "ok": bool(ours / theirs <= (1.1 if name in TIGHT else 1.5)),
        "update_ns": round(update_ns(name, [float(c[0]) for c in inputs]), 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    columns = bars()
    names = options.names or [e.name for e in catalog() if hasattr(talib, e.name)]
    for name in names:
        result = measure(name, columns, options.runs)
        if options.json:
            print(json.dumps(result))
        else:
            print(
                "{name:36} {value:9.2f} ns/row  {ratio:6.2f}  {update_ns:6.0f} ns".format(**result)
            )


if __name__ == "__main__":
    main()
