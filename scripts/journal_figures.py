"""Measure the journal: restart at so many records, damage found, a commit's time on this disk."""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from pathlib import Path
from random import Random

import msgspec

from pyrt.errors import JournalError
from pyrt.live.journal import records as r
from pyrt.live.journal.files import RealFiles
from pyrt.live.journal.journal import Journal
from pyrt.live.journal.log import Log, LogReader
from pyrt.testing.files import MemoryFiles

ORDER = r.OrderState(
    client_order_id="pyrt-abc-1",
    strategy="Swing",
    symbol="SPY",
    side="buy",
    order_type="market",
    quantity="10",
    time_in_force="day",
    status="ACCEPTED",
)


def fill(journal: Journal, records: int) -> None:
    """Record orders from intent to fill, with a save after each."""
    for i in range(records // 4):
        order = msgspec.structs.replace(ORDER, client_order_id=f"pyrt-abc-{i}")
        filled = msgspec.structs.replace(order, status="FILLED", filled="10")
        position = r.PositionState(
            strategy="Swing", symbol="SPY", units=i, open_cost="1", realized="0", fees="0"
        )
        journal.record(r.Intent(ts=i, inputs=i, order=order))
        journal.record(r.Outcome(ts=i, kind="accepted", ts_event=i, order=order))
        journal.record(
            r.Execution(
                ts=i,
                ts_event=i,
                quantity="10",
                price="100",
                cumulative="10",
                order=filled,
                position=position,
            )
        )
        journal.record(r.StrategySave(ts=i, strategy="Swing", inputs=i, state=bytes(50)))


def restart_s(records: int) -> tuple[float, float, int]:
    """Return seconds and CPU seconds of opening a journal of so many records, and its bytes."""
    with tempfile.TemporaryDirectory() as name:
        files = RealFiles(Path(name) / "state")
        journal = Journal(files)
        fill(journal, records)
        journal.close()
        size = sum(len(files.read(each)) for each in files.names())
        began, used = time.perf_counter(), time.process_time()
        again = Journal(files)
        elapsed, used = time.perf_counter() - began, time.process_time() - used
        assert again.state == journal.state
        return elapsed, used, size


def commit_ms(count: int = 200) -> tuple[float, float]:
    """Return median and 99th percentile of recording one intent and having it on the disk."""
    with tempfile.TemporaryDirectory(dir=".") as name:
        journal = Journal(RealFiles(Path(name) / "state"))
        times = []
        for i in range(count):
            began = time.perf_counter()
            journal.record(r.Intent(ts=i, inputs=i, order=ORDER))
            journal.commit()
            times.append((time.perf_counter() - began) * 1e3)
        journal.close()
    times.sort()
    return times[count // 2], times[int(count * 0.99)]


def damage(flips: int, seed: int = 1) -> dict[str, int]:
    """Flip single bits of a log; count how each was found. ``missed`` has to be 0."""
    random = Random(seed)
    files = MemoryFiles()
    log = Log(files, "main")
    for _ in range(40):
        log.append(1, random.randbytes(random.randrange(80)))
    log.commit()
    (name,) = files.names()
    whole = files.read(name)
    expected = [(f.sequence, f.payload) for f in LogReader(files, "main")]
    found = {"refused": 0, "tail_cut": 0, "missed": 0}
    for _ in range(flips):
        at = random.randrange(len(whole))
        data = bytearray(whole)
        data[at] ^= 1 << random.randrange(8)
        files.put(name, bytes(data))
        reader = LogReader(files, "main")
        try:
            got = [(f.sequence, f.payload) for f in reader]
        except JournalError:
            found["refused"] += 1
            continue
        if reader.torn is not None and got == expected[:-1]:
            found["tail_cut"] += 1
        else:
            found["missed"] += 1
    return found


def main() -> None:
    """Print one line of JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=100_000)
    parser.add_argument("--flips", type=int, default=20_000)
    given = parser.parse_args()
    elapsed, used, size = restart_s(given.records)
    median, late = commit_ms()
    figures = {
        "records": given.records,
        "bytes": size,
        "restart_s": round(elapsed, 3),
        "restart_cpu_s": round(used, 3),
        "commit_ms_p50": round(median, 3),
        "commit_ms_p99": round(late, 3),
        "flips": given.flips,
        **damage(given.flips),
    }
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
