"""Many schedules: `python -m tests.simulation --seeds 1000 --first 0 --workers 2`.

Prints each failing seed as it is found with the command that replays it, a table of faults and
invariants, and a last line of JSON. The exit status is 1 where an invariant does not hold, where a
planted fault goes unnoticed, where more than one order in a hundred ends unknown, where the same
seed gives two traces, or where a fault never struck or an invariant was never looked at.
"""

from __future__ import annotations

import argparse
import itertools
import json
import logging
import os
import re
import shlex
import subprocess
import sys
import time
import traceback
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.simulation.chances import ELSEWHERE, FAULTS
from tests.simulation.checks import INVARIANTS
from tests.simulation.planted import PLANTED
from tests.simulation.world import Tally, World

ROOT = Path(__file__).resolve().parents[2]
CHUNK = 25
UNKNOWN_MAX = 0.01
COMPLETE_FROM = 1_000
"""With so many schedules every fault has to have struck."""


@dataclass
class Report:
    """What a run of schedules found."""

    tally: Tally = field(default_factory=Tally)
    failing: dict[int, str] = field(default_factory=dict)
    elsewhere: dict[str, int] = field(default_factory=dict)
    """Fault → tests that have injected it; empty where they were not asked for."""

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
        checks = [name for name in INVARIANTS if not self.tally.checks[name]]
        return faults + checks + [name for name, count in self.elsewhere.items() if not count]

    def faults(self) -> dict[str, int]:
        """Return how often each fault was injected, in the order of their numbers."""
        counts = {name: self.tally.faults[name] for name in FAULTS} | self.elsewhere
        return dict(sorted(counts.items(), key=lambda item: int(item[0][1:])))

    def line(self) -> dict[str, object]:
        """Return the closing line."""
        return {
            "schedules": self.tally.schedules,
            "orders": self.tally.orders,
            "faults": self.faults(),
            "checks": {name: self.tally.checks[name] for name in INVARIANTS},
            "unknown_at_end": self.tally.unknown_at_end,
            "violations": len(self.failing),
            "failing_seeds": sorted(self.failing),
        }


