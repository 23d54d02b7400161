"""What a bar costs a model: all standard features, bar by bar and over a table."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks.timing import FIRST_NS, MINUTE_NS, Row, bars, median, rounds, row
from pyrt.indicators import FeatureSet

BARS = 100_000
REPEATS = 3


def columns() -> list[Any]:
    """Return closes of bars, ns UTC, and their prices and volume."""
    table = bars(BARS)
    return [FIRST_NS + MINUTE_NS * np.arange(BARS), *(table[name].to_numpy() for name in table)]


def batch_ns(given: list[Any]) -> float:
    """Return ns a bar of one batch."""
    features = FeatureSet()
    start = time.perf_counter_ns()
    features.batch(*given)
    return (time.perf_counter_ns() - start) / BARS


def update_ns(rows: list[tuple[Any, ...]]) -> float:
    """Return ns a bar of updates called from Python."""
    features = FeatureSet()
    start = time.perf_counter_ns()
    for one in rows:
        features.update(*one)
    return (time.perf_counter_ns() - start) / len(rows)


def measure() -> list[Row]:
    """Measure both in the same rounds."""
    given = columns()
    rows = list(zip(*(column.tolist() for column in given), strict=True))
    found = rounds(
        {"features_batch": lambda: batch_ns(given), "features_update": lambda: update_ns(rows)},
        REPEATS,
    )
    return [row(name, median(values), "ns/bar") for name, values in found.items()]
