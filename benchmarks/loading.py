"""How long it takes to get going: loading a million bars, importing the package."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq

from benchmarks.timing import Row, bars, median, paired, rounds, row
from pyrt import load

ROWS = 1_000_000
REPEATS = 7
STATEMENTS = {
    "numpy": "import numpy",
    "import_pyrt": "import numpy, pyrt",
    "import_strategy": "import numpy; from pyrt import Strategy; from pyrt.indicators import SMA",
}


def seconds(work: Callable[[], object]) -> Callable[[], float]:
    """Return a callable that does the work and returns its seconds."""

    def timed() -> float:
        start = time.perf_counter()
        work()
        return time.perf_counter() - start

    return timed


def import_seconds(statement: str) -> Callable[[], float]:
    """Return a callable that times a statement in a fresh interpreter, start-up included."""
    command = [sys.executable, "-P", "-c", statement]
    return seconds(lambda: subprocess.run(command, check=True, env=os.environ))


def copy_columns(frame: pd.DataFrame) -> list[object]:
    """Do what no loader can avoid: touch every value of every column once."""
    return [frame[name].to_numpy(copy=True) for name in frame.columns]


def measure() -> list[Row]:
    """Measure loads beside reading the same bytes, imports beside NumPy's own."""
    frame = bars(ROWS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "bars.parquet"
        frame.rename_axis("ts_event").reset_index().to_parquet(path)
        loads = rounds(
            {
                "read": seconds(lambda: pq.read_table(path)),
                "parquet": seconds(lambda: load(path, symbol="X", label="open")),
                "copy": seconds(lambda: copy_columns(frame)),
                "frame": seconds(lambda: load(frame, symbol="X", label="open")),
            },
            REPEATS,
        )
    imports = rounds({name: import_seconds(text) for name, text in STATEMENTS.items()}, REPEATS)
    above = {
        name: median([1e3 * (a - b) for a, b in zip(times, imports["numpy"], strict=True)])
        for name, times in imports.items()
    }
    parquet = paired(loads["parquet"], loads["read"])
    resident = paired(loads["frame"], loads["copy"])
    return [
        row("load_parquet_1m", median(loads["parquet"]), "s", parquet),
        row("load_dataframe_1m", median(loads["frame"]), "s", resident),
        row("import_pyrt", above["import_pyrt"], "ms"),
        row("import_strategy", above["import_strategy"], "ms"),
    ]