@contextmanager
def quiet() -> Iterator[None]:
    """Log nothing meanwhile: a node under faults has much to say."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(before)


@quiet()
def run_chunk(first: int, count: int) -> Report:
    """Run some schedules, one after the other."""
    report = Report()
    for seed in range(first, first + count):
        try:
            World(seed, report.tally).run()
        except Exception as error:
            report.failing[seed] = "".join(traceback.format_exception_only(error)).strip()
            report.tally.schedules += 1
    return report


@quiet()
def run_planted(name: str, first: int, count: int) -> tuple[int, int]:
    """Return (hostile schedules, those of them that found the fault) for a planted node.

    Hostile is a schedule in which the fault had its occasion: for those about doubt, one in which
    the fate of an order was in doubt at least once.
    """
    planted = PLANTED[name]
    hostile = found = 0
    first = max(first, planted.first)
    for seed in range(first, first + count):
        clients: list[Any] = []
        worlds: list[World] = []

        def make(
            *given: Any,
            clients: list[Any] = clients,
            worlds: list[World] = worlds,
            **named: Any,
        ) -> Any:
            client: Any = planted.client(*given, **named)
            client.broker = worlds[0].broker
            clients.append(client)
            return client

        world = World(seed, make_client=make)
        worlds.append(world)
        if not planted.may_err(world):
            continue
        failed = False
        try:
            world.run()
        except Exception:
            failed = True
        if planted.was_hostile(world, clients):
            hostile += 1
            found += failed
    return hostile, found


def run_seeds(first: int, count: int, workers: int) -> Report:
    """Run schedules over several processes; failing seeds are told as they are found."""
    report = Report()
    chunks = [(at, min(CHUNK, first + count - at)) for at in range(first, first + count, CHUNK)]
    if workers == 1:
        parts: Iterable[Report] = itertools.starmap(run_chunk, chunks)
        return _gathered(report, parts)
    with ProcessPoolExecutor(workers) as pool:
        return _gathered(report, pool.map(run_chunk, *zip(*chunks)))


def _gathered(report: Report, parts: Iterable[Report]) -> Report:
    for part in parts:
        for seed, text in sorted(part.failing.items()):
            print(f"seed {seed}: {text}")
            print(f"  replay: python -m tests.simulation --seeds 1 --first {seed} --trace")
            sys.stdout.flush()
        report.add(part)
    return report


TRACER = (
    "import json, logging, sys; logging.disable(50)\n"
    "from tests.simulation.world import World\n"
    "print(json.dumps([World(s).run() for s in range(int(sys.argv[1]), int(sys.argv[2]))]))"
)


def compare_traces(first: int, count: int) -> list[int]:
    """Return the seeds that give another trace in another process with other hashes."""
    runs = [
        subprocess.Popen(
            [sys.executable, "-c", TRACER, str(first), str(first + count)],
            stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONHASHSEED": hashes},
        )
        for hashes in ("1", "2")
    ]  # fmt: skip
    one, two = (json.loads(run.communicate()[0]) for run in runs)
    return [first + at for at in range(count) if one[at] != two[at]]


def run_elsewhere() -> dict[str, int]:
    """Run the tests that inject what this simulation cannot; return how many have passed."""
    found: dict[str, int] = {}
    for name, tests in ELSEWHERE.items():
        command = [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, *shlex.split(tests), "-rA"], capture_output=True, text=True, cwd=ROOT
        )
        passed = len(re.findall(r"^PASSED ", done.stdout, re.M))
        found[name] = passed if done.returncode == 0 else 0
    return found


def show(report: Report) -> None:
    """Print what was injected and looked at."""
    texts = FAULTS | ELSEWHERE
    for name, count in report.faults().items():
        print(f"{'fault':9} {name:4} {count:>12,}  {texts[name]}")
    for name, text in INVARIANTS.items():
        print(f"{'invariant':9} {name:4} {report.tally.checks[name]:>12,}  {text}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command; return its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--seeds", type=int, default=100, help="schedules to run")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--workers", type=int, default=1, help="processes")
    parser.add_argument("--planted", type=int, default=0, help="seeds for each planted fault")
    parser.add_argument("--traces", type=int, default=0, help="seeds to run in two processes")
    parser.add_argument("--trace", action="store_true", help="let a failure's traceback show")
    options = parser.parse_args(arguments)
    if options.trace:
        for seed in range(options.first, options.first + options.seeds):
            print(seed, World(seed).run())
        return 0
    began = time.monotonic()
    report = run_seeds(options.first, options.seeds, options.workers)
    seconds = time.monotonic() - began
    faults = [f"{len(report.failing)} schedules fail"] if report.failing else []
    faults += _traces(report, options.first, options.traces)
    for name, planted in PLANTED.items() if options.planted else ():
        hostile, found = run_planted(name, options.first, options.planted)
        print(f"planted: {name}: found in {found} of {hostile} hostile schedules")
        if found < planted.share * hostile or not hostile:
            faults.append(f"{name} is found too seldom")
    if options.seeds >= COMPLETE_FROM:
        report.elsewhere = run_elsewhere()
        missing = report.missing()
        faults += [f"never struck or never looked at: {', '.join(missing)}"] if missing else []
    show(report)
    tally = report.tally
    print(f"{tally.unknown_at_end} of {tally.orders} orders ended unknown")
    if tally.unknown_at_end > UNKNOWN_MAX * tally.orders + 1:
        faults.append("too many orders ended unknown")
    rate = options.seeds / seconds
    print(
        f"{seconds:.1f} s, {rate:.1f} schedules a second,"
        f" {rate / options.workers:.1f} a second and process"
    )
    for fault in faults:
        print(fault)
    print(json.dumps(report.line()))
    return int(bool(faults))


def _traces(report: Report, first: int, count: int) -> list[str]:
    """Compare traces over two processes; return what is wrong."""
    if not count:
        return []
    differ = compare_traces(first, count)
    report.tally.checks["I14"] += count
    print(f"traces: {count - len(differ)} of {count} are the same in two processes")
    return [f"seeds with two traces: {differ}"] if differ else []


if __name__ == "__main__":
    sys.exit(main())
