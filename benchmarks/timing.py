"""What measurements share: paired rounds, medians, resident memory, made-up bars and quotes."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

Row = dict[str, Any]
FIRST_NS = 1_704_205_800_000_000_000
MINUTE_NS = 60_000_000_000


def row(name: str, value: float, unit: str, ratio: float | None = None) -> Row:
    """Return one measured row; `ratio` is the value beside its reference, where it has one."""
    return {"name": name, "value": value, "unit": unit, "ratio": ratio}


def rounds(runs: dict[str, Callable[[], float]], repeats: int) -> dict[str, list[float]]:
    """Run every candidate once a round, so that each round's figures share their weather.

    Parameters
    ----------
    runs : dict
        Name to a callable that returns what it measured.
    repeats : int
        Rounds; one more is run first and thrown away.
    """
    found: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(repeats + 1):
        for name, run in runs.items():
            gc.collect()
            value = run()
            if number:
                found[name].append(value)
    return found


def median(values: Sequence[float]) -> float:
    """Return the median."""
    return float(statistics.median(values))


def paired(values: Sequence[float], references: Sequence[float]) -> float:
    """Return the median of the ratios of each round."""
    return median([value / reference for value, reference in zip(values, references, strict=True)])


def call_ns(method: Callable[[Any], object], objects: Sequence[Any]) -> float:
    """Return ns a call of the bare loop `for x in objects: method(x)`."""
    start = time.perf_counter_ns()
    for x in objects:
        method(x)
    return (time.perf_counter_ns() - start) / len(objects)


def resident_bytes() -> int:
    """Return the memory of this process that is in RAM."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096


def bars(rows: int, seed: int = 1) -> pd.DataFrame:
    """Return minute bars of a random walk in cents, stamped at their open, around the clock."""
    rng = np.random.default_rng(seed)
    close = 50_000 + np.cumsum(rng.integers(-5, 6, rows))
    close = np.abs(close - 1_000) + 1_000
    first = close + rng.integers(-4, 5, rows)
    high = np.maximum(first, close) + rng.integers(0, 5, rows)
    low = np.minimum(first, close) - rng.integers(0, 5, rows)
    index = pd.DatetimeIndex(FIRST_NS + MINUTE_NS * np.arange(rows), tz="UTC")
    return pd.DataFrame(
        {
            "open": first / 100,
            "high": high / 100,
            "low": low / 100,
            "close": close / 100,
            "volume": rng.integers(1_000, 100_000, rows).astype(float),
        },
        index=index,
    )


def quotes(rows: int, seed: int = 1) -> pd.DataFrame:
    """Return quotes of a random walk in cents, a penny wide, ten a second."""
    rng = np.random.default_rng(seed)
    bid = 50_000 + np.cumsum(rng.integers(-1, 2, rows))
    return pd.DataFrame(
        {
            "ts_event": FIRST_NS + 100_000_000 * np.arange(rows),
            "bid_price": bid / 100,
            "bid_size": rng.integers(1, 50, rows) * 100.0,
            "ask_price": (bid + 1) / 100,
            "ask_size": rng.integers(1, 50, rows) * 100.0,
        }
    )
