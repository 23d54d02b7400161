"""Many schedules: `python -m tests.simulation --seeds 1000 --first 0 --workers 2`.

Prints a table of faults and invariants, each failing seed with the command that replays it, and a
last line of JSON. The exit status is 1 where an invariant does not hold, where a planted fault goes
unnoticed, or where a fault never struck or an invariant was never looked at.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
import time
import traceback
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field

from tests.simulation.chances import ELSEWHERE, FAULTS
from tests.simulation.checks import INVARIANTS
from tests.simulation.network import IN_DOUBT
from tests.simulation.planted import BlindRetry, TimeoutIsRefusal
from tests.simulation.world import Tally, World

CHUNK = 25
PLANTED = {"blind retry": (BlindRetry, 0.5), "time-out is refusal": (TimeoutIsRefusal, 0.1)}
"""Name → (client, the least share of hostile schedules that must find it)."""
UNKNOWN_MAX = 0.01
COMPLETE_FROM = 1_000
"""With so many schedules every fault has to have struck."""


@dataclass
class Report:
    """What a run of schedules found."""

    tally: Tally = field(default_factory=Tally)
    failing: dict[int, str] = field(default_factory=dict)

    def add(self, other: Report) -> None:
        """Take in the report of another part."""
        mine, theirs = self.tally, other.tally
        for name in ("schedules", "orders", "unknown_at_end", "restarts"):
            setattr(mine, name, getattr(mine, name) + getattr(theirs, name))
        mine.faults.update(theirs.faults)
        mine.checks.update(theirs.checks)
        self.failing |= other.failing

    def missing(self) -> list[str]:
        """Return faults that never struck and invariants that were never looked at."""
        faults = [name for name in FAULTS if not self.tally.faults[name]]
        # The trace is compared by running seeds twice.
        checks = [name for name in INVARIANTS if not self.tally.checks[name] and name != "I14"]
        return faults + checks

    def line(self) -> dict[str, object]:
        """Return the closing line."""
        return {
            "schedules": self.tally.schedules,
            "orders": self.tally.orders,
            "faults": sum(self.tally.faults.values()),
            "checks": sum(self.tally.checks.values()),
            "unknown_at_end": self.tally.unknown_at_end,
            "violations": len(self.failing),
            "failing_seeds": sorted(self.failing),
        }


def run_chunk(first: int, count: int) -> Report:
    """Run some schedules, one after the other."""
    logging.disable(logging.CRITICAL)
    report = Report()
    for seed in range(first, first + count):
        try:
            World(seed, report.tally).run()
        except Exception as error:
            report.failing[seed] = "".join(traceback.format_exception_only(error)).strip()
            report.tally.schedules += 1
    return report


def run_planted(name: str, first: int, count: int) -> tuple[int, int]:
    """Return (hostile schedules, those of them that found the fault) for a planted node.

    Hostile is a schedule in which the fate of an order was in doubt at least once.
    """
    logging.disable(logging.CRITICAL)
    client, _ = PLANTED[name]
    hostile = found = 0
    for seed in range(first, first + count):
        world = World(seed, make_client=client)
        if not any(world.chances.has(fault) for fault in IN_DOUBT):
            continue
        failed = False
        try:
            world.run()
        except Exception:
            failed = True
        if world.posts_in_doubt:
            hostile += 1
            found += failed
    return hostile, found


def run_seeds(first: int, count: int, workers: int) -> Report:
    """Run schedules over several processes."""
    report = Report()
    chunks = [(at, min(CHUNK, first + count - at)) for at in range(first, first + count, CHUNK)]
    if workers == 1:
        for chunk in chunks:
            report.add(run_chunk(*chunk))
        return report
    with ProcessPoolExecutor(workers) as pool:
        for part in pool.map(run_chunk, *zip(*chunks)):
            report.add(part)
    return report


def show(report: Report) -> None:
    """Print what was injected and looked at."""
    for title, table, counts in (
        ("fault", FAULTS, report.tally.faults),
        ("invariant", INVARIANTS, report.tally.checks),
    ):
        for name, text in table.items():
            print(f"{title:9} {name:4} {_count(counts, name):>10,}  {text}")
    for name, path in ELSEWHERE.items():
        print(f"{'fault':9} {name:4} {'':>10}  {path}")
    for seed, text in sorted(report.failing.items()):
        print(f"seed {seed}: {text}")
        print(f"  replay: python -m tests.simulation --seeds 1 --first {seed} --trace")


def _count(counts: Counter[str], name: str) -> int:
    return counts[name]


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="schedules to run")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--planted", type=int, default=0, help="seeds for each planted fault")
    parser.add_argument("--trace", action="store_true", help="let a failure's traceback show")
    options = parser.parse_args(arguments)
    if options.trace:
        for seed in range(options.first, options.first + options.seeds):
            print(seed, World(seed).run())
        return 0
    began = time.monotonic()
    report = run_seeds(options.first, options.seeds, options.workers)
    seconds = time.monotonic() - began
    show(report)
    failed = bool(report.failing)
    if options.seeds >= COMPLETE_FROM and report.missing():
        print("never struck or never looked at:", ", ".join(report.missing()))
        failed = True
    for name, (_, least) in PLANTED.items() if options.planted else ():
        hostile, found = run_planted(name, options.first, options.planted)
        print(f"planted: {name}: found in {found} of {hostile} hostile schedules")
        failed |= found < least * hostile
    rate = options.seeds / seconds / options.workers
    print(f"{seconds:.1f} s, {rate:.1f} schedules a second and process")
    if report.tally.unknown_at_end > UNKNOWN_MAX * report.tally.orders + 1:
        print(f"{report.tally.unknown_at_end} of {report.tally.orders} orders ended unknown")
        failed = True
    print(json.dumps(report.line()))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
