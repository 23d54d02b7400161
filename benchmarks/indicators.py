"""What indicators cost: over columns beside TA-Lib, called from Python, and fed by the engine.

`python -m benchmarks.indicators [NAME ...]` lists every function beside TA-Lib's.
"""

from __future__ import annotations

import argparse
import gc
import time
from typing import Any

import numpy as np
import talib

import pyrt.indicators as indicators
from benchmarks.engine import run
from benchmarks.timing import Row, bars, median, paired, rounds, row
from pyrt import Strategy, load
from pyrt.indicators import EMA, catalog

ROWS = 100_000
UPDATES = 100_000
ROUNDS = 7
ATTACHED = 16
TIGHT = ("SMA", "EMA", "RSI", "MACD", "BBANDS", "ATR", "ADX", "STDDEV")
SIMPLE = ("SMA", "EMA", "RSI", "MOM", "MAX", "STDDEV")


def columns() -> dict[str, np.ndarray]:
    """Return plausible bars from a fixed seed."""
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


def ns_a_row(call: Any, given: list[np.ndarray]) -> float:
    """Return ns a row of one batch; of this thread, so that others' work does not count."""
    start = time.thread_time_ns()
    call(*given)
    return (time.thread_time_ns() - start) / ROWS


def beside_talib(name: str, given: dict[str, np.ndarray]) -> tuple[float, float]:
    """Return ns a row and the median ratio to TA-Lib, the two called in turn."""
    indicator = getattr(indicators, name)()
    inputs = [given[key] for key in indicator.inputs]
    theirs = getattr(talib, name)
    found = rounds(
        {
            "ours": lambda: ns_a_row(indicator.batch, inputs),
            "theirs": lambda: ns_a_row(theirs, inputs),
        },
        ROUNDS,
    )
    return median(found["ours"]), paired(found["ours"], found["theirs"])


def call_ns(name: str) -> float:
    """Return ns of one update from Python, less what the loop around it takes."""
    update, values = getattr(indicators, name)().update, [100.0 + k % 7 for k in range(UPDATES)]
    start = time.thread_time_ns()
    for value in values:
        update(value)
    middle = time.thread_time_ns()
    for _value in values:
        pass
    return (2 * middle - start - time.thread_time_ns()) / UPDATES


class Fed(Strategy):
    """Takes bars, does nothing, and has indicators fed."""

    count: int = 0

    def on_start(self) -> None:
        stream = self.subscribe_bars("X", "1m")
        for k in range(self.count):
            self.attach(EMA(10 + k), stream)


def fed_ns(loaded: Any) -> float:
    """Return ns an indicator and bar that feeding adds to an empty run."""
    empty, full = (run(Fed(count=count), loaded) for count in (0, ATTACHED))
    return (full - empty) / ATTACHED


def measure() -> list[Row]:
    """Measure the worst function of each budget, updates and feeding."""
    given = columns()
    shared = [entry.name for entry in catalog() if hasattr(talib, entry.name)]
    # What is loaded by now is no garbage: each of the thousands of rounds would look through it.
    gc.collect()
    gc.freeze()
    found = {name: beside_talib(name, given) for name in shared}
    gc.unfreeze()
    rows = []
    for title, names in (
        ("indicator_batch", TIGHT),
        ("indicator_batch_tail", [name for name in shared if name not in TIGHT]),
    ):
        worst = max(names, key=lambda name: found[name][1])
        rows.append(row(title, found[worst][0], "ns/row", found[worst][1]))
    loaded = load(bars(UPDATES), symbol="X", label="open")
    calls = rounds({name: lambda name=name: call_ns(name) for name in SIMPLE}, ROUNDS)
    rows.append(row("indicator_call", max(median(calls[name]) for name in SIMPLE), "ns/update"))
    fed = rounds({"fed": lambda: fed_ns(loaded)}, ROUNDS)["fed"]
    rows.append(row("indicator_fed", median(fed), "ns/update"))
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*")
    chosen = parser.parse_args()
    given = columns()
    gc.freeze()
    for name in chosen.names or [e.name for e in catalog() if hasattr(talib, e.name)]:
        value, ratio = beside_talib(name, given)
        over = ratio > (1.1 if name in TIGHT else 1.5)
        print(f"{name:22} {value:9.2f} ns/row {ratio:6.2f} {'OVER' if over else ''}", flush=True)


if __name__ == "__main__":
    main()
