"""What quotes cost: a limit order sent and canceled at each, and a hundred million in memory."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent))

from benchmarks.engine import Empty
from benchmarks.timing import FIRST_NS, Row, median, quotes, rounds, row
from pyrt import BacktestEngine, Quote, Strategy, load

PAIRS = 100_000
REPEATS = 7
ROWS = 100_000_000
GROUP_ROWS = 1_000_000
STEP_NS = 10_000_000  # a hundred quotes a second


class Quoting(Strategy):
    """At every quote cancels its order of the last one and sends another, below the market."""

    def on_start(self) -> None:
        self.subscribe_quotes("X")
        self.order: Any = None

    def on_quote(self, quote: Quote) -> None:
        if self.order is not None:
            self.cancel(self.order)
        self.order = self.buy("X", 1, limit_price=1.0)


def pairs_a_second(loaded: Any) -> float:
    """Return how many orders a second were sent and canceled, everything else included."""
    engine = BacktestEngine(cash=1e9)
    engine.add_loaded(loaded)
    engine.add_strategy(Quoting())
    result = engine.run()
    canceled = int((result.orders["status"] == "CANCELED").sum())
    if canceled != PAIRS - 1:
        raise RuntimeError(f"{canceled} orders were canceled; {PAIRS - 1} were expected")
    return canceled / result.elapsed_s


def write_quotes(path: Path, rows: int = ROWS) -> None:
    """Write quotes of one walk, repeated, a row group at a time."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    walk = quotes(GROUP_ROWS)
    writer = None
    for first in range(0, rows, GROUP_ROWS):
        walk["ts_event"] = FIRST_NS + STEP_NS * (first + np.arange(GROUP_ROWS))
        table = pa.Table.from_pandas(walk, preserve_index=False)
        if writer is None:
            writer = pq.ParquetWriter(path, table.schema)
        writer.write_table(table)
    if writer is not None:
        writer.close()


def stream(path: str) -> None:
    """Run an empty strategy over a file and print events, seconds and peak resident megabytes."""
    from pyrt.data import ParquetStream

    engine = BacktestEngine()
    with ParquetStream(path, symbol="X") as source:
        engine.add_data(source)
        engine.add_strategy(Empty(kind="quotes"))
        result = engine.run()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6
    print(json.dumps([result.events_processed, result.elapsed_s, peak]))


def measure() -> list[Row]:
    """Measure throughput in this process, memory in one that does nothing else."""
    loaded = load(quotes(PAIRS), symbol="X")
    found = rounds({"pairs": lambda: pairs_a_second(loaded)}, REPEATS)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "quotes.parquet"
        # Not in this process: what writing needs would count for the process that reads.
        for task in ("write", "stream"):
            done = subprocess.run(
                [sys.executable, "-P", __file__, task, path],
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
    events, seconds, peak = json.loads(done.stdout.splitlines()[-1])
    if events != ROWS:
        raise RuntimeError(f"{events} quotes were replayed; {ROWS} were written")
    return [
        row("limit_cancel_pairs", median(found["pairs"]), "pairs/s"),
        row("quotes_100m_memory", peak, "MB"),
        row("quotes_100m_streamed", seconds / events * 1e9, "ns/event"),
    ]


if __name__ == "__main__":
    if sys.argv[1] == "write":
        write_quotes(Path(sys.argv[2]))
    else:
        stream(sys.argv[2])
